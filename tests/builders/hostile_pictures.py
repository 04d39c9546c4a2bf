"""Pictures that are made to hurt a decoder (threat T11), and good ones to compare them with."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def photo(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A soft, colourful picture that compresses like a photo, uint8 [height, width, 3] BGR."""
    small = np.random.default_rng(11).integers(0, 256, (8, 10, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def jpeg(pixels: NDArray[np.uint8] | None = None, *, progressive: bool = False) -> bytes:
    """A JPEG of `pixels`, or of the photo above."""
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return _encoded(".jpg", photo() if pixels is None else pixels, options)


def png(pixels: NDArray[np.uint8] | None = None) -> bytes:
    """A PNG of `pixels`, or of the photo above."""
    return _encoded(".png", photo() if pixels is None else pixels, [])


def webp(pixels: NDArray[np.uint8] | None = None, *, lossless: bool = False) -> bytes:
    """A WebP of `pixels`, or of the photo above."""
    options = [] if lossless else [cv2.IMWRITE_WEBP_QUALITY, 80]
    return _encoded(".webp", photo() if pixels is None else pixels, options)


def jpeg_with_header_size(width: int, height: int, *, progressive: bool = False) -> bytes:
    """A small JPEG whose frame header claims another size."""
    data = bytearray(jpeg(progressive=progressive))
    at = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_with_scans(repeated: int, *, progressive: bool = True) -> bytes:
    """A JPEG whose last scan comes `repeated` times more: each costs a pass over the whole picture."""
    data = jpeg(progressive=progressive)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * (1 + repeated) + data[-2:]


def jpeg_with_empty_comments(count: int) -> bytes:
    """A JPEG with this many comment segments of no length."""
    data = jpeg()
    return data[:2] + b"\xff\xfe\x00\x02" * count + data[2:]


def jpeg_with_orientation(orientation: int, pixels: NDArray[np.uint8] | None = None) -> bytes:
    """A JPEG whose EXIF says how it must be turned, as a phone writes it."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    body = b"Exif\0\0" + tiff
    data = jpeg(pixels)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_zeros(width: int, height: int) -> bytes:
    """A black RGB PNG: a thousand times smaller than what it unpacks to."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packer, row = zlib.compressobj(9), bytes(1 + 3 * width)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return _png(png_chunk(b"IHDR", header), png_chunk(b"IDAT", packed))


def png_with_header_size(width: int, height: int) -> bytes:
    """A small PNG whose header, checksum and all, claims another size."""
    data = png()
    body = struct.pack(">II", width, height) + data[24:29]
    return data[:8] + png_chunk(b"IHDR", body) + data[33:]


def png_with_text_bomb(unpacked_bytes: int) -> bytes:
    """A small PNG beside a compressed text that unpacks to this much."""
    bomb = png_chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(unpacked_bytes), 9))
    data = png()
    return data[:33] + bomb + data[33:]


def webp_with_header_size(width: int, height: int) -> bytes:
    """A lossy WebP whose picture header claims another size."""
    data = bytearray(webp())
    at = data.index(b"\x9d\x01\x2a")
    data[at + 3 : at + 7] = struct.pack("<HH", width, height)
    return bytes(data)


def _png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND", b"")


def _encoded(extension: str, pixels: NDArray[np.uint8], options: list[int]) -> bytes:
    done, data = cv2.imencode(extension, pixels, options)
    assert done
    return data.tobytes()
