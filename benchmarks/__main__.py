"""`python -m benchmarks`: every figure of every part beside its goal; `make bench` runs this.

The benchmarks of the parts are programs of their own (`benchmarks.edge`, `benchmarks.collector`,
`benchmarks.releases`, `benchmarks.public_api`), run one after the other, so that nothing of the first is in
the second's memory. With `--only`, those that have a row of that name. Exit status: that of the worst, 1
before 2 before 0.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from benchmarks import collector, edge, public_api, releases
from benchmarks.suite import Row
from benchmarks.verdict import Exit

SUITES: Mapping[str, Sequence[Row]] = {
    "edge": edge.ROWS,
    "collector": collector.ROWS,
    "releases": releases.ROWS,
    "public_api": public_api.ROWS,
}
_OPTIONS_OF_EDGE = ("peer", "models")
_HARMLESS = {Exit.GOOD, Exit.SLOW_BASELINE}


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    args = _parser().parse_args(argv)
    statuses = [run(command) for command in commands(args)]
    if any(status not in _HARMLESS for status in statuses):
        return Exit.MISSED
    return Exit.SLOW_BASELINE if Exit.SLOW_BASELINE in statuses else Exit.GOOD


def run(command: Sequence[str]) -> int:
    """The exit status of one part."""
    return subprocess.run(command, check=False).returncode


def commands(args: argparse.Namespace) -> list[list[str]]:
    """What to run, one command for each part."""
    found = []
    for suite, rows in SUITES.items():
        names = [row.name for row in rows if not args.only or row.name in args.only]
        if not names:
            continue
        command = [sys.executable, "-m", f"benchmarks.{suite}"]
        for name in ("quick", "json"):
            command += [f"--{name}"] if getattr(args, name) else []
        for name in ("model", *(_OPTIONS_OF_EDGE if suite == "edge" else ())):
            value = getattr(args, name)
            command += [f"--{name}", value] if value is not None else []
        if args.only:
            command += [word for name in names for word in ("--only", name)]
        found.append(command)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    rows = [row for suite in SUITES.values() for row in suite]
    meanings = "; ".join(f"{row.name}: {row.meaning}" for row in rows)
    parser.add_argument("--quick", action="store_true", help="few samples: does everything work?")
    parser.add_argument(
        "--only",
        action="append",
        choices=[row.name for row in rows],
        metavar="ROW",
        help="this row; " + meanings.replace("%", "%%"),
    )
    parser.add_argument("--model", metavar="DIR", help="the agent's model")
    parser.add_argument("--models", metavar="DIR", help="folder with the models whose reports count")
    parser.add_argument("--peer", choices=("litserve", "none"), help="the optional peer of the edge's rows")
    parser.add_argument("--json", action="store_true", help="print results as JSON, a line for each part")
    return parser


if __name__ == "__main__":
    # Unwinds `subprocess.run`, which ends the part that is running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
