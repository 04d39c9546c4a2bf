"""Everything that a register signs, from values to the bytes that the spool keeps."""

import hashlib
from dataclasses import dataclass

from edge_agent.uplink.spooled import Outgoing
from wire_protocol import consent, envelope
from wire_protocol.consent import FRAME_PURPOSE, VerifiedConsent
from wire_protocol.envelope import Header
from wire_protocol.fleet_messages import FileRequestUp
from wire_protocol.handover_messages import NoticeUp
from wire_protocol.keys import SigningKey
from wire_protocol.messages import (
    ConsentUp,
    FrameUp,
    InteractionUp,
    OutcomeUp,
    Payload,
    ReportUp,
    StatusUp,
    WithdrawalUp,
)
from wire_protocol.sealing import seal
from wire_protocol.topics import Identity, Topic, Up


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes a message this one: its id, its number, its time."""

    message_id: bytes
    sequence: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """An encoded picture and what is told about it.

    Args:
        jpeg: Baseline JPEG without metadata; any buffer, which the caller overwrites afterwards.
        width: Pixels.
        height: Pixels.
        captured_at_ms: By the register's clock.
    """

    jpeg: bytes | bytearray | memoryview
    width: int
    height: int
    captured_at_ms: int

    def __repr__(self) -> str:
        """Without the picture."""
        return f"JpegFrame({self.width}x{self.height})"


class Packager:
    """Signs in the name of one register.

    Args:
        identity: Whose name.
        key: Its signing key.
        store: Where it stands.
    """

    def __init__(self, identity: Identity, key: SigningKey, store: str) -> None:
        self.identity = identity
        self.key = key
        self.store = store

    def topic(self, kind: Up) -> Topic:
        """Where a message of this kind goes."""
        return Topic(self.identity, kind)

    def frame(self, stamp: Stamp, frame: JpegFrame, receipt: bytes, agreed: VerifiedConsent) -> Outgoing:
        """A sealed picture, and no other way to make one.

        Args:
            stamp: Id, number, time.
            frame: The picture.
            receipt: The bytes of the consent receipt.
            agreed: The same, verified.

        Raises:
            RefusedMessage: The consent is not this register's, not for pictures, or over (threat T5).
        """
        consent.check_consent(agreed, self.identity, agreed.consent.interaction)
        consent.check_covers(agreed, FRAME_PURPOSE, stamp.at_ms)
        header = self._header(Up.FRAME, stamp)
        payload = FrameUp(
            interaction=agreed.consent.interaction,
            consent=agreed.consent_id,
            captured_at=frame.captured_at_ms,
            width=frame.width,
            height=frame.height,
            picture_bytes=len(frame.jpeg),
        )
        info = envelope.seal_info(header, self.key.kid)
        sealed = seal(frame.jpeg, agreed.blank.public_key, info)  # type: ignore[arg-type] # any buffer will do
        message = envelope.make(header, payload, (receipt, sealed), self.key)
        return _outgoing(stamp, Up.FRAME, message, frame.captured_at_ms, agreed.consent_id)

    def consent(self, stamp: Stamp, receipt: bytes, consent_id: bytes, interaction: bytes) -> Outgoing:
        """A consent that was given."""
        return self._small(Up.CONSENT, stamp, ConsentUp(consent_id, interaction), (receipt,))

    def withdrawal(self, stamp: Stamp, consent_id: bytes) -> Outgoing:
        """A consent that was taken back."""
        return self._small(Up.WITHDRAWAL, stamp, WithdrawalUp(consent_id, stamp.at_ms))

    def interaction(self, sequence: int, at_ms: int, payload: InteractionUp) -> Outgoing:
        """A recommendation; its message id is its own id, so it can be harvested twice and counts once."""
        return self._small(Up.INTERACTION, Stamp(payload.interaction, sequence, at_ms), payload)

    def outcome(self, sequence: int, at_ms: int, payload: OutcomeUp) -> Outgoing:
        """A sale; its message id as with interactions."""
        return self._small(Up.OUTCOME, Stamp(payload.outcome, sequence, at_ms), payload)

    def report(self, stamp: Stamp, payload: ReportUp) -> bytes:
        """How the register is."""
        return envelope.make(self._header(Up.REPORT, stamp), payload, (), self.key)

    def status(self, stamp: Stamp, *, online: bool, since_ms: int, agent_version: str) -> bytes:
        """Whether the register is connected; offline is the last will."""
        payload = StatusUp(online=online, since=since_ms, agent_version=agent_version)
        return envelope.make(self._header(Up.STATUS, stamp), payload, (), self.key)

    def file_request(self, stamp: Stamp, payload: FileRequestUp) -> bytes:
        """A piece of a release's file, please."""
        return envelope.make(self._header(Up.FILE_REQUEST, stamp), payload, (), self.key)

    def notice(self, stamp: Stamp, payload: NoticeUp) -> bytes:
        """What customers are asked, for phones to show."""
        return envelope.make(self._header(Up.NOTICE, stamp), payload, (), self.key)

    def _small(self, kind: Up, stamp: Stamp, payload: Payload, attached: tuple[bytes, ...] = ()) -> Outgoing:
        message = envelope.make(self._header(kind, stamp), payload, attached, self.key)
        return _outgoing(stamp, kind, message, stamp.at_ms, None)

    def _header(self, kind: Up, stamp: Stamp) -> Header:
        return Header(self.topic(kind), stamp.message_id, stamp.sequence, stamp.at_ms)


def _outgoing(stamp: Stamp, kind: Up, message: bytes, at_ms: int, consent_id: bytes | None) -> Outgoing:
    sha256 = hashlib.sha256(message).digest()
    return Outgoing(stamp.message_id, kind, message, sha256, at_ms, consent_id)
