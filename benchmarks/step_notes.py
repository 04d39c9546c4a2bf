"""When agent and updater reached the steps of an update: a line each in a file that both append to."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_NS_PER_S = 1e9

PARTS = (
    ("order", None, "agent.ORDERED"),
    ("updater's start", "agent.ORDERED", "updater.TRUST_ROOT"),
    ("refresh", "updater.TRUST_ROOT", "updater.JUDGE"),
    ("download", "updater.JUDGE", "updater.WRITE_MANIFEST"),
    ("preflight", "updater.WRITE_MANIFEST", "updater.FLUSH"),
    ("move in", "updater.FLUSH", "updater.REPORT"),
    ("activation", "updater.REPORT", "agent.SWAPPED"),
)
"""Name, first step (None: the order's commit), last step."""


@dataclass(frozen=True, slots=True)
class Note:
    """A step, `agent.SWAPPED` for one, and when it was reached (seconds since 1970)."""

    step: str
    at_s: float


def noting(path: str, who: str) -> Callable[[str], None]:
    """Gives what writes a note: one system call, a microsecond or two."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)

    def note(step: str) -> None:
        os.write(file, f"{time.time_ns()} {who}.{step}\n".encode())

    return note


def read(path: Path) -> list[Note]:
    """Everything that was noted so far; a line that is half written counts not."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    pairs = (line.split(" ") for line in text.splitlines(keepends=True) if line.endswith("\n"))
    return [Note(step.strip(), int(at_ns) / _NS_PER_S) for at_ns, step in pairs]


def since(notes: Iterable[Note], begin_s: float) -> dict[str, float]:
    """When each step was first reached after a moment."""
    found: dict[str, float] = {}
    for note in notes:
        if note.at_s >= begin_s:
            found.setdefault(note.step, note.at_s)
    return found


def parts(reached: dict[str, float], begin_s: float) -> dict[str, float]:
    """Milliseconds of each part of one update, and of the whole.

    Raises:
        KeyError: A step was not reached.
    """

    def at(step: str | None) -> float:
        return begin_s if step is None else reached[step]

    found = {name: 1e3 * (at(last) - at(first)) for name, first, last in PARTS}
    return found | {"whole": 1e3 * (at("agent.SWAPPED") - begin_s)}
