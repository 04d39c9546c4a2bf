"""Why a message is refused: one closed list for answers, counters, logs and documentation."""

from enum import StrEnum


class Reason(StrEnum):
    """One reason a message can be refused for; the text after it says what the sender should look at."""

    # Its form, before any key is looked up.
    TOO_LARGE = "too-large"  # more bytes than wire_protocol.limits allows
    MALFORMED = "malformed"  # not the one deterministic encoding of a message
    BAD_TOPIC = "bad-topic"  # the topic is none of ours, or of the other direction
    UNSUPPORTED_VERSION = "unsupported-version"  # a schema version that this side does not know
    IDENTITY_MISMATCH = "identity-mismatch"  # tenant, register or kind differ between topic and header
    # Its signature.
    UNKNOWN_REGISTER = "unknown-register"  # never enrolled here
    REVOKED = "revoked"  # received after the register was revoked
    UNKNOWN_KEY = "unknown-key"  # no key of this register has that id
    KEY_EXPIRED = "key-expired"  # signed, by its own time, outside the key's validity
    WRONG_ALGORITHM = "wrong-algorithm"  # not the algorithm that is fixed for the key
    BAD_SIGNATURE = "bad-signature"
    DIGEST_MISMATCH = "digest-mismatch"  # an attachment is not the one that was signed
    # Its content.
    BAD_PAYLOAD = "bad-payload"  # signed, but a field is missing, unknown or out of bounds
    TOO_OLD = "too-old"  # a frame older than limits.FRAME_MAX_AGE_MS
    CONFLICT = "conflict"  # this message id was received with other bytes
    # Its consent (frames and consents).
    CONSENT_FORGED = "consent-forged"  # a signature of blank or receipt fails
    CONSENT_FOREIGN = "consent-foreign"  # another tenant's, register's or interaction's
    CONSENT_EXPIRED = "consent-expired"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    CONSENT_PURPOSE = "consent-purpose"  # does not cover what the frame is sent for
    BLANK_REUSED = "blank-reused"  # the blank was filled before, for something else
    BLANK_STALE = "blank-stale"  # filled after it was usable
    # Nothing of the sender's doing.
    POISON = "poison"  # handling it failed three times; set aside for a person to look at
