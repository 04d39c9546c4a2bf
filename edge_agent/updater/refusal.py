"""Why an errand came to nothing; pure."""

from edge_agent.updates.advice import ADVICE
from edge_agent.updates.errand import Failed, Verified
from edge_agent.updates.facts import printable
from wire_protocol.errors import TopscoopError
from wire_protocol.fleet_messages import UpdateReason


class Refusal(TopscoopError):
    """The errand ends here, for one of the reasons of the protocol.

    Args:
        reason: Which.
        words: One sentence for a person.
        passing: Whether the same job may succeed later; None: as `ADVICE` has it.
    """

    def __init__(self, reason: UpdateReason, words: str, *, passing: bool | None = None) -> None:
        super().__init__(words, remedy=ADVICE[reason].remedy)
        self.reason = reason
        self.passing = ADVICE[reason].passes if passing is None else passing

    def failed(self, verified: Verified | None) -> Failed:
        """As the agent is told."""
        return Failed(self.reason, printable(str(self)), self.passing, verified)
