"""What every row is given: where things are, how long to measure, and how to tell of progress."""

import contextlib
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.verdict import BaselineCheck, Figure

ROOT = Path(__file__).resolve().parent.parent
PEER_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
"""The optional baseline lives in an environment of its own, so that its packages never meet ours."""


class NotRunError(Exception):
    """A row cannot be measured here for a reason that is nobody's fault; the message says which."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One run of the benchmark."""

    model_dir: Path
    models_dir: Path
    """Folder with one model directory per chain, for the rows about quality."""
    work_dir: Path
    """Empty, deleted at the end: configurations, logs, data folders."""
    quick: bool
    peer: str
    shared: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What rows share is entered here, and ends after the last one."""

    def count(self, full: int, quick: int) -> int:
        """Samples to take."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """A line of progress, beside the results."""
        print(f"  {text}", file=sys.stderr, flush=True)


@dataclass(slots=True)
class Outcome:
    """What a row found."""

    figures: list[Figure] = field(default_factory=list)
    baselines: list[BaselineCheck] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
