"""The last step of every message: receipt, then PUBACK, then it is counted."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloud.collector import receipts
from cloud.collector.acceptance import RETRY_MAX_MS, day_of
from cloud.collector.ports import Clock, Link, SignerOf, Watch
from cloud.collector.values import Answered, Delivery, Offer, RefusalCount, Row
from wire_protocol.errors import TopscoopError
from wire_protocol.messages import ReceiptDown
from wire_protocol.reasons import Reason
from wire_protocol.topics import Topic


@dataclass(frozen=True, slots=True)
class Work:
    """A message on its way through the collector."""

    delivery: Delivery
    topic: Topic
    received_at_ms: int

    @property
    def sha256(self) -> bytes:
        """Of the payload."""
        return hashlib.sha256(self.delivery.payload).digest()


class Answers:
    """Signs and publishes what became of messages, and acknowledges them.

    Args:
        ended: Called once for each message, when nothing of it is left to do, with the milliseconds it took.
    """

    def __init__(
        self,
        link: Link,
        signer_of: SignerOf,
        clock: Clock,
        watch: Watch,
        ended: Callable[[Delivery, int], None],
    ) -> None:
        self._link = link
        self._signer_of = signer_of
        self._clock = clock
        self._watch = watch
        self._ended = ended
        self._refusals: Counter[tuple[str, str, Reason, str]] = Counter()

    def row(self, work: Work, row: Row, offer: Offer | None, *, repeated: bool = False) -> None:
        """As the row says; it is durable."""
        lag_ms = work.received_at_ms - offer.message.header.at_ms if offer else None
        self._send(work, receipts.of_row(row), "", repeated=repeated, lag_ms=lag_ms)

    def refuse(self, work: Work, message_id: bytes | None, reason: Reason, detail: str) -> None:
        """Refused without a row; where the message's id cannot be read, nobody is told."""
        if message_id is None:
            self._count(work, reason)
            self._end(work, None, reason, detail)
        else:
            receipt = receipts.refused(message_id, work.sha256, reason, work.received_at_ms)
            self._send(work, receipt, detail)

    def later(self, work: Work, message_id: bytes | None, retry_after_ms: int, why: str) -> None:
        """To be sent again; spread by id, so that what fell back together does not return together."""
        if message_id is None:
            self._end(work, None, None, why)
            return
        spread_ms = retry_after_ms + retry_after_ms * message_id[0] // 512
        receipt = receipts.later(message_id, work.sha256, min(spread_ms, RETRY_MAX_MS), work.received_at_ms)
        self._send(work, receipt, why)

    def misplaced(self, delivery: Delivery, reason: Reason, detail: str) -> None:
        """On a topic that names no register: there is nobody to answer or to count it for."""
        self._link.acknowledge(delivery)
        self._watch.answered(Answered(delivery.topic, len(delivery.payload), None, None, 0, reason, detail))
        self._ended(delivery, 0)

    def take_refusals(self) -> dict[str, Sequence[RefusalCount]]:
        """What was refused since the last call, by tenant."""
        taken, self._refusals = self._refusals, Counter()
        by_tenant: dict[str, list[RefusalCount]] = {}
        for (tenant, register, reason, day), count in taken.items():
            by_tenant.setdefault(tenant, []).append(RefusalCount(register, reason, day, count))
        return dict(by_tenant)

    def put_back(self, tenant: str, counts: Sequence[RefusalCount]) -> None:
        """Of `take_refusals`, what could not be written."""
        for count in counts:
            self._refusals[tenant, count.register, count.reason, count.day] += count.count

    def _send(
        self,
        work: Work,
        receipt: ReceiptDown,
        detail: str,
        *,
        repeated: bool = False,
        lag_ms: int | None = None,
    ) -> None:
        if receipt.reason is not None and not repeated:
            self._count(work, receipt.reason)
        identity = work.topic.identity
        try:
            message = receipts.sign(receipt, identity, self._signer_of(identity.tenant))
        except TopscoopError as error:
            # Without a receipt the register sends it again, until the key is there; what is durable stays so.
            self._watch.failed("receipt.unsigned", work.delivery.topic, error)
        else:
            self._link.publish(Topic(identity, receipts.KIND), message)
        self._end(work, receipt, receipt.reason, detail, repeated=repeated, lag_ms=lag_ms)

    def _end(
        self,
        work: Work,
        receipt: ReceiptDown | None,
        reason: Reason | None,
        detail: str,
        *,
        repeated: bool = False,
        lag_ms: int | None = None,
    ) -> None:
        self._link.acknowledge(work.delivery)
        took_ms = self._clock.now_ms() - work.received_at_ms
        self._watch.answered(
            Answered(
                topic=work.delivery.topic,
                size=len(work.delivery.payload),
                message_id=receipt.message if receipt else None,
                verdict=receipt.verdict if receipt else None,
                took_ms=took_ms,
                reason=reason,
                detail=detail,
                repeated=repeated,
                lag_ms=lag_ms,
            )
        )
        self._ended(work.delivery, took_ms)

    def _count(self, work: Work, reason: Reason) -> None:
        identity = work.topic.identity
        self._refusals[identity.tenant, identity.register, reason, day_of(work.received_at_ms)] += 1
