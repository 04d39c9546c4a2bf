"""One example of every message, with keys that everybody may know: for vectors, properties and unit tests."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire_protocol import consent, envelope, fleet_messages, handover, handover_messages, messages
from wire_protocol.envelope import Header, KeyLookup, KeyRecord
from wire_protocol.keys import Algorithm, SigningKey
from wire_protocol.messages import Payload
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Identity, Kind, Topic, Up

TENANT: Final = "gelateria-nord"
REGISTER: Final = "till-07"
IDENTITY: Final = Identity(TENANT, REGISTER)
NOW_MS: Final = 1_790_000_000_000
INTERACTION: Final = bytes.fromhex("01a0c4506c007abc8def0123456789ab")  # a UUID version 7 of that time


def label_bytes(label: str, length: int = 32) -> bytes:
    """Bytes that are the same on every run and look like no others."""
    return hashlib.sha256(f"topscoop test vector: {label}".encode()).digest()[:length]


def ed25519_key(label: str) -> SigningKey:
    """A key that anybody can make again; protects nothing."""
    return SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(label_bytes(label)))


def p256_key(label: str) -> SigningKey:
    """As `ed25519_key`, for ECDSA."""
    return SigningKey(ec.derive_private_key(int.from_bytes(label_bytes(label)), ec.SECP256R1()))


REGISTER_KEY: Final = ed25519_key("register")
REGISTER_P256_KEY: Final = p256_key("register with a security chip")
RECEIPTS_KEY: Final = ed25519_key("receipts")
CONSENT_KEY: Final = ed25519_key("consent")
FLEET_KEY: Final = ed25519_key("fleet")
FILES_KEY: Final = ed25519_key("files")
PICTURE_PRIVATE: Final = label_bytes("picture")
PICTURE_PUBLIC: Final = X25519PrivateKey.from_private_bytes(PICTURE_PRIVATE).public_key().public_bytes_raw()


def lookup(*keys: SigningKey) -> KeyLookup:
    """The public halves, without end."""
    return {key.kid: KeyRecord(key.verification_key) for key in keys}.get


BLANK: Final = consent.Blank(
    blank=label_bytes("blank", 16),
    tenant=TENANT,
    register=REGISTER,
    public_key=PICTURE_PUBLIC,
    issued_at=NOW_MS - 86_400_000,
    usable_until=NOW_MS + 90 * 86_400_000,
)
BLANK_BYTES: Final = consent.make_blank(BLANK, CONSENT_KEY)
NOTICE_TEXT: Final = b"We would like to keep this picture.\n"
WITHDRAWAL_CODE: Final = "7K3M-Q9TX-2VBD-H6RA"
CONSENT: Final = consent.Consent(
    blank=BLANK_BYTES,
    interaction=INTERACTION,
    purposes=(consent.Purpose.TRAINING, consent.Purpose.EVALUATION),
    notice=hashlib.sha256(NOTICE_TEXT).digest(),
    language="en",
    method=consent.Method.TOUCH,
    granted_at=NOW_MS + 2_000,
    expires_at=NOW_MS + 2_000 + 365 * 86_400_000,
    withdrawal=hashlib.sha256(WITHDRAWAL_CODE.encode()).digest(),
)
RECEIPT_BYTES: Final = consent.make_receipt(CONSENT, REGISTER_KEY)

HANDOVER: Final = handover.Handover(
    register=REGISTER,
    interaction=INTERACTION,
    handover=label_bytes("handover", 16),
    issued_at_s=NOW_MS // 1000 + 1,
    valid_s=90,
)
HANDOVER_CODE: Final = handover.make_code(HANDOVER, TENANT, REGISTER_KEY)

# A grey baseline JPEG of 16 x 16 pixels.
PICTURE: Final = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb0043000d090a0b0a080d0b0a0b0e0e0d0f13201513121213271c1e17"
    "202e2931302e292d2c333a4a3e333646372c2d405741464c4e525352323e5a615a50604a51524fffc0000b08001000100101"
    "1100ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b51000020103030204030505"
    "04040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a"
    "25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a8384858687"
    "88898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2"
    "e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda0008010100003f00e4f4fb0e9c574fa7d874e28d3ec3a715d3e9f61d38af"
    "ffd9"
)

_FLAVOURS: Final = ("pistachio", "stracciatella", "lemon")

FILE_PIECE: Final = b"the first piece of a network"
RELEASE_DIGEST: Final = label_bytes("network of release 7").hex()
_FILE: Final = f"targets/releases/7/{RELEASE_DIGEST}.model.onnx"

PAYLOADS: Final[Mapping[Kind, Payload]] = {
    Up.FRAME: messages.FrameUp(
        interaction=INTERACTION,
        consent=BLANK.blank,
        captured_at=NOW_MS - 400,
        width=16,
        height=16,
        picture_bytes=len(PICTURE),
    ),
    Up.CONSENT: messages.ConsentUp(consent=BLANK.blank, interaction=INTERACTION),
    Up.WITHDRAWAL: messages.WithdrawalUp(consent=BLANK.blank, withdrawn_at=NOW_MS + 60_000),
    Up.INTERACTION: messages.InteractionUp(
        interaction=INTERACTION,
        store="harbour",
        shown_at=NOW_MS,
        slate=tuple(
            messages.Offered(flavour, probability)
            for flavour, probability in zip(_FLAVOURS, (0.5, 0.1, 1), strict=True)
        ),
        arm=messages.InteractionArm.MODEL,
        source=messages.InteractionSource.MODEL,
        propensity=0.85,
        menu_version=12,
        in_stock=(*_FLAVOURS, "hazelnut"),
        context=(
            messages.ContextEntry("hour", number=15.0),
            messages.ContextEntry("weather", text="sunny"),
            messages.ContextEntry("temperature"),
        ),
        total_ms=1.75,
        displayed_at=NOW_MS + 40,
        model_digest=label_bytes("model").hex(),
        model_version="2026.9.1",
        nobody=0.0078125,
        scores=(2.25, -0.5, 0.0, 1e-3),
        frame_age_ms=21.5,
        inference_ms=0.25,
    ),
    Up.OUTCOME: messages.OutcomeUp(
        outcome=label_bytes("outcome", 16),
        store="harbour",
        sold_at=NOW_MS + 30_000,
        receipt_hmac=label_bytes("receipt number 4711"),
        lines=(messages.Sold("pistachio", 2), messages.Sold("lemon", 1)),
        interaction=INTERACTION,
        since_shown_ms=30_000,
    ),
    Up.REPORT: messages.ReportUp(
        agent_version="0.2.0",
        at=NOW_MS,
        uptime_s=3600,
        blanks_left=12,
        blanks_wanted=100,
        spooled_messages=3,
        spooled_bytes=41_000,
        counters=(messages.Counter("captured", 120), messages.Counter("stored", 117)),
    ),
    Up.STATUS: messages.StatusUp(online=True, since=NOW_MS, agent_version="0.2.0"),
    Up.FILE_REQUEST: fleet_messages.FileRequestUp(path=_FILE, offset=0, length=100_000),
    Up.NOTICE: handover_messages.NoticeUp(
        language="en",
        text=NOTICE_TEXT,
        purposes=(consent.Purpose.TRAINING, consent.Purpose.EVALUATION),
        valid_days=365,
    ),
    Down.RECEIPT: messages.ReceiptDown(
        message=label_bytes("id of up/frame", 16),
        sha256=label_bytes("replaced by the frame's"),
        verdict=messages.Verdict.STORED,
        received_at=NOW_MS + 5_000,
        version="3HL4kqtJlcpXroDTDmjVBH40Nrjfkd",
    ),
    Down.BLANKS: messages.BlanksDown(blanks=(BLANK_BYTES,)),
    Down.ERASE: messages.EraseDown(consents=(BLANK.blank,)),
    Down.DESIRED: fleet_messages.DesiredDown(
        generation=3,
        settings=fleet_messages.Settings(shadow=8, trial_ms=60_000, trial_recommendations=30),
        release=7,
        digest=RELEASE_DIGEST,
        rollout=label_bytes("rollout", 16),
    ),
    Down.FILE_BLOCK: fleet_messages.FileBlockDown(
        request=label_bytes("id of up/file-request", 16),
        status=fleet_messages.FileStatus.OK,
        total=len(FILE_PIECE),
    ),
    Down.HANDOVER: handover_messages.HandoverDown(
        handover=HANDOVER.handover,
        interaction=INTERACTION,
        purposes=(consent.Purpose.TRAINING,),
        notice=CONSENT.notice,
        language="en",
        granted_at=NOW_MS + 20_000,
        expires_at=HANDOVER.expires_at_ms,
    ),
}

FULL_REPORT: Final = replace(
    cast("messages.ReportUp", PAYLOADS[Up.REPORT]),
    model_digest=RELEASE_DIGEST,
    model_version="2026.11.2",
    generation=3,
    release=7,
    certificate_until=NOW_MS + 60 * 86_400_000,
    camera="ok",
    update=fleet_messages.UpdateProgress(
        transaction=label_bytes("transaction", 16),
        release=8,
        state=fleet_messages.UpdateState.REFUSED,
        at=NOW_MS - 1_000,
        fetched_bytes=1_000_000,
        total_bytes=1_000_000,
        reason=fleet_messages.UpdateReason.TOO_SLOW,
        words="p99 14.2 ms, the budget is 10.0",
    ),
    metadata=fleet_messages.MetadataSeen(
        root=1, timestamp=41, snapshot=9, targets=8, expires_at=NOW_MS + 7 * 86_400_000, floor=5
    ),
    health=fleet_messages.ModelHealth(
        since=NOW_MS - 3_600_000,
        recommendations=120,
        errors=1,
        crashes=0,
        nobody=4,
        p50_ms=0.75,
        p99_ms=3.125,
        confidence=(0, 0, 10, 30, 40, 20, 10, 5, 4, 1),
        labels=(60, 40, 20),
    ),
    shadow=fleet_messages.ShadowHealth(
        release=8,
        digest=label_bytes("network of release 8").hex(),
        compared=100,
        same_first=91,
        same_three=80,
        errors=0,
        p99_ms=2.5,
    ),
)
"""A report with everything that may stand in one."""

REFUSED_RECEIPT: Final = messages.ReceiptDown(
    message=label_bytes("id of up/frame", 16),
    sha256=label_bytes("bytes that were refused"),
    verdict=messages.Verdict.REFUSED,
    received_at=NOW_MS + 5_000,
    reason=Reason.CONSENT_WITHDRAWN,
)

NO_MODEL_INTERACTION: Final = messages.InteractionUp(
    interaction=INTERACTION,
    store="harbour",
    shown_at=NOW_MS,
    slate=tuple(messages.Offered(flavour) for flavour in _FLAVOURS),
    arm=messages.InteractionArm.MODEL,
    source=messages.InteractionSource.BESTSELLERS,
    propensity=1,
    menu_version=0,
    in_stock=(),
    context=(),
    total_ms=0.5,
    reason="no-model",
)
"""What a register without a model and without a menu says: whatever the arm, it would show best-sellers."""

KINDS: Final[tuple[Kind, ...]] = (*Up, *Down)


@dataclass(frozen=True, slots=True)
class Example:
    """A message and what it was made of."""

    header: Header
    payload: Payload
    attachments: tuple[bytes, ...]
    key: SigningKey
    message: bytes

    @property
    def keys(self) -> KeyLookup:
        """What verifies it."""
        return lookup(self.key)


def header(kind: Kind) -> Header:
    """The header of a kind's example."""
    sequence = KINDS.index(kind) + 41 if isinstance(kind, Up) else 0
    return Header(
        Topic(IDENTITY, kind), _message_id(kind), sequence, NOW_MS + _SENT_AFTER_MS.get(kind, 3_000)
    )


