"""Guarded decoding (threat T11): good pictures come out right, hostile ones come out as refusals."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.errors import PictureWorkerUnavailable, RefusedPicture
from inference.picture import LOCAL, STRICT, PictureDecoder, worker
from tests.builders import hostile_pictures as hostile


@pytest.fixture(scope="module")
def local() -> Iterator[PictureDecoder]:
    with PictureDecoder(LOCAL) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def strict() -> Iterator[PictureDecoder]:
    with PictureDecoder(STRICT) as decoder:
        yield decoder


def refused(decoder: PictureDecoder, data: bytes, reason: str) -> None:
    with pytest.raises(RefusedPicture) as caught:
        decoder.decode(data)
    assert caught.value.reason == reason
    assert caught.value.remedy


@pytest.mark.parametrize(
    "data",
    [
        hostile.jpeg(),
        hostile.jpeg(progressive=True),
        hostile.png(),
        hostile.webp(),
        hostile.webp(lossless=True),
    ],
    ids=["jpeg", "progressive", "png", "webp", "lossless"],
)
def test_a_picture_comes_out_as_opencv_decodes_it(local: PictureDecoder, data: bytes) -> None:
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    pixels = local.decode(data)
    assert np.array_equal(pixels, expected)
    assert pixels.flags.writeable


def test_the_largest_allowed_picture_fits_the_strict_memory(strict: PictureDecoder) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8)
    full = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    data = cv2.imencode(".jpg", cv2.blur(noise, (5, 5)), full)[1].tobytes()
    assert strict.decode(data).shape == (2000, 2000, 3)


def test_grey_pictures_come_out_as_colour(local: PictureDecoder) -> None:
    pixels = local.decode(hostile.png(np.full((20, 30), 99, np.uint8)))
    assert pixels.shape == (20, 30, 3)
    assert (pixels == 99).all()


def test_large_pictures_are_decoded_reduced(local: PictureDecoder) -> None:
    """But never below twice a camera's height, so that fitting still halves exactly."""
    assert local.decode(hostile.jpeg(hostile.photo(4000, 3000))).shape == (1500, 2000, 3)
    assert local.decode(hostile.jpeg(hostile.photo(3000, 4000))).shape == (2000, 1500, 3)
    assert local.decode(hostile.jpeg(hostile.photo(2000, 1500))).shape == (1500, 2000, 3)
    assert local.decode(hostile.jpeg(hostile.photo(6400, 500))).shape == (500, 6400, 3)


def test_phone_photos_are_turned_but_not_on_the_network(
    local: PictureDecoder, strict: PictureDecoder
) -> None:
    """EXIF orientation 6: the camera was held upright."""
    data = hostile.jpeg_with_orientation(6)
    plain = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert np.array_equal(local.decode(data), cv2.rotate(plain, cv2.ROTATE_90_CLOCKWISE))
    assert np.array_equal(strict.decode(data), plain)


