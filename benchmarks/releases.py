"""`python -m benchmarks.releases`: every figure of releases, rollouts and console beside its goal.

Exit status 0: every goal met. 1: one was missed, or could not be measured.
"""

import argparse
import importlib.metadata
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.release_rows import fleet_page, refresh, requests, slow_link, tick, update
from benchmarks.setting import ROOT, Outcome, Setting
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

_RESULTS = ROOT / "benchmarks" / "results"
_WHOLE, _PARTIAL = _RESULTS / "releases.json", _RESULTS / "releases-partial.json"
_DEFAULT_CHAIN = "gelateria-sole"
_PACKAGES = ("tuf", "securesystemslib", "paho-mqtt", "cryptography", "SQLAlchemy", "psycopg", "jinja2")

ROWS = (
    Row("update", "desired state set → model in use on the register, idle link", update.update),
    Row("slow-link", "an update over 1 Mbit/s with 2 % loss and a cut in the middle", slow_link.slow_link),
    Row("request-p99", "a till's requests during fetch, preflight and swap", requests.request_p99),
    Row("refresh", "a look at the chain's metadata with nothing new", refresh.refresh),
    Row("tick", "the rollout controller's look at 10,000 registers in 20 rollouts", tick.tick),
    Row("fleet-page", "the console's fleet page with 10,000 registers", fleet_page.fleet_page),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    args = _parser().parse_args(argv)
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    described = machine.describe() | {"packages": packages}
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="topscoop-bench-") as folder:
        setting = Setting(
            model_dir=(args.model or ROOT / "models" / _DEFAULT_CHAIN).resolve(),
            models_dir=ROOT / "models",
            work_dir=Path(folder),
            quick=args.quick,
            peer="none",
        )
        outcomes = {row.name: measure(row, setting) for row in chosen(ROWS, args.only)}
        result = summary(outcomes, described, began, quick=args.quick)
    output = args.output or (_PARTIAL if args.quick or args.only else _WHOLE)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print_table(outcomes, output, quick=args.quick)
    return status_of(outcomes)


def summary(
    outcomes: dict[str, Outcome], described: dict[str, object], began: datetime, *, quick: bool
) -> dict[str, object]:
    """Everything that was found, as plain values."""
    return {
        "benchmark": "releases",
        "began": began.isoformat(timespec="seconds"),
        "quick": quick,
        "machine": described,
        "figures": figures_as_json(outcomes),
        "baselines": baselines_as_json(outcomes),
        "details": {name: outcome.details for name, outcome in outcomes.items()},
        "exit_status": int(status_of(outcomes)),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.releases", description=__doc__)
    rows = "; ".join(f"{row.name}: {row.meaning}" for row in ROWS)
    parser.add_argument("--quick", action="store_true", help="few samples: does everything work?")
    parser.add_argument(
        "--only",
        action="append",
        choices=[row.name for row in ROWS],
        metavar="ROW",
        help="this row; " + rows.replace("%", "%%"),
    )
    parser.add_argument("--model", type=Path, help=f"the chain's model (default: models/{_DEFAULT_CHAIN})")
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
