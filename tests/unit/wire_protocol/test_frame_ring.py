"""The layout of the file through which one process shows its pictures to another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol import frame_ring
from wire_protocol.frame_ring import RingFormatError, RingLayout

_SIDES = st.integers(1, 64)


@given(_SIDES, _SIDES, st.integers(2, 8))
def test_a_header_describes_its_layout(width: int, height: int, slots: int) -> None:
    """What one side wrote the other reads."""
    layout = RingLayout(width, height, slots)
    assert len(layout.header()) == frame_ring.HEADER_BYTES
    assert RingLayout.parse(layout.header()) == layout


@given(_SIDES, _SIDES, st.integers(1, 100))
def test_slots_neither_overlap_nor_reach_beyond_the_file(width: int, height: int, sequence: int) -> None:
    """Two consecutive frames lie in different slots, each wholly inside the file."""
    layout = RingLayout(width, height)
    size = frame_ring.SLOT_HEADER_BYTES + layout.frame_bytes
    here, there = layout.slot_offset(sequence), layout.slot_offset(sequence + 1)
    assert abs(here - there) >= size
    assert frame_ring.HEADER_BYTES <= here <= layout.total_bytes - size


def test_newest_and_slot_headers_round_trip() -> None:
    """Sequence and time come back as they were written."""
    layout = RingLayout(4, 3)
    buffer = memoryview(bytearray(layout.total_bytes))
    buffer[: frame_ring.HEADER_BYTES] = layout.header()
    assert frame_ring.read_newest(buffer) == (0, 0)
    frame_ring.write_slot_header(buffer, layout.slot_offset(7), 7, 123)
    frame_ring.write_newest(buffer, 7, 123)
    assert frame_ring.read_newest(buffer) == (7, 123)
    assert frame_ring.read_slot_header(buffer, layout.slot_offset(7)) == (7, 123)
    assert RingLayout.parse(bytes(buffer[: frame_ring.HEADER_BYTES])) == layout


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"TSRING01",
        RingLayout(4, 3).header().replace(b"TSRING01", b"TSRING99"),
        RingLayout(0, 3).header(),
        RingLayout(5000, 3).header(),
        RingLayout(4, 3, slots=1).header(),
        RingLayout(4, 3, slots=65).header(),
    ],
)
def test_what_is_no_ring_is_refused(header: bytes) -> None:
    """Short, foreign or absurd headers never become a layout."""
    with pytest.raises(RingFormatError):
        RingLayout.parse(header)