HOSTILE = {
    "nothing": (b"", "empty"),
    "text": (b"milk, sugar", "unknown-format"),
    "huge": (hostile.jpeg_with_header_size(65500, 65500), "too-large"),
    "hollow": (hostile.jpeg_with_header_size(7000, 7000), "truncated"),
    "scans": (hostile.jpeg_with_scans(500), "too-many-scans"),
    "comments": (hostile.jpeg_with_empty_comments(100_000), "malformed"),
    "cut": (hostile.jpeg()[:-300], "truncated"),
    "huge png": (hostile.png_with_header_size(2**31 - 1, 2**31 - 1), "too-large"),
    "hollow png": (hostile.png_with_header_size(7000, 7000), "truncated"),
    "huge webp": (hostile.webp_with_header_size(16383, 16383), "too-large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bombs_never_reach_the_worker(local: PictureDecoder, name: str) -> None:
    """They are refused by their structure; the worker neither grows nor changes."""
    local.decode(hostile.jpeg())
    pid = local.worker_pid
    assert pid is not None
    before = psutil.Process(pid).cpu_times()
    data, reason = HOSTILE[name]
    refused(local, data, reason)
    assert local.worker_pid == pid
    assert psutil.Process(pid).cpu_times() == before


def test_a_text_bomb_beside_a_picture_does_nothing(local: PictureDecoder) -> None:
    assert np.array_equal(local.decode(hostile.png_with_text_bomb(50_000_000)), hostile.photo())


def test_a_png_of_zeros_within_the_limits_is_just_a_picture(local: PictureDecoder) -> None:
    assert not local.decode(hostile.png_of_zeros(3000, 2000)).any()


def test_damage_inside_is_said(local: PictureDecoder) -> None:
    data = bytearray(hostile.png())
    data[60:200] = bytes(140)
    refused(local, bytes(data), "undecodable")


def test_memory_has_a_hard_limit() -> None:
    """What the header allows still may not exceed the worker's memory; the next picture is fine."""
    with PictureDecoder(replace(LOCAL, memory_bytes=24 << 20, reduce=False)) as decoder:
        with pytest.raises(RefusedPicture) as caught:
            decoder.decode(hostile.png_of_zeros(6000, 5000))
        assert caught.value.reason in {"too-much-memory", "undecodable", "decoder-died"}
        assert decoder.decode(hostile.jpeg()).shape == (240, 320, 3)


def test_a_hanging_worker_is_replaced() -> None:
    with PictureDecoder(replace(LOCAL, deadline_s=2.0)) as decoder:
        decoder.decode(hostile.jpeg())
        stuck = decoder.worker_pid
        assert stuck is not None
        os.kill(stuck, signal.SIGSTOP)
        refused(decoder, hostile.jpeg(), "too-slow")
        assert decoder.decode(hostile.jpeg()).shape == (240, 320, 3)
        assert decoder.worker_pid != stuck
        assert not psutil.pid_exists(stuck)


def test_a_dead_worker_is_replaced() -> None:
    with PictureDecoder() as decoder:
        decoder.decode(hostile.jpeg())
        assert decoder.worker_pid is not None
        os.kill(decoder.worker_pid, signal.SIGKILL)
        refused(decoder, hostile.jpeg(), "decoder-died")
        assert decoder.decode(hostile.jpeg()).shape == (240, 320, 3)


@pytest.mark.parametrize("size", [(0, 0), (60_000, 60_000), (241, 320)])
def test_a_lying_worker_is_not_believed(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """After a hostile picture, its answer may be the attacker's: no buffer larger than the header said."""
    with PictureDecoder() as decoder:
        decoder.decode(hostile.jpeg())
        with monkeypatch.context() as patch:
            patch.setattr(decoder, "_read_answer", lambda *_: (worker.DECODED, *size))
            refused(decoder, hostile.jpeg(), "decoder-died")
        assert decoder.decode(hostile.jpeg()).shape == (240, 320, 3)


def test_the_worker_is_confined(local: PictureDecoder, tmp_path: Path) -> None:
    """No descriptor but its pipes, no files, no processes, bounded memory and processor."""
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)  # noqa: FBT003 - the standard library's own signature
        with PictureDecoder(STRICT) as decoder:
            decoder.decode(hostile.jpeg())
            assert decoder.worker_pid is not None
            proc = Path(f"/proc/{decoder.worker_pid}")
            assert sorted(entry.name for entry in (proc / "fd").iterdir()) == ["0", "1", "2"]
            assert (proc / "fd" / "2").readlink() == Path(os.devnull)
            process = psutil.Process(decoder.worker_pid)
            for kind, bound in (("NOFILE", 3), ("NPROC", 0), ("FSIZE", 0), ("CORE", 0)):
                assert process.rlimit(getattr(psutil, f"RLIMIT_{kind}")) == (bound, bound)
            address_space, _ = process.rlimit(psutil.RLIMIT_AS)
            assert process.memory_info().vms <= address_space < process.memory_info().vms + (80 << 20)
            soft, hard = process.rlimit(psutil.RLIMIT_CPU)
            assert 0 < soft <= STRICT.cpu_s + 5 < hard


def test_after_the_block_no_worker_is_left() -> None:
    with PictureDecoder() as decoder:
        pid = decoder.worker_pid
    assert pid is not None
    assert decoder.worker_pid is None
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false"])
def test_a_worker_that_cannot_start_is_no_fault_of_the_picture(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(PictureWorkerUnavailable) as caught, PictureDecoder() as decoder:
        decoder.decode(hostile.jpeg())
    assert caught.value.remedy


PICTURES = [hostile.jpeg(), hostile.jpeg(progressive=True), hostile.png(), hostile.webp()]


@given(
    which=st.integers(0, 3),
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1),
)
@settings(max_examples=60, deadline=None)
def test_a_damaged_picture_is_decoded_or_refused(
    local: PictureDecoder, which: int, changes: list[tuple[int, int]]
) -> None:
    """Whatever was done to it; and the decoder goes on."""
    data = bytearray(PICTURES[which])
    for at, value in changes:
        data[at % len(data)] = value
    with contextlib.suppress(RefusedPicture):
        assert local.decode(bytes(data)).ndim == 3
    assert local.decode(PICTURES[0]).shape == (240, 320, 3)
