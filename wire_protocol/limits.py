"""Bounds of everything that crosses the wire; a decoder checks them before it looks any further."""

from typing import Final

MESSAGE_MAX_BYTES: Final = 128 * 1024
"""One MQTT payload; what AWS IoT Core takes at most."""
PICTURE_MAX_BYTES: Final = 96 * 1024
"""One baseline JPEG before it is sealed."""
PAYLOAD_MAX_BYTES: Final = 24 * 1024
"""The signed CBOR map of any kind but blanks; an interaction over 64 flavours takes 3 KiB."""
BLANKS_PAYLOAD_MAX_BYTES: Final = 96 * 1024
HEADER_MAX_BYTES: Final = 1024
CONSENT_RECEIPT_MAX_BYTES: Final = 4096
CONSENT_BLANK_MAX_BYTES: Final = 1024
BLANKS_PER_MESSAGE_MAX: Final = 200
NOTICE_MAX_BYTES: Final = 16_000
"""4,000 characters of UTF-8: a notice that nobody reads is none."""
HANDOVER_MAX_S: Final = 600
"""The longest that a picture may wait in a register's memory for a yes."""
ATTACHMENTS_MAX: Final = 2
FILE_BLOCK_MAX_BYTES: Final = 100_000
"""One piece of a file that goes to a register; with its envelope it fits into a message."""
FILE_MAX_BYTES: Final = 64 * 1024 * 1024
"""One file of a release repository; models have about one megabyte."""
FILE_PATH_MAX: Final = 200
DEPTH_MAX: Final = 8
"""Nesting of CBOR containers; ours go five deep."""
ITEMS_MAX: Final = 1024
"""CBOR items of one encoded value; ours have about 400. At a byte each, 128 KiB cost half a second."""
TIME_MAX_MS: Final = (1 << 48) - 1
"""What a UUID version 7 can hold: the year 10889."""
COUNT_MAX: Final = (1 << 53) - 1
"""What every language's number type holds exactly."""
GENERATION_FREE: Final = 1 << 52
"""Up to here a desired state may have any generation above the last; beyond, `GENERATION_STEP` at a time.

A thief of the `fleet` key may not use up the numbers in one message: that would lock the cloud out for ever.
"""
GENERATION_STEP: Final = 1_000_000

FRAME_MAX_AGE_MS: Final = 30 * 24 * 3600 * 1000
"""The age at which a register drops a spooled frame by itself, and the collector refuses one."""
CONSENT_MAX_MS: Final = 3 * 366 * 24 * 3600 * 1000
"""No consent is longer than three years (Illinois BIPA, section 15(a))."""
