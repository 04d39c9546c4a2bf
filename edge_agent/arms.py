"""Which policy serves an interaction: a keyed hash of its id, so that who has the seed can draw it again.

The unit of randomisation is the interaction. A hash instead of a random number needs no state, gives the
same arm after a crash, and lets the measurement check that nobody chose arms by hand.
"""

from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from edge_agent.impression import Arm

_UNIT_BITS = 53
"""What fits a float exactly."""


@dataclass(frozen=True, slots=True)
class ArmShares:
    """Shares of the interactions, 0 to 1; what is left over is the model's."""

    explore: float = 0.05
    bestsellers: float = 0.10

    def __post_init__(self) -> None:
        """Refuse shares that are no shares.

        Raises:
            ValueError: A share is negative, or both exceed 1 together.
        """
        if min(self.explore, self.bestsellers) < 0 or self.explore + self.bestsellers > 1:
            raise ValueError(
                f"shares must be at least 0 and at most 1 together: explore = {self.explore}, "
                f"bestsellers = {self.bestsellers}"
            )

    @property
    def model(self) -> float:
        """Share of the model's own slate."""
        # Shares that add up to 1 may leave a tiny negative rest.
        return max(0.0, 1 - self.explore - self.bestsellers)


def unit_hash(interaction_id: UUID, *, seed: str, purpose: str) -> float:
    """A number strictly between 0 and 1 that looks random and depends on nothing but the arguments.

    BLAKE2b keyed by `seed` (at most 64 bytes of UTF-8) over the 16 bytes of the id and the purpose: draws for
    different purposes are independent. Any language with BLAKE2b can repeat it.
    """
    digest = blake2b(interaction_id.bytes + purpose.encode(), digest_size=8, key=seed.encode()).digest()
    return ((int.from_bytes(digest) >> (64 - _UNIT_BITS)) + 0.5) / (1 << _UNIT_BITS)


def draw_arm(interaction_id: UUID, shares: ArmShares, *, seed: str) -> Arm:
    """The arm of an interaction; the same arguments give the same arm for ever.

    Raising the share of `bestsellers` only adds interactions to that arm.
    """
    unit = unit_hash(interaction_id, seed=seed, purpose="arm")
    if unit < shares.bestsellers:
        return Arm.BESTSELLERS
    if unit < shares.bestsellers + shares.explore:
        return Arm.EXPLORE
    return Arm.MODEL
