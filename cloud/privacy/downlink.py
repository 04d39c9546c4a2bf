"""What the keeper sends down, signed with the tenant's key for consent: blanks, yeses, the order to erase."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

from cloud.privacy.ports import IssuedKey
from wire_protocol.consent import Blank, make_blank
from wire_protocol.envelope import MESSAGE_ID_BYTES, Header, make
from wire_protocol.handover_messages import HandoverDown
from wire_protocol.keys import SigningKey
from wire_protocol.messages import BlanksDown, EraseDown, Payload
from wire_protocol.topics import Down, Identity, Topic

ERASE_PER_MESSAGE: Final = 200


class Publisher(Protocol):
    """The way down."""

    def publish(self, topic: Topic, message: bytes) -> None:
        """Send once, or lose it where the broker is away. Never blocks, never raises."""


SignerOf = Callable[[str], SigningKey]
"""The key for consent of a tenant; raises `cloud.errors.ServiceKeyMissing`."""


class Downlink:
    """Signs and sends; what is lost on the way is sent again at the register's next report.

    Args:
        link: The broker.
        signer_of: By tenant.
        clock: Milliseconds since 1970.
    """

    def __init__(self, link: Publisher, signer_of: SignerOf, clock: Callable[[], int]) -> None:
        self._link = link
        self._signer_of = signer_of
        self._clock = clock

    def send_blanks(self, to: Identity, blanks: Sequence[bytes]) -> None:
        """One message with signed blanks. Raises ServiceKeyMissing."""
        self._send(to, Down.BLANKS, BlanksDown(tuple(blanks)))

    def send_erase(self, to: Identity, consents: Iterable[bytes]) -> None:
        """As many messages as it takes. Raises ServiceKeyMissing."""
        for some in _pieces(consents, ERASE_PER_MESSAGE):
            self._send(to, Down.ERASE, EraseDown(some))

    def send_handover(self, to: Identity, given: HandoverDown) -> None:
        """A yes from a phone. Raises ServiceKeyMissing."""
        self._send(to, Down.HANDOVER, given)

    def sign_blanks(
        self, to: Identity, keys: Sequence[IssuedKey], issued_at_ms: int, usable_until_ms: int
    ) -> list[bytes]:
        """Blanks over keys that are durable already. Raises ServiceKeyMissing."""
        signer = self._signer_of(to.tenant)
        return [
            make_blank(
                Blank(key.blank, to.tenant, to.register, key.public_key, issued_at_ms, usable_until_ms),
                signer,
            )
            for key in keys
        ]

    def _send(self, to: Identity, kind: Down, payload: Payload) -> None:
        topic = Topic(to, kind)
        header = Header(topic, secrets.token_bytes(MESSAGE_ID_BYTES), 0, self._clock())
        self._link.publish(topic, make(header, payload, (), self._signer_of(to.tenant)))


def _pieces(items: Iterable[bytes], size: int) -> Iterator[tuple[bytes, ...]]:
    rest = iter(items)
    while some := tuple(islice(rest, size)):
        yield some
