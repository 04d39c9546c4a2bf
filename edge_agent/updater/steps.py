"""The steps of an errand, numbered; tests end the process at each of them and start it again. Pure."""

from enum import IntEnum
from typing import Protocol


class Step(IntEnum):
    """What is about to be done; the flow names it before it begins."""

    OPEN_FOLDERS = 1  # make them, take the lock, remove what earlier attempts at other releases left
    TRUST_ROOT = 2  # load the root that enrolment brought, and what is cached below it
    REFRESH = 3  # root, timestamp, snapshot, targets: fetched, verified, each durable when it is kept
    JUDGE = 4  # policy and floor; is the release listed, of this chain, for this agent
    LOOK_FOR_COMPLETE = 5  # does it lie here already, with the right digests
    FETCH_MODEL = 6  # into model.onnx.part, from where it ended
    KEEP_MODEL = 7  # length and digest are right: renamed to model.onnx
    FETCH_GOLDEN = 8
    KEEP_GOLDEN = 9
    WRITE_MANIFEST = 10
    PREFLIGHT = 11  # in a confined process of its own
    FLUSH = 12  # fsync of every file and of their folder
    CLEAR_PLACE = 13  # what lies at the release's place and is broken goes out of the way
    MOVE_IN = 14  # one rename: from here on it is a complete release
    FLUSH_RELEASES = 15  # fsync of the folder of releases: it stays one after a power cut
    TIDY = 16
    REPORT = 17


class Reach(Protocol):
    """Is told which step comes next; does nothing, but in tests."""

    def __call__(self, step: Step, /) -> None:
        """This step is about to be done."""


def nothing(step: Step, /) -> None:
    """The hook outside of tests."""
    del step
