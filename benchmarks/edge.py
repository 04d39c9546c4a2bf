"""`python -m benchmarks.edge`: every figure of the register beside its goal.

Exit status 0: every goal met. 1: one was missed, or could not be measured. 2: a baseline came out over a
quarter slower than it is known to be, so that ratios against it would flatter.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.rows import footprint, in_process, quality, request, start, swap
from benchmarks.setting import PEER_PYTHON, ROOT, Outcome, Setting
from benchmarks.suite import (
    Row,
    baselines_as_json,
    chosen,
    figures_as_json,
    measure,
    prepare_process,
    print_table,
    status_of,
)
from benchmarks.verdict import Exit

_RESULTS = ROOT / "benchmarks" / "results"
_WHOLE, _PARTIAL = _RESULTS / "edge.json", _RESULTS / "edge-partial.json"
_DEFAULT_CHAIN = "gelateria-sole"


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


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    args = _parser().parse_args(argv)
    peer = args.peer or ("litserve" if PEER_PYTHON.exists() else "none")
    if peer == "litserve" and not PEER_PYTHON.exists():
        print(f"benchmark: {PEER_PYTHON} is missing: `make bench-peer` installs the peer", file=sys.stderr)
        return Exit.MISSED
    described = machine.describe()
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="topscoop-bench-") as folder:
        setting = Setting(
            model_dir=(args.model or ROOT / "models" / _DEFAULT_CHAIN).resolve(),
            models_dir=(args.models or ROOT / "models").resolve(),
            work_dir=Path(folder),
            quick=args.quick,
            peer=peer,
        )
        outcomes = {row.name: measure(row, setting) for row in chosen(ROWS, args.only)}
        result = summary(outcomes, setting, described, began)
    output = args.output or (_PARTIAL if args.quick or args.only else _WHOLE)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print_table(outcomes, output, quick=args.quick)
    return status_of(outcomes)


def summary(
    outcomes: dict[str, Outcome], setting: Setting, described: dict[str, object], began: datetime
) -> dict[str, object]:
    """Everything that was found, as plain values."""
    return {
        "benchmark": "edge",
        "began": began.isoformat(timespec="seconds"),
        "quick": setting.quick,
        "machine": described,
        "model": _model(setting.model_dir),
        "figures": figures_as_json(outcomes),
        "baselines": baselines_as_json(outcomes),
        "details": {name: outcome.details for name, outcome in outcomes.items()},
        "exit_status": int(status_of(outcomes)),
    }


def _model(model_dir: Path) -> dict[str, object]:
    """Which model was measured; a missing one is what the rows then complain of."""
    try:
        manifest = json.loads((model_dir / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"directory": model_dir.name, "missing": True}
    return {key: manifest[key] for key in ("tenant", "name", "version", "model")}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge", description=__doc__)
    rows = "; ".join(f"{row.name}: {row.meaning}" for row in ROWS)
    parser.add_argument("--quick", action="store_true", help="few samples: does everything work?")
    parser.add_argument(
        "--only",
        action="append",
        choices=[row.name for row in ROWS],
        metavar="ROW",
        help="this row; " + rows.replace("%", "%%"),
    )
    parser.add_argument(
        "--peer", choices=("litserve", "none"), help="the optional peer; by default, if .venv-bench is there"
    )
    parser.add_argument("--model", type=Path, help=f"model directory (default: models/{_DEFAULT_CHAIN})")
    parser.add_argument(
        "--models", type=Path, help="folder with the models whose reports count (default: models)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help=f"default: {_WHOLE.relative_to(ROOT)}, with --quick or --only {_PARTIAL.name}",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON instead of the table")
    return parser


if __name__ == "__main__":
    prepare_process()
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
