"""A plain FastAPI server that gets the picture: uvicorn with uvloop and httptools, no access log.

The body is the JPEG itself (a multipart form costs more). `--handler async` infers on the event loop,
`--handler sync` lets FastAPI use its thread pool; the benchmark tries both and keeps the faster.
"""

import argparse
import json
import socket
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import Body, FastAPI, HTTPException, Request
from pydantic import BaseModel

from benchmarks.baselines.plain_pipeline import PlainPipeline


class Offer(BaseModel):
    """One of the three."""

    flavour: str
    name: str
    probability: float


class Answer(BaseModel):
    """What the client gets."""

    top3: list[Offer]
    nobody: float


def build_app(pipeline: PlainPipeline, *, on_the_loop: bool) -> FastAPI:
    """The application; one route."""
    app = FastAPI(openapi_url=None)

    def answer(picture: bytes) -> dict[str, object]:
        try:
            return pipeline.recommend(picture)
        except ValueError as error:
            raise HTTPException(415, str(error)) from error

    if on_the_loop:

        @app.post("/recommend", response_model=Answer)
        async def recommend_on_the_loop(request: Request) -> dict[str, object]:
            return answer(await request.body())

    else:

        @app.post("/recommend", response_model=Answer)
        def recommend_in_a_thread(
            picture: Annotated[bytes, Body(media_type="image/jpeg")],
        ) -> dict[str, object]:
            return answer(picture)

    return app


def main() -> None:
    """Announce the port in `--announce`, then serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--handler", choices=("async", "sync"), required=True)
    parser.add_argument("--announce", type=Path, required=True)
    args = parser.parse_args()
    app = build_app(PlainPipeline(args.model), on_the_loop=args.handler == "async")
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", access_log=False, log_level="warning", ws="none"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        args.announce.write_text(json.dumps({"port": listener.getsockname()[1]}), encoding="utf-8")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
