"""From deliveries to offers: who sends is looked up, each message verified, its tenant's rate counted."""

from collections.abc import Callable, Sequence
from typing import Final

from cloud.collector.answers import Work
from cloud.collector.known_senders import KnownSenders, Senders
from cloud.collector.quota import Rates
from cloud.collector.values import Later, Offer
from cloud.collector.verification import ConsentCache, Rejected, verify
from wire_protocol.messages import WithdrawalUp
from wire_protocol.reasons import Reason

_ASK_AGAIN: Final = frozenset({Reason.UNKNOWN_REGISTER, Reason.UNKNOWN_KEY, Reason.CONSENT_FORGED})
"""Refusals that may only mean that a register or a key is newer than what is remembered."""

Examined = Offer | Rejected | Later | Exception


class Offers:
    """Examines what came in.

    Args:
        senders: Who may send.
        token: 16 random bytes at each call.
    """

    def __init__(self, senders: KnownSenders, token: Callable[[], bytes]) -> None:
        self._senders = senders
        self._token = token
        self._rates = Rates()
        self._consents = ConsentCache()

    async def examine(self, tenant: str, works: Sequence[Work], now_ms: int) -> Sequence[Examined]:
        """What each of one tenant's messages is; raises DatabaseAway."""
        names = [work.topic.identity.register for work in works]
        senders = await self._senders.of(tenant, names, now_ms)
        examined = [self._one(work, senders, now_ms, count=True) for work in works]
        unsure = [
            index
            for index, result in enumerate(examined)
            if isinstance(result, Rejected) and result.reason in _ASK_AGAIN
        ]
        if unsure:
            senders = await self._senders.of(tenant, [names[index] for index in unsure], now_ms, afresh=True)
            for index in unsure:
                examined[index] = self._one(works[index], senders, now_ms, count=False)
        return examined

    def _one(self, work: Work, senders: Senders, now_ms: int, *, count: bool) -> Examined:
        try:
            if count and senders.tenant is not None:
                per_minute = senders.tenant.messages_per_minute
                wait_ms = self._rates.wait_ms(senders.tenant.tenant, per_minute, now_ms)
                if wait_ms:
                    return Later(wait_ms, "rate")
            return verify(
                work.delivery,
                work.topic,
                senders.tenant,
                senders.registers,
                self._consents,
                received_at_ms=work.received_at_ms,
                token=self._token(),
            )
        except Exception as error:  # noqa: BLE001 - a message that breaks a parser is poison, not our end
            return error


def unique_rounds(offers: Sequence[tuple[Work, Offer]]) -> list[list[tuple[Work, Offer]]]:
    """Offers in rounds, in order: no round has two of one message id, or two of one consent."""
    rounds: list[list[tuple[Work, Offer]]] = []
    taken: list[set[bytes]] = []
    for work, offer in offers:
        keys = {b"message" + offer.message.header.message_id}
        if offer.consent is not None:
            keys.add(b"consent" + offer.consent.consent_id)
        if isinstance(offer.message.payload, WithdrawalUp):
            keys.add(b"consent" + offer.message.payload.consent)
        # After the last round that has one of them: order within a key is kept.
        last = max((index for index, seen in enumerate(taken) if seen & keys), default=-1)
        if last + 1 == len(rounds):
            rounds.append([])
            taken.append(set())
        rounds[last + 1].append((work, offer))
        taken[last + 1] |= keys
    return rounds
