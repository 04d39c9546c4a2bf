import pytest

from simulator.demo.backend.arrivals import arrival_of
from wire_protocol.topics import Up

_STORED = {
    "event": "message.stored", "topic": "topscoop/v1/polar-scoop/elm-park-1/up/frame",
    "message_id": "ab" * 16,
    "reason": "", "detail": "", "bytes": 31_000, "took_ms": 12, "level": "debug",
}  # fmt: skip


def test_a_stored_frame_is_told_with_size_and_sender() -> None:
    found = arrival_of(_STORED)
    assert found is not None
    assert (found.register, found.kind, found.fate) == ("polar-scoop/elm-park-1", Up.FRAME, "stored")
    assert (found.size_bytes, found.took_ms) == (31_000, 12)


def test_a_refused_one_has_its_reason() -> None:
    found = arrival_of({**_STORED, "event": "message.refused", "reason": "bad-signature"})
    assert found is not None
    assert (found.fate, found.reason) == ("refused", "bad-signature")


@pytest.mark.parametrize(
    "record",
    [
        {"event": "broker.connected"},
        {},
        {**_STORED, "topic": "another/topic"},
        {**_STORED, "topic": "topscoop/v1/polar-scoop/elm-park-1/down/receipt"},
    ],
)
def test_other_lines_are_no_arrivals(record: dict[str, object]) -> None:
    assert arrival_of(record) is None
