import random
import socket
import threading

import pytest

from benchmarks.slow_link import HEADER_BYTES, SEGMENT_BYTES, Line, Pacer, SlowLink, segments

_QUICK = Line(bits_per_s=1e9, delay_s=0.0, loss=0.0)


def test_the_line_is_as_fast_as_it_says() -> None:
    """A second's worth of segments leaves in a second, headers included, and arrives a delay later."""
    line = Line(bits_per_s=8e6, delay_s=0.1, loss=0.0)
    pacer = Pacer(line, random.Random(1))
    size = 1000 - HEADER_BYTES
    times = [pacer.arrives_s(size, 0.0, more=True) for _ in range(1000)]
    assert times[-1] == (pytest.approx(1.0), pytest.approx(1.1))
    assert pacer.line_bytes == 1_000_000


def test_a_loss_holds_up_what_follows() -> None:
    """And takes its place on the line once more, as with TCP; order is kept."""
    pacer = Pacer(Line(bits_per_s=8e6, delay_s=0.05, loss=0.3), random.Random(2))
    arrivals = [pacer.arrives_s(948, 0.0, more=True)[1] for _ in range(200)]
    assert arrivals == sorted(arrivals)
    assert pacer.lost > 20
    assert pacer.line_bytes == (200 + pacer.lost) * 1000


def test_segments_are_all_of_the_data() -> None:
    """In order, none too long, and only the last without another behind it."""
    data = bytes(range(256)) * 20
    found = list(segments(data))
    assert b"".join(piece for piece, _ in found) == data
    assert max(len(piece) for piece, _ in found) == SEGMENT_BYTES
    assert [more for _, more in found] == [True] * (len(found) - 1) + [False]


def _receive(near: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count and (piece := near.recv(count)):
        found += piece
    return found


def test_bytes_come_through_until_the_cut() -> None:
    """All of them, unchanged; at the cut both ends learn it."""
    sent = random.Random(3).randbytes(50_000)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for number in range(2):
                end, _ = listening.accept()
                with end:
                    end.sendall(sent)
                    if number:
                        with pytest.raises(ConnectionError):
                            end.recv(1) or pytest.fail("no reset came")

        far = threading.Thread(target=serve, daemon=True)
        far.start()
        with SlowLink(listening.getsockname()[1], _QUICK) as link:
            with socket.create_connection(("127.0.0.1", link.port), 20) as near:
                assert _receive(near, len(sent)) == sent
            link.cut_after(20_000, away_s=0.0)
            with (
                socket.create_connection(("127.0.0.1", link.port), 20) as near,
                pytest.raises(ConnectionError),
            ):
                _receive(near, len(sent))
            far.join(20)
            assert link.cuts == 1
            assert 20_000 <= link.delivered["down"] - len(sent) < len(sent)
        assert not far.is_alive()
