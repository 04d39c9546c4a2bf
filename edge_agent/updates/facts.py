"""What must outlive a power cut about the register's releases; one value, replaced as a whole."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

from edge_agent.updates.errand import WORDS_MAX
from edge_agent.updates.slots import Slot, Verdict
from wire_protocol.fleet_messages import DesiredDown, MetadataSeen, Settings, UpdateReason, UpdateState

SETTLED: Final = frozenset({UpdateState.GOOD, UpdateState.BAD, UpdateState.REFUSED})
"""Nothing more is done about an attempt that is here."""


@dataclass(frozen=True, slots=True)
class Order:
    """The newest desired state that this register believed; its generation never sinks."""

    generation: int
    release: int | None = None
    digest: str | None = None
    rollout: str | None = None
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def of(cls, desired: DesiredDown) -> Self:
        """What the cloud said."""
        rollout = None if desired.rollout is None else desired.rollout.hex()
        return cls(desired.generation, desired.release, desired.digest, rollout, desired.settings)

    def goes_behind(self, release: int) -> bool:
        """Whether it wants an older release than this one, or none."""
        return self.release is None or release > self.release


@dataclass(frozen=True, slots=True)
class Attempt:
    """One release from its order to its verdict, under one transaction, over every restart."""

    transaction: str
    """16 bytes, hex."""
    release: int
    digest: str
    rollout: str | None
    state: UpdateState
    at_ms: int
    reason: UpdateReason | None = None
    words: str | None = None

    def moved(
        self,
        state: UpdateState,
        at_ms: int,
        reason: UpdateReason | None = None,
        words: str | None = None,
    ) -> Self:
        """The attempt in another state."""
        line = None if words is None else printable(words)
        return replace(self, state=state, at_ms=at_ms, reason=reason, words=line)

    def is_for(self, order: Order) -> bool:
        """Whether this order is the one that the attempt is about."""
        return (self.release, self.digest, self.rollout) == (order.release, order.digest, order.rollout)


@dataclass(frozen=True, slots=True)
class Listing:
    """What the chain's keys signed, as this register verified it last; it counts until a newer one comes."""

    releases: Mapping[int, str] = field(hash=False)
    """Release -> SHA-256 of its network, hex."""
    withdrawn: frozenset[int]
    metadata: MetadataSeen


@dataclass(frozen=True, slots=True)
class Facts:
    """The whole durable state.

    Args:
        order: The newest.
        attempt: At the release of the newest order that named one.
        slots: Every release that lies here or was judged here.
        active: The release to use; None: the model that the register was installed with.
        floor: The highest `minimum_release` that was ever verified.
        listing: The newest.
        looked: The generation for which the metadata was last looked at.
        returned: The generation under which a person at the till went back; 0 for never.
        crashes: Starts of the agent without an orderly end before them, since what is active was put in use.
        open: An agent runs, or died.
        shadow: The release that runs beside what is active.
        shadow_deaths: Starts without an orderly end before them, while the shadow of this order ran.
    """

    order: Order | None = None
    attempt: Attempt | None = None
    slots: tuple[Slot, ...] = ()
    active: int | None = None
    floor: int = 0
    listing: Listing | None = None
    looked: int = 0
    returned: int = 0
    crashes: int = 0
    open: bool = False
    shadow: int | None = None
    shadow_deaths: int = 0
    generation: int = 0
    """The highest ever heard; the order's own, but where the order was lost."""

    def slot(self, release: int | None) -> Slot | None:
        """The slot of a release, if there is one."""
        return next((one for one in self.slots if one.release == release), None)

    def with_slot(self, slot: Slot) -> "Facts":
        """With this one in place of the release's former; one without files and verdict is left out."""
        others = tuple(one for one in self.slots if one.release != slot.release)
        kept = () if slot.verdict is Verdict.ABSENT else (slot,)
        return replace(self, slots=tuple(sorted(others + kept, key=lambda one: one.release)))

    @property
    def is_held(self) -> bool:
        """Whether a person went back under the present order: the cloud's next one decides anew."""
        return self.order is not None and self.returned == self.order.generation


def printable(words: str) -> str:
    """One line that a report can carry, whatever a library said."""
    line = " ".join(words.split())
    return "".join(one if one.isprintable() else "?" for one in line)[:WORDS_MAX]


def to_json(facts: Facts) -> bytes:
    """The facts as a file has them."""
    value = asdict(facts)
    if facts.listing is not None:
        value["listing"] = {
            "releases": {str(release): digest for release, digest in facts.listing.releases.items()},
            "withdrawn": sorted(facts.listing.withdrawn),
            "metadata": asdict(facts.listing.metadata),
        }
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()


def from_json(data: bytes) -> Facts:
    """Read what `to_json` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        value = json.loads(data)
        order, attempt, listing = value.pop("order"), value.pop("attempt"), value.pop("listing")
        slots = value.pop("slots")
        facts = Facts(
            order=None if order is None else Order(**(order | {"settings": Settings(**order["settings"])})),
            attempt=None if attempt is None else Attempt(**(attempt | _told(attempt, UpdateState, "state"))),
            listing=None if listing is None else _listing(listing),
            slots=tuple(Slot(**(one | _told(one, Verdict, "verdict"))) for one in slots),
            **value,
        )
        facts = replace(
            facts,
            slots=tuple(
                slot if "left_generation" in one else _left_before(facts, slot)
                for slot, one in zip(facts.slots, slots, strict=True)
            ),
        )
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"no facts of releases: {error}") from error
    left = [one.left_generation for one in facts.slots if one.left_generation is not None]
    for number in (
        *left,
        facts.floor,
        facts.generation,
        facts.looked,
        facts.returned,
        facts.crashes,
        facts.shadow_deaths,
    ):
        if type(number) is not int or number < 0:
            raise ValueError("a count is no count")
    return facts


def _told(value: Mapping[str, Any], kind: type[UpdateState | Verdict], key: str) -> dict[str, Any]:
    reason = value["reason"]
    return {key: kind(value[key]), "reason": None if reason is None else UpdateReason(reason)}


def _left_before(facts: Facts, slot: Slot) -> Slot:
    """A slot of a version that noted nothing left: the newest order, or a person's return, says it."""
    order = facts.order
    if order is None or not (
        order.goes_behind(slot.release) or (facts.is_held and order.release == slot.release != facts.active)
    ):
        return slot
    return replace(slot, left_generation=order.generation)


def _listing(value: Mapping[str, Any]) -> Listing:
    releases = {int(release): str(digest) for release, digest in value["releases"].items()}
    return Listing(releases, frozenset(map(int, value["withdrawn"])), MetadataSeen(**value["metadata"]))
