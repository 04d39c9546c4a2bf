"""One part's benchmark as a program: its options, its result as JSON and as a table, its exit status."""

import argparse
import contextlib
import importlib.metadata
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from benchmarks import machine
from benchmarks.setting import ROOT, Setting
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

RESULTS = ROOT / "benchmarks" / "results"
DEFAULT_CHAIN = "gelateria-sole"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DESCRIPTION = """Every figure of this part beside its goal. Exit status 0: every goal met. 1: one was missed,
or could not be measured. 2: a baseline came out over a quarter slower than it is known to be, so that ratios
against it would flatter."""

Described = Callable[[argparse.Namespace], Mapping[str, object]]


def _nothing(_: argparse.Namespace) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Program:
    """A part's benchmark.

    Attributes:
        name: Of the module `benchmarks.{name}` and of its result's file.
        rows: What it measures.
        packages: Distributions whose versions belong to the result.
        servers: Commands whose first line says their version.
        options: Adds what only this program has to the parser.
        more: What else the result says, by the options.
    """

    name: str
    rows: Sequence[Row]
    packages: Sequence[str] = ()
    servers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    options: Callable[[argparse.ArgumentParser], object] | None = None
    more: Described = _nothing

    @property
    def whole(self) -> Path:
        """Where the result of all rows is written."""
        return RESULTS / f"{self.name.replace('_', '-')}.json"

    @property
    def partial(self) -> Path:
        """Where any other result is written."""
        return RESULTS / f"{self.name.replace('_', '-')}-partial.json"

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Measure, print, write."""
        args = self.parser().parse_args(argv)
        described = machine.describe()
        if self.packages:
            described["packages"] = {name: importlib.metadata.version(name) for name in self.packages}
        if self.servers:
            described["servers"] = versions_of(self.servers)
        began = datetime.now(UTC)
        with (
            tempfile.TemporaryDirectory(prefix="topscoop-bench-") as folder,
            contextlib.ExitStack() as shared,
        ):
            setting = Setting(
                model_dir=model_dir(args),
                models_dir=(getattr(args, "models", None) or ROOT / "models").resolve(),
                work_dir=Path(folder),
                quick=args.quick,
                peer=getattr(args, "peer", None) or "none",
                shared=shared,
            )
            outcomes = {row.name: measure(row, setting) for row in chosen(self.rows, args.only)}
        result = {
            "benchmark": self.name,
            "began": began.isoformat(timespec="seconds"),
            "quick": args.quick,
            "machine": described,
            **self.more(args),
            "figures": figures_as_json(outcomes),
            "baselines": baselines_as_json(outcomes),
            "details": {name: outcome.details for name, outcome in outcomes.items()},
            "exit_status": int(status_of(outcomes)),
        }
        output: Path = args.output or (self.partial if args.quick or args.only else self.whole)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if args.json:
            print(json.dumps(result, ensure_ascii=False))
        else:
            print_table(outcomes, output, quick=args.quick)
        return status_of(outcomes)

    def parser(self) -> argparse.ArgumentParser:
        """The options of every program, and its own."""
        parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{self.name}", description=DESCRIPTION)
        rows = "; ".join(f"{row.name}: {row.meaning}" for row in self.rows)
        parser.add_argument("--quick", action="store_true", help="few samples: does everything work?")
        parser.add_argument(
            "--only",
            action="append",
            choices=[row.name for row in self.rows],
            metavar="ROW",
            help="this row; " + rows.replace("%", "%%"),
        )
        parser.add_argument("--model", type=Path, help=f"model directory (default: models/{DEFAULT_CHAIN})")
        parser.add_argument(
            "--output",
            type=Path,
            help=f"default: {self.whole.relative_to(ROOT)}, with --quick or --only {self.partial.name}",
        )
        parser.add_argument(
            "--json", action="store_true", help="print the result as JSON instead of the table"
        )
        if self.options is not None:
            self.options(parser)
        return parser

    def run(self) -> NoReturn:
        """As the process's main program."""
        prepare_process()
        try:
            sys.exit(self.main())
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)


def model_dir(args: argparse.Namespace) -> Path:
    """The model that is measured."""
    chosen_dir: Path = args.model or ROOT / "models" / DEFAULT_CHAIN
    return chosen_dir.resolve()


def versions_of(servers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """First line that each server says of itself; without those that are not there."""
    found = {}
    for name, command in servers.items():
        program = shutil.which(command[0], path=_SYSTEM_PATH)
        if program is not None:
            said = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
            found[name] = (said.stdout or said.stderr).partition("\n")[0]
    return found
