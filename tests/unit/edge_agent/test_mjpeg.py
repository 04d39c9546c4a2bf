import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.mjpeg import MAX_HEADER_BYTES, MAX_PICTURE_BYTES, MjpegError, MjpegParser, boundary_of

PICTURES = [b"\xff\xd8" + bytes([n]) * (100 + n) + b"\xff\xd9" for n in range(5)]


def stream(pictures: list[bytes], *, length: bool, end: str = "\r\n") -> bytes:
    """What a camera sends."""
    parts = []
    for picture in pictures:
        size = f"Content-Length: {len(picture)}{end}" if length else ""
        head = f"--frame{end}Content-Type: image/jpeg{end}{size}{end}"
        parts.append(head.encode() + picture + end.encode())
    return b"".join(parts)


@given(
    length=st.booleans(),
    cuts=st.lists(st.integers(1, 200), max_size=30),
    end=st.sampled_from(["\r\n", "\n"]),
)
def test_pictures_come_out_whole_however_the_bytes_arrive(*, length: bool, cuts: list[int], end: str) -> None:
    """With and without Content-Length, in pieces of any size."""
    data = stream(PICTURES, length=length, end=end) + b"--frame"
    parser, found, at = MjpegParser(b"frame"), [], 0
    for cut in [*cuts, len(data)]:
        found += parser.feed(data[at : at + cut])
        at += cut
    assert found == PICTURES


def test_a_boundary_inside_a_picture_of_known_length_ends_nothing() -> None:
    picture = b"\xff\xd8--frame\r\n\r\n\xff\xd9"
    assert MjpegParser(b"frame").feed(stream([picture], length=True)) == [picture]


def test_junk_before_the_first_boundary_is_skipped() -> None:
    assert MjpegParser(b"frame").feed(b"junk\r\n" + stream(PICTURES[:1], length=True)) == PICTURES[:1]


def test_a_stream_without_parts_is_given_up() -> None:
    with pytest.raises(MjpegError, match="no part"):
        MjpegParser(b"frame").feed(b"x" * (MAX_HEADER_BYTES + 1))


def test_a_picture_that_never_ends_is_not_buffered() -> None:
    parser = MjpegParser(b"frame")
    parser.feed(b"--frame\r\n\r\n")
    with pytest.raises(MjpegError, match="longer than"):
        parser.feed(b"x" * (MAX_PICTURE_BYTES + 1))


def test_an_announced_length_beyond_the_limit_is_refused_before_it_arrives() -> None:
    with pytest.raises(MjpegError, match="announced"):
        MjpegParser(b"frame").feed(b"--frame\r\nContent-Length: 999999999\r\n\r\n")


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=frame", b"frame"),
        ('multipart/x-mixed-replace;boundary="--myboundary"', b"myboundary"),
        ("Multipart/X-Mixed-Replace; charset=x; Boundary=--b", b"b"),
    ],
)
def test_the_boundary_is_read_however_cameras_write_it(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type", ["", "text/html", "multipart/x-mixed-replace", "multipart/x-mixed-replace; boundary=--"]
)
def test_an_answer_without_parts_is_no_mjpeg(content_type: str) -> None:
    with pytest.raises(MjpegError, match="multipart"):
        boundary_of(content_type)
