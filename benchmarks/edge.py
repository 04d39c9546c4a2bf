"""`python -m benchmarks.edge`: every figure of the register beside its goal."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.program import Program, model_dir
from benchmarks.rows import footprint, in_process, quality, request, start, swap
from benchmarks.setting import PEER_PYTHON
from benchmarks.suite import Row

ROWS = (
    Row("overhead", "frame → top-3 over the bare network, hot", in_process.overhead),
    Row("cadence", "frame → top-3 at camera cadence, quiet and beside CPU hogs", in_process.cadence),
    Row("request", "POST /v1/interactions, against FastAPI and the optional peer", request.request),
    Row("start", "process start → first recommendation", start.start),
    Row("memory", "resident memory of the agent", footprint.memory),
    Row("idle", "CPU of an idle agent", footprint.idle),
    Row("quality", "what the models' reports say", quality.quality),
    Row("swap", "exchange of the model under load", swap.swap),
)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--peer",
        choices=("litserve", "none"),
        default="litserve" if PEER_PYTHON.exists() else "none",
        type=_peer,
        help="the optional peer; by default, if .venv-bench is there",
    )
    parser.add_argument(
        "--models", type=Path, help="folder with the models whose reports count (default: models)"
    )


def _peer(name: str) -> str:
    if name == "litserve" and not PEER_PYTHON.exists():
        raise argparse.ArgumentTypeError(f"{PEER_PYTHON} is missing: `make bench-peer` installs the peer")
    return name


def _model(args: argparse.Namespace) -> Mapping[str, object]:
    """Which model was measured; a missing one is what the rows then complain of."""
    folder = model_dir(args)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"model": {"directory": folder.name, "missing": True}}
    return {"model": {key: manifest[key] for key in ("tenant", "name", "version", "model")}}


PROGRAM = Program("edge", ROWS, options=_options, more=_model)

if __name__ == "__main__":
    PROGRAM.run()
