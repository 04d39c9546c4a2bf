"""`python -m benchmarks.edge`: every figure of the register beside its goal.

Exit status 0: every goal met. 1: one was missed, or could not be measured. 2: a baseline came out over a
quarter slower than it is known to be, so that ratios against it would flatter.
"""

import argparse
import gc
import json
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.rows import footprint, in_process, quality, request, start, swap
from benchmarks.setting import PEER_PYTHON, ROOT, NotRunError, Outcome, Setting
from benchmarks.table import render
from benchmarks.verdict import Exit, Figure, exit_status

_RESULTS = ROOT / "benchmarks" / "results"
_WHOLE, _PARTIAL = _RESULTS / "edge.json", _RESULTS / "edge-partial.json"
_DEFAULT_CHAIN = "gelateria-sole"
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement that gives one or more lines of the table."""

    name: str
    meaning: str
    run: Callable[[Setting], Outcome]


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
    chosen = [row for row in ROWS if not args.only or row.name in args.only]
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
        outcomes = {row.name: measure(row, setting) for row in chosen}
        result = summary(outcomes, setting, described, began)
    output = args.output or (_PARTIAL if args.quick or args.only else _WHOLE)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    figures = [figure for outcome in outcomes.values() for figure in outcome.figures]
    baselines = [check for outcome in outcomes.values() for check in outcome.baselines]
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(render(figures, baselines))
        print(f"\n{_closing(exit_status(figures, baselines), quick=args.quick)} Written to {output}.")
    return exit_status(figures, baselines)


def measure(row: Row, setting: Setting) -> Outcome:
    """Run one row; whatever goes wrong becomes a line of the table, and the next row is measured."""
    print(f"{row.name}: {row.meaning}", file=sys.stderr, flush=True)
    begun = time.monotonic()
    try:
        outcome = row.run(setting)
    except NotRunError as error:
        outcome = Outcome(figures=[Figure(row.meaning, None, note=str(error))])
    except Exception as error:  # noqa: BLE001 - the table tells it, and the exit status
        outcome = Outcome(
            figures=[Figure(row.meaning, None, note=f"{type(error).__name__}: {error}", broke=True)],
            details={"traceback": traceback.format_exc()},
        )
        setting.say(f"failed: {type(error).__name__}: {error}")
    outcome.details["took_s"] = round(time.monotonic() - begun, 1)
    return outcome


def summary(
    outcomes: dict[str, Outcome], setting: Setting, described: dict[str, object], began: datetime
) -> dict[str, object]:
    """Everything that was found, as plain values."""
    figures = [(name, figure) for name, outcome in outcomes.items() for figure in outcome.figures]
    checks = [check for outcome in outcomes.values() for check in outcome.baselines]
    return {
        "benchmark": "edge",
        "began": began.isoformat(timespec="seconds"),
        "quick": setting.quick,
        "machine": described,
        "model": _model(setting.model_dir),
        "figures": [
            {
                "row": name,
                "figure": figure.name.strip(),
                "goal": str(figure.goal) if figure.goal else None,
                "measured": None if figure.value is None else round(figure.value, _DIGITS),
                "unit": figure.unit,
                "verdict": figure.verdict.value,
                "note": figure.note,
            }
            for name, figure in figures
        ],
        "baselines": [
            {
                "baseline": check.name,
                "reference_ms": round(check.reference_ms, _DIGITS),
                "measured_ms": round(check.measured_ms, _DIGITS),
                "comparable": check.comparable,
                "slow": check.slow,
                "note": check.note,
            }
            for check in checks
        ],
        "details": {name: outcome.details for name, outcome in outcomes.items()},
        "exit_status": int(exit_status([figure for _, figure in figures], checks)),
    }


def _model(model_dir: Path) -> dict[str, object]:
    """Which model was measured; a missing one is what the rows then complain of."""
    try:
        manifest = json.loads((model_dir / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"directory": model_dir.name, "missing": True}
    return {key: manifest[key] for key in ("tenant", "name", "version", "model")}


def _closing(status: Exit, *, quick: bool) -> str:
    told = {
        Exit.GOOD: "Every goal that was measured is met.",
        Exit.MISSED: "A goal was missed or could not be measured.",
        Exit.SLOW_BASELINE: "A baseline is slower than it should be: ratios against it flatter.",
    }[status]
    return f"{told} Few samples were taken (--quick): the figures are rough." if quick else told


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge", description=__doc__)
    rows = "; ".join(f"{row.name}: {row.meaning}" for row in ROWS)
    parser.add_argument("--quick", action="store_true", help="few samples: does everything work?")
    parser.add_argument(
        "--only", action="append", choices=[row.name for row in ROWS], metavar="ROW", help=f"this row; {rows}"
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


def _prepare_process() -> None:
    # A polite end unwinds every `with`, so that no agent and no camera stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # The client's own pauses would count as the servers': what is loaded now is never looked at again.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _prepare_process()
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
