"""The pages that the navigation leads to. Pure."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Entry:
    """One link; `icon` is a symbol of `icons.html`."""

    path: str
    words: str
    icon: str


ENTRIES: Final = (
    Entry("/overview", "Overview", "overview"),
    Entry("/fleet", "Fleet", "fleet"),
    Entry("/releases", "Releases", "release"),
    Entry("/rollouts", "Rollouts", "rollout"),
    Entry("/frames", "Frames", "frames"),
    Entry("/audit", "Audit", "audit"),
)


def is_current(entry: Entry, path: str) -> bool:
    """Whether `path` is this entry's page or lies below it."""
    return path == entry.path or path.startswith(entry.path + "/")
