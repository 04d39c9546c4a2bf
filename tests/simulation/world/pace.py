"""What makes a thousand seeds quick: pure functions remember, idle loops look round less often."""

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import cbor2

from cloud.collector import collect_loop, receipts
from wire_protocol import cbor, consent, cose, envelope
from wire_protocol.topics import Topic

_REMEMBERED = 4096


@contextmanager
def quick() -> Iterator[None]:
    """Patch for as long as seeds are played.

    Remembered are only functions of bytes alone, whose results nobody changes: a message that is delivered
    five times is taken apart once. What our own encoder is given is not looked through first. The counters of
    refusals are written every 20 seconds instead of every one, and nothing is logged.
    """
    with (
        mock.patch.object(cose, "cose_parse", functools.lru_cache(_REMEMBERED)(cose.cose_parse)),
        mock.patch.object(envelope, "parse", functools.lru_cache(_REMEMBERED)(envelope.parse)),
        mock.patch.object(
            envelope, "decode_payload", functools.lru_cache(_REMEMBERED)(envelope.decode_payload)
        ),
        mock.patch.object(
            consent, "decode_payload", functools.lru_cache(_REMEMBERED)(consent.decode_payload)
        ),
        mock.patch.object(cbor, "encode", functools.partial(cbor2.dumps, canonical=True)),
        mock.patch.object(Topic, "parse", functools.lru_cache(_REMEMBERED)(Topic.parse)),
        mock.patch.object(cose, "_sig_structure", functools.lru_cache(_REMEMBERED)(cose._sig_structure)),
        mock.patch.object(receipts, "sign", functools.lru_cache(_REMEMBERED)(receipts.sign)),
        mock.patch.object(collect_loop, "_REFUSALS_EVERY_S", 20.0),
    ):
        disabled = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(disabled)
