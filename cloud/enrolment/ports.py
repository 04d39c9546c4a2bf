"""What enrolment asks of the rest of the cloud."""

from collections.abc import Sequence
from typing import Protocol

from wire_protocol.topics import Identity


class FirstBlanks(Protocol):
    """The consent blanks that a register starts with."""

    def issue(self, identity: Identity, now_ms: int) -> Sequence[bytes]:
        """New blanks, signed, their keys durable.

        Raises:
            TopscoopError: None can be issued now; the keeper sends some after the register's first report.
        """
        ...


class NoBlanks:
    """For a service that has no access to consent keys: the keeper sends blanks after the first report."""

    def issue(self, identity: Identity, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002 - the port's names
        """None."""
        return ()
