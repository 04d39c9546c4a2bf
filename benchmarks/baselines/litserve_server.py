"""LitServe with the same pipeline; runs in the peers' own environment, which lacks the product.

One worker on the CPU, the JPEG as the raw body, no logging of requests. `--api-server process` gives the
HTTP side a process of its own (LitServe's default), `thread` keeps it in the parent; the benchmark tries both
and keeps the faster. `fast_queue` is left out: release 0.2.19 hands it on under a wrong name, and nothing
changes.
"""

import argparse
import json
import socket
from pathlib import Path
from typing import Annotated

import litserve
from fastapi import Body

from benchmarks.baselines.plain_pipeline import PlainPipeline


class RecommendApi(litserve.LitAPI):
    """One model behind LitServe."""

    def __init__(self, model_dir: Path) -> None:
        super().__init__(api_path="/recommend")
        self._model_dir = model_dir

    def setup(self, device: str) -> None:
        """Load, in the worker."""
        del device
        self._pipeline = PlainPipeline(self._model_dir)

    def decode_request(self, request: Annotated[bytes, Body(media_type="image/jpeg")]) -> bytes:
        """The body is the picture."""
        return request

    def predict(self, picture: bytes) -> dict[str, object]:
        """One recommendation."""
        return self._pipeline.recommend(picture)

    def encode_response(self, output: dict[str, object]) -> dict[str, object]:
        """Plain values already."""
        return output


def main() -> None:
    """Announce the port in `--announce`, then serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--api-server", choices=("process", "thread"), required=True)
    parser.add_argument("--announce", type=Path, required=True)
    args = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]  # LitServe takes no listener of ours; the port stays free for a moment
    server = litserve.LitServer(RecommendApi(args.model), accelerator="cpu", workers_per_device=1)
    args.announce.write_text(json.dumps({"port": port}), encoding="utf-8")
    server.run(
        host="127.0.0.1",
        port=port,
        generate_client_file=False,
        log_level="warning",
        num_api_servers=1,
        api_server_worker_type=args.api_server,
        access_log=False,
    )


if __name__ == "__main__":
    main()
