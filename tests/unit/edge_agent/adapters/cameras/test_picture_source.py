from collections.abc import Iterator
from pathlib import Path
from threading import Event

import cv2
import pytest

from edge_agent.adapters.cameras.picture_source import PictureSource, decode_file, pictures_in
from edge_agent.errors import CameraError
from inference.picture import PictureDecoder
from tests.builders.records import StandingClock
from tests.builders.tiny_model import painted_frame

STOPPED = Event()
STOPPED.set()  # does not wait between pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.JPG", "c.txt"):
        data = cv2.imencode(".png" if name == "b.png" else ".jpg", painted_frame("lemon"))[1]
        (tmp_path / name).write_bytes(bytes(data))
    return tmp_path


@pytest.fixture(scope="module")
def decoder() -> Iterator[PictureDecoder]:
    with PictureDecoder() as decoder:
        yield decoder


def test_a_folders_pictures_come_by_name_over_and_over(folder: Path) -> None:
    files = pictures_in(folder)
    assert [path.name for path in files] == ["a.JPG", "b.png"]
    source = PictureSource(files, StandingClock(), STOPPED, fps=5)
    try:
        shapes = [picture.pixels.shape for _ in range(5) if (picture := source.read())]
    finally:
        source.close()
    assert shapes == [(480, 640, 3)] * 5


def test_a_single_picture_is_decoded_once_and_its_worker_ends(folder: Path) -> None:
    clock = StandingClock()
    source = PictureSource([folder / "b.png"], clock, STOPPED, fps=5)
    first = source.read()
    (folder / "b.png").unlink()
    clock.advance(200)
    second = source.read()
    assert source._decoder.worker_pid is None
    assert first is not None
    assert second is not None
    assert second.pixels is first.pixels
    assert second.captured_ns > first.captured_ns
    source.close()


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0cut off"])
def test_a_picture_that_cannot_be_decoded_is_a_camera_error(
    tmp_path: Path, decoder: PictureDecoder, content: bytes
) -> None:
    """T11: the agent's own process never decodes a stranger's file."""
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with pytest.raises(CameraError, match=r"x\.jpg") as refused:
        decode_file(decoder, path)
    assert refused.value.remedy


def test_what_is_not_there_says_so(tmp_path: Path, decoder: PictureDecoder) -> None:
    with pytest.raises(CameraError, match="No such file"):
        decode_file(decoder, tmp_path / "gone.jpg")
    with pytest.raises(CameraError, match="has no pictures"):
        pictures_in(tmp_path)
    with pytest.raises(CameraError, match="cannot be listed"):
        pictures_in(tmp_path / "gone")
