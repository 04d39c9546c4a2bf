"""What can go wrong with rollouts; all of it is for the operator to mend."""

from wire_protocol.errors import OperatorError


class PlanError(OperatorError):
    """A plan cannot be read, or asks for what cannot be; nothing of it was kept."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            "the plan is wrong: " + "; ".join(problems), remedy="Mend each of these; see docs/rollouts.md."
        )
        self.problems = problems


class UnknownRollout(OperatorError):
    """There is no such rollout in this chain."""


class UnreadableRollout(OperatorError):
    """A rollout's row says what this version does not know; nothing of its chain is decided."""


class UnknownRelease(OperatorError):
    """There is no such release in this chain, or it may not be rolled out any more."""


class NotNow(OperatorError):
    """The rollout, or the chain, is not in a state that allows this."""


class RolloutConflict(OperatorError):
    """Another rollout holds registers that this one wants."""


class SecondPersonNeeded(OperatorError):
    """Somebody else than who planned it must approve."""


class RolloutChanged(OperatorError):
    """Somebody else, or the controller, changed the rollout at the same moment; nothing was done."""
