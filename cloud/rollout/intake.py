"""Reports and statuses of registers, verified and kept; nothing of them is believed before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from cloud.collector.values import Delivery
from cloud.database.engine import Database
from cloud.rollout import rows
from cloud.rollout.health_rows import Sender, read_senders, write_reports, write_statuses
from cloud.rollout.outbox import publish_again
from wire_protocol import envelope
from wire_protocol.envelope import UnverifiedMessage, VerifiedMessage
from wire_protocol.errors import RefusedMessage
from wire_protocol.messages import ReportUp, StatusUp
from wire_protocol.reasons import Reason
from wire_protocol.topics import Topic, Up

ON_THE_WAY_MS: Final = 10_000
"""A report that crossed its order on the way is no reason to send the order again."""
_KINDS: Final = frozenset({Up.REPORT, Up.STATUS})


@dataclass(slots=True)
class Taken:
    """What became of a batch.

    Attributes:
        refused: Topic and reason of each message that was not believed.
        again: Orders that are published again, because a register reports another generation.
    """

    reports: int = 0
    statuses: int = 0
    again: int = 0
    refused: list[tuple[str, Reason]] = field(default_factory=list)


class Intake:
    """Takes batches in; any thread may call it.

    Args:
        database: The cloud's.
        clock: Milliseconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def take(self, deliveries: Sequence[Delivery]) -> Taken:
        """Keep what is verified of a batch; may be called again with the same one.

        Raises:
            DatabaseAway: Nothing of the present chain was kept; call again with all of it.
        """
        taken = Taken()
        by_tenant: dict[str, list[UnverifiedMessage]] = {}
        for delivery in deliveries:
            try:
                parsed = _parse(delivery)
            except RefusedMessage as error:
                taken.refused.append((delivery.topic[:120], error.reason))
                continue
            by_tenant.setdefault(parsed.header.topic.identity.tenant, []).append(parsed)
        for tenant, messages in by_tenant.items():
            with self._database.tenant(tenant) as connection:
                self._take(connection, tenant, messages, taken)
        return taken

    def _take(
        self, connection: Connection, tenant: str, messages: Sequence[UnverifiedMessage], taken: Taken
    ) -> None:
        names = sorted({message.header.topic.identity.register for message in messages})
        senders = read_senders(connection, tenant, names)
        verified = []
        for message in messages:
            try:
                verified.append(_verify(message, senders))
            except RefusedMessage as error:
                taken.refused.append((str(message.header.topic), error.reason))
        reports = [message for message in verified if isinstance(message.payload, ReportUp)]
        statuses = [message for message in verified if isinstance(message.payload, StatusUp)]
        now_ms = self._clock()
        if reports:
            digests = rows.read_digests(connection, tenant)
            releases = {digests[release]: release for release in sorted(digests)}
            write_reports(connection, tenant, reports, releases, now_ms)
            known = [(message.identity.register, _generation(message)) for message in reports]
            frozen = rows.read_policy(connection, tenant).frozen is not None
            taken.again += publish_again(connection, tenant, known, now_ms - ON_THE_WAY_MS, frozen=frozen)
        write_statuses(connection, tenant, statuses, now_ms)
        taken.reports += len(reports)
        taken.statuses += len(statuses)


def _parse(delivery: Delivery) -> UnverifiedMessage:
    topic = Topic.parse(delivery.topic)
    if topic.kind not in _KINDS:
        raise RefusedMessage(Reason.BAD_TOPIC, "rollouts take reports and statuses only")
    return envelope.parse(delivery.payload, topic)


def _verify(message: UnverifiedMessage, senders: dict[str, Sender]) -> VerifiedMessage:
    identity = message.header.topic.identity
    sender = senders.get(identity.register)
    if sender is None:
        raise RefusedMessage(Reason.UNKNOWN_REGISTER, f"{identity} was never enrolled")
    verified = envelope.verify(message, sender.keys.get)
    if sender.state != rows.ENROLLED:
        raise RefusedMessage(Reason.REVOKED, f"{identity} is {sender.state}")
    return verified


def _generation(message: VerifiedMessage) -> int:
    assert isinstance(message.payload, ReportUp)
    return message.payload.generation
