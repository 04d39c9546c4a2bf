"""The marker walk over a JPEG (ITU-T T.81, annex B): structure, size and effort, without decoding. Pure."""

import re
from dataclasses import dataclass

import numpy as np

from inference.picture.limits import Limits, PictureHeader, check_size, refusal

_EOI, _SOS = 0xD9, 0xDA
_BASELINE = {0xC0, 0xC1}
_PROGRESSIVE = 0xC2
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_MISPLACED = {0x00, 0x01, *range(0xD0, 0xD9), 0xDC, 0xDE, 0xDF}
"""Restarts and stuffing outside of a scan, a second start, sizes told afterwards, hierarchical pictures."""
_MAX_SEGMENTS = 1024
"""Long profiles take some hundred; a file of a million empty comments is there to keep us busy."""
_STRIDE_BYTES = 1 << 16
_FILL = re.compile(rb"\xff+")


def check_jpeg(data: bytes, limits: Limits) -> PictureHeader:
    """Walk all markers from SOI to EOI.

    Raises:
        RefusedPicture: Anything outside of `limits`, cut off, out of order or too short for its size.
    """
    picture = _Picture(limits)
    at = 2
    for _ in range(_MAX_SEGMENTS):
        marker, at = _marker(data, at)
        if marker == _EOI:
            break
        body, at = _segment(data, at)
        if marker in _FRAMES:
            picture.take_frame(marker, body)
        elif marker == _SOS:
            end = _scan_end(data, at)
            picture.take_scan(end - at)
            at = end
    else:
        raise refusal("malformed", f"the JPEG has more than {_MAX_SEGMENTS} segments")
    frame = picture.complete()
    if at < len(data) and not limits.trailing:
        raise refusal("trailing-data", f"{len(data) - at} bytes follow the end of the JPEG")
    return PictureHeader("jpeg", frame.width, frame.height, data[:at])


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame header; `blocks` are the 8x8 blocks of all channels."""

    width: int
    height: int
    progressive: bool
    components: int
    blocks: int


class _Picture:
    """What the walk has seen so far: one frame header, then scans."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._frame: _Frame | None = None
        self._scans = 0
        self._entropy_bytes = 0

    def take_frame(self, marker: int, body: bytes) -> None:
        """The frame header, which may come once."""
        if self._frame is not None:
            raise refusal("malformed", "the JPEG has two frame headers")
        self._frame = _frame(marker, body, self._limits)

    def take_scan(self, entropy_bytes: int) -> None:
        """One scan; a progressive picture costs its whole size again for each."""
        frame, limits = self._frame, self._limits
        if frame is None:
            raise refusal("malformed", "the JPEG has a scan before its frame header")
        self._scans += 1
        self._entropy_bytes += entropy_bytes
        # A baseline picture has each channel in one scan, so more scans than channels are no picture.
        most = limits.max_scans if frame.progressive else min(limits.max_scans, frame.components)
        if self._scans > most:
            raise refusal("too-many-scans", f"the JPEG has more than {most} scans")
        if frame.progressive and self._scans * frame.width * frame.height > limits.max_scan_pixels:
            message = f"the JPEG has {self._scans} scans or more of {frame.width}x{frame.height} pixels"
            raise refusal("too-many-scans", message)

    def complete(self) -> _Frame:
        """The frame header, once everything that belongs to a picture was there."""
        frame = self._frame
        if frame is None or not self._scans:
            raise refusal("malformed", "the JPEG has no picture in it")
        # Each block takes at least one bit, so fewer bits cannot be the whole picture: a small file that
        # asks for a large buffer.
        if self._entropy_bytes * 8 < frame.blocks:
            message = f"the JPEG has {self._entropy_bytes} bytes for {frame.width}x{frame.height} pixels"
            raise refusal("truncated", message)
        return frame


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at `at` and where its segment begins; any number of FF may stand before it."""
    fill = _FILL.match(data, at)
    if fill is None:
        if at >= len(data):
            raise refusal("truncated", "the JPEG ends before its end marker")
        raise refusal("malformed", f"the JPEG has no marker at byte {at}, where one belongs")
    if fill.end() >= len(data):
        raise refusal("truncated", "the JPEG ends before its end marker")
    marker = data[fill.end()]
    if marker in _MISPLACED:
        raise refusal("malformed", f"the JPEG has marker FF{marker:02X} at byte {at}, where none belongs")
    return marker, fill.end() + 1


def _segment(data: bytes, at: int) -> tuple[bytes, int]:
    """The body of the segment whose length field is at `at`, and where it ends."""
    length = int.from_bytes(data[at : at + 2])
    if at + 2 > len(data) or at + length > len(data):
        raise refusal("truncated", "the JPEG ends inside a segment")
    if length < 2:
        raise refusal("malformed", f"the JPEG has a segment of impossible length at byte {at}")
    return data[at + 2 : at + length], at + length


def _scan_end(data: bytes, at: int) -> int:
    """Where the entropy-coded data from `at` on ends."""
    # By array, because a regular expression takes half a second for 60 MB of nothing but stuffed bytes.
    whole = np.frombuffer(data, np.uint8)
    for start in range(at, len(data) - 1, _STRIDE_BYTES):
        first, second = whole[start : start + _STRIDE_BYTES], whole[start + 1 : start + 1 + _STRIDE_BYTES]
        marks = (first[: len(second)] == 0xFF) & (second != 0)
        if marks.any():
            # FF 00 was a stuffed byte; FF D0 to FF D7 restart the decoder within the scan.
            marks &= (second & 0xF8) != 0xD0
            if marks.any():
                return start + int(marks.argmax())
    raise refusal("truncated", "the JPEG ends inside a scan")


def _frame(marker: int, body: bytes, limits: Limits) -> _Frame:
    if marker not in _BASELINE and not (marker == _PROGRESSIVE and limits.progressive):
        kind = "progressive" if marker == _PROGRESSIVE else f"of kind SOF{marker - 0xC0}"
        raise refusal("unsupported", f"the JPEG is {kind}, which is not taken here")
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise refusal("malformed", "the JPEG has a broken frame header")
    precision, components = body[0], body[5]
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    if precision != 8 or components not in {1, 3}:
        raise refusal("unsupported", f"the JPEG has {components} channels of {precision} bits")
    check_size(limits, width, height)
    sampling = [(body[7 + 3 * index] >> 4, body[7 + 3 * index] & 15) for index in range(components)]
    if any(not (1 <= across <= 4 and 1 <= down <= 4) for across, down in sampling):
        raise refusal("malformed", "the JPEG has an impossible chroma sampling")
    across_most, down_most = (max(factors) for factors in zip(*sampling, strict=True))
    blocks = sum(
        -(-width * across // (8 * across_most)) * -(-height * down // (8 * down_most))
        for across, down in sampling
    )
    return _Frame(width, height, marker == _PROGRESSIVE, components, blocks)
