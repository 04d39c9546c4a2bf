"""The steps of a model's update on the agent's side, by number: a power cut after each is a test."""

from collections.abc import Callable
from enum import IntEnum


class Step(IntEnum):
    """What has just been done; whatever is told of it is durable, where it says so."""

    ORDERED = 1  # durable: the generation, and the transaction of the attempt
    SENT = 2  # the updater runs; its own steps are in edge_agent/updater
    FETCHING = 3  # its first progress came
    STAGED = 4  # durable: the release lies in its folder, verified and tried
    NOTED = 5  # durable: floor, listing, and the slot on TRIAL
    LOADED = 6  # the model is in memory, beside the one in use
    ACTIVATED = 7  # durable: the release is what the next start uses
    SWAPPED = 8  # it is in use
    JUDGED = 9  # its trial is over, in memory
    CONCLUDED = 10  # durable: GOOD, or BAD
    SETTLED = 11  # durable: what is in use after that
    CLEARED = 12  # what nobody needs any more is gone


Stepped = Callable[[Step], None]
"""Told after every step; the daemon's does nothing, a test's may be the end of the process."""


def unheard(_: Step) -> None:
    """Nobody listens."""
