"""`python -m benchmarks.timed_service FILE cloud SERVICE run …`: the service, which notes its parts.

A note is a line of FILE: part, begin and end (nanoseconds since 1970), processor time of its thread (ns).
What runs is the service's own code with a clock around some methods; a note costs a few microseconds.
"""

import functools
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Took:
    """One call of a part."""

    part: str
    begun_ns: int
    ended_ns: int
    cpu_ns: int


def read(*paths: Path) -> list[Took]:
    """Everything that was noted so far, by its end; a line that is half written counts not."""
    lines = [
        line for path in paths if path.exists() for line in path.read_text("ascii").splitlines(keepends=True)
    ]
    words = [line.split() for line in lines if line.endswith("\n")]
    found = [Took(part, *map(int, numbers)) for part, *numbers in words]
    return sorted(found, key=lambda one: one.ended_ns)


def within(notes: Iterable[Took], begun_ns: int, ended_ns: int) -> list[Took]:
    """Those that ended in a span of time."""
    return [one for one in notes if begun_ns <= one.ended_ns <= ended_ns]


MARKS: Sequence[tuple[str, str | None, str]] = (
    ("request, who calls", "head", "begun"),
    ("HEAD", "head", "ended"),
    ("arrival's transaction", "arrive", "ended"),
    ("job's wake-up", "lease", "begun"),
    ("lease", "lease", "ended"),
    ("GET", "read", "ended"),
    ("decode", "decode", "ended"),
    ("inference", "infer", "ended"),
    ("result's transaction", "write", "ended"),
    ("client's wake-up, answer", None, "ended"),
)
"""What an answer's time goes into: each part ends where a call of this name begins or ended, and begins where
the part before it ended. The last ends at the client."""


def parts(notes: Sequence[Took], uploaded_ns: int, answered_ns: int) -> dict[str, float]:
    """Milliseconds of each of `MARKS` of one upload on an idle system; their sum is the whole.

    Args:
        notes: Of this upload alone, by their end.
        uploaded_ns: When the clock starts.
        answered_ns: When it stops.

    Raises:
        KeyError: A part was never reached.
    """
    calls: dict[str, Took] = {}
    for one in notes:
        # Both of a recommender's threads look for jobs: the last look before the picture was read counts.
        if one.part == "lease" and "read" not in calls:
            calls[one.part] = one
        calls.setdefault(one.part, one)
    found, before_ns = {}, uploaded_ns
    for name, part, edge in MARKS:
        at_ns = answered_ns
        if part is not None:
            at_ns = calls[part].begun_ns if edge == "begun" else calls[part].ended_ns
        at_ns = max(at_ns, before_ns)  # what ran beside a longer part cost nothing
        found[name] = (at_ns - before_ns) / 1e6
        before_ns = at_ns
    return found


def _noting(path: str) -> Callable[[Any, str, str], None]:
    """Gives what puts a clock around a method."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)

    def clocked(owner: Any, name: str, part: str) -> None:
        method = getattr(owner, name)

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            begun_ns, cpu_ns = time.time_ns(), time.thread_time_ns()
            try:
                return method(*args, **kwargs)
            finally:
                cpu_ns = time.thread_time_ns() - cpu_ns
                os.write(file, f"{part} {begun_ns} {time.time_ns()} {cpu_ns}\n".encode())

        setattr(owner, name, call)

    return clocked


def main() -> int:
    """Run one service."""
    from cloud.intake import arrivals
    from cloud.intake.adapters.s3_intake_store import S3IntakeStore
    from cloud.recommender.adapters.s3_pictures import S3Pictures
    from cloud.recommender.adapters.sql_rows import SqlRows
    from cloud.recommender.warm_models import WarmModels
    from inference import FlavourModel
    from inference.picture import PictureDecoder
    from topscoop.cli import main as topscoop

    path, *words = sys.argv[1:]
    clocked = _noting(path)
    for owner, name, part in (
        (S3IntakeStore, "head", "head"),
        (arrivals, "arrive", "arrive"),
        (SqlRows, "lease", "lease"),
        (WarmModels, "champion", "champion"),
        (S3Pictures, "get", "read"),
        (PictureDecoder, "decode", "decode"),
        (FlavourModel, "recommend", "infer"),
        (SqlRows, "write", "write"),
        (S3Pictures, "delete_all", "delete"),
        (SqlRows, "deleted", "note-deletion"),
    ):
        clocked(owner, name, part)
    return topscoop(words)


if __name__ == "__main__":
    sys.exit(main())
