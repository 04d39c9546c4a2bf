"""`python -m benchmarks.collector`: every figure of a frame's way to the cloud beside its goal.

Exit status 0: every goal met. 1: one was missed, or could not be measured.
"""

import argparse
import importlib.metadata
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.collector_rows import cpu, latency, offline_week, register, scaling
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
_WHOLE, _PARTIAL = _RESULTS / "collector.json", _RESULTS / "collector-partial.json"
_DEFAULT_CHAIN = "gelateria-sole"
_PACKAGES = ("paho-mqtt", "cbor2", "cryptography", "obstore", "boto3", "SQLAlchemy", "uvloop")
_SERVERS = {"mosquitto": ("mosquitto", "-h"), "radosgw": ("radosgw", "--version")}

ROWS = (
    Row("cpu", "collector's CPU per frame, against bare primitives and a plain collector", cpu.cpu),
    Row("scaling", "two collectors against one, with a slow store", scaling.scaling),
    Row("seal", "seal + sign + spool of a frame on the register", register.seal_and_spool),
    Row("backlog", "a till's requests while a backlog drains", register.backlog),
    Row("puback", "publish → PUBACK over TLS", latency.puback),
    Row("receipt", "publish → signed receipt over TLS, idle system", latency.receipt),
    Row("offline-week", "7 virtual days offline, then reconnect", offline_week.offline_week),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    args = _parser().parse_args(argv)
    described = machine.describe() | {"packages": _packages(), "servers": _servers()}
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
        "benchmark": "collector",
        "began": began.isoformat(timespec="seconds"),
        "quick": quick,
        "machine": described,
        "figures": figures_as_json(outcomes),
        "baselines": baselines_as_json(outcomes),
        "details": {name: outcome.details for name, outcome in outcomes.items()},
        "exit_status": int(status_of(outcomes)),
    }


def _packages() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def _servers() -> dict[str, str]:
    """First line that each server says of itself."""
    found = {}
    for name, command in _SERVERS.items():
        program = shutil.which(
            command[0], path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        )
        if program is not None:
            said = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
            found[name] = (said.stdout or said.stderr).partition("\n")[0]
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collector", description=__doc__)
    rows = "; ".join(f"{row.name}: {row.meaning}" for row in ROWS)
    parser.add_argument("--quick", action="store_true", help="few samples: does everything work?")
    parser.add_argument(
        "--only",
        action="append",
        choices=[row.name for row in ROWS],
        metavar="ROW",
        help="this row; " + rows.replace("%", "%%"),
    )
    parser.add_argument("--model", type=Path, help=f"the agent's model (default: models/{_DEFAULT_CHAIN})")
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