_SENT_AFTER_MS: Final[Mapping[Kind, int]] = {
    Up.WITHDRAWAL: 60_000,
    Up.OUTCOME: 30_000,
    Down.RECEIPT: 5_000,
}
_SIGNERS: Final[Mapping[Kind, SigningKey]] = {
    Down.RECEIPT: RECEIPTS_KEY,
    Down.BLANKS: CONSENT_KEY,
    Down.ERASE: CONSENT_KEY,
    Down.DESIRED: FLEET_KEY,
    Down.FILE_BLOCK: FILES_KEY,
    Down.HANDOVER: CONSENT_KEY,
}


def _message_id(kind: Kind) -> bytes:
    if kind is Up.INTERACTION:  # named by their record, so that it cannot become a second message
        return INTERACTION
    if kind is Up.OUTCOME:
        return label_bytes("outcome", 16)
    # A receipt answers the frame under the frame's own id.
    named = Up.FRAME if kind is Down.RECEIPT else kind
    return label_bytes(f"id of {'up' if isinstance(named, Up) else 'down'}/{named}", 16)


def signer(kind: Kind) -> SigningKey:
    """Who signs a kind."""
    return REGISTER_KEY if isinstance(kind, Up) else _SIGNERS[kind]


def attachments(kind: Kind, sealed: bytes) -> tuple[bytes, ...]:
    """What a kind's example carries."""
    carried: Mapping[Kind, tuple[bytes, ...]] = {
        Up.FRAME: (RECEIPT_BYTES, sealed),
        Up.CONSENT: (RECEIPT_BYTES,),
        Down.FILE_BLOCK: (FILE_PIECE,),
    }
    return carried.get(kind, ())


def example(kind: Kind, *, sealed: bytes = b"sealed picture", key: SigningKey | None = None) -> Example:
    """One message of a kind; `sealed` stands for the picture where a test opens none."""
    key = key or signer(kind)
    return sign(header(kind), PAYLOADS[kind], attachments(kind, sealed), key)


def sign(head: Header, payload: Payload, attached: tuple[bytes, ...], key: SigningKey) -> Example:
    """A message of these parts."""
    return Example(head, payload, attached, key, envelope.make(head, payload, attached, key))


def on_topic(kind: Kind, *, tenant: str = TENANT, register: str = REGISTER) -> Topic:
    """Where an example goes, or where it must not."""
    return replace(Topic(IDENTITY, kind), identity=Identity(tenant, register))


assert REGISTER_P256_KEY.algorithm is Algorithm.ES256
