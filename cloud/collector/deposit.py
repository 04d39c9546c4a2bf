"""A second entrance: a message that a process of the cloud brings itself, without the broker.

The public API keeps pictures under the name of a register that no machine has. They are verified, accepted,
claimed, put and finished like those that come over MQTT: same rules, same rows, same quotas, same sweeper.
Nobody is sent a receipt; who deposits reads the answer.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cloud.collector.acceptance import Terms, accept
from cloud.collector.answers import Work
from cloud.collector.known_senders import KnownSenders
from cloud.collector.object_storing import store_version
from cloud.collector.offers import Offers
from cloud.collector.ports import Clock, Directory, Ledger, Objects
from cloud.collector.values import (
    Claim,
    Delivery,
    Ending,
    Facts,
    Later,
    Offer,
    Refuse,
    Row,
    Ruling,
    State,
)
from cloud.collector.verification import Rejected
from wire_protocol.reasons import Reason
from wire_protocol.topics import Topic


class Fate(StrEnum):
    """What became of a deposit."""

    STORED = "stored"
    GONE = "gone"  # its consent was withdrawn; nothing of it is kept
    REFUSED = "refused"  # for ever
    LATER = "later"  # bring the same bytes again


@dataclass(frozen=True, slots=True)
class Deposited:
    """The answer.

    Attributes:
        version: Of the object, where it is stored.
        detail: Why it is refused, or not now.
    """

    fate: Fate
    version: str | None = None
    reason: Reason | None = None
    retry_after_ms: int = 0
    detail: str = ""


class Depositor:
    """Takes messages in; one per event loop, or one for each call.

    Args:
        ledger: As the collector's.
        objects: As the collector's.
        directory: As the collector's.
        clock: The cloud's.
        token: 16 random bytes at each call.
        terms: Of acceptance.
        sweep_after_ms: The sweeper's age; a version that is younger may be adopted.
    """

    def __init__(
        self,
        ledger: Ledger,
        objects: Objects,
        directory: Directory,
        clock: Clock,
        token: Callable[[], bytes],
        *,
        terms: Terms,
        sweep_after_ms: int,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._clock = clock
        self._terms = terms
        self._sweep_after_ms = sweep_after_ms
        self._offers = Offers(KnownSenders(directory), token)

    async def deposit(self, topic: Topic, message: bytes) -> Deposited:
        """Store a message, or say why not; the same bytes again get the same answer.

        Raises:
            DatabaseAway, ObjectsAway, StoreRefused: Bring the same bytes again.
        """
        now_ms = self._clock.now_ms()
        work = Work(Delivery(str(topic), message, None), topic, now_ms)
        tenant = topic.identity.tenant
        (examined,) = await self._offers.examine(tenant, [work], now_ms)
        match examined:
            case Rejected(reason, detail):
                return Deposited(Fate.REFUSED, reason=reason, detail=detail)
            case Later(retry_after_ms, why):
                return Deposited(Fate.LATER, retry_after_ms=retry_after_ms, detail=why)
            case Exception():
                raise examined
        decide = functools.partial(_decide, terms=self._terms, now_ms=now_ms)
        (opening,) = await self._ledger.open(tenant, [examined], decide, now_ms)
        match opening.ruling:
            case Claim() as claim:
                return await self._store(tenant, examined, claim)
            case Later(retry_after_ms, why):
                return Deposited(Fate.LATER, retry_after_ms=retry_after_ms, detail=why)
            case Refuse(reason, detail):
                return Deposited(Fate.REFUSED, reason=reason, detail=detail)
        assert opening.row is not None, f"{opening.ruling} leaves a row"
        return _of_row(opening.row)

    async def _store(self, tenant: str, offer: Offer, claim: Claim) -> Deposited:
        version = None
        try:
            version = await store_version(
                self._objects,
                offer,
                claim,
                now_ms=self._clock.now_ms(),
                sweep_after_ms=self._sweep_after_ms,
            )
        finally:
            # Without a version the claim is given back, so that the next attempt need not wait for its end.
            ending = Ending(offer, claim, version)
            (row,) = await self._ledger.finish(tenant, [ending], self._clock.now_ms())
        if row is None:
            # Somebody took the claim over, and may be adopting this version: the sweeper knows what is left.
            return Deposited(Fate.LATER, retry_after_ms=self._terms.busy_retry_ms, detail="busy")
        if row.state is State.GONE:
            await self._objects.delete(claim.object_key, version)
        return _of_row(row)


def _decide(offer: Offer, facts: Facts, *, terms: Terms, now_ms: int) -> Ruling:
    return accept(offer, facts, terms, now_ms)


def _of_row(row: Row) -> Deposited:
    match row.state:
        case State.STORED:
            return Deposited(Fate.STORED, version=row.version)
        case State.GONE:
            return Deposited(Fate.GONE)
        case State.REFUSED:
            return Deposited(Fate.REFUSED, reason=row.reason)
    return Deposited(Fate.LATER, detail="claimed")
