import asyncio
import struct

import cv2
import numpy as np

from simulator.demo.pictures import SIZE_PX, Pictures, encode_picture


def test_a_frame_becomes_a_small_jpeg_of_the_same_look() -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:, :320] = (0, 0, 255)
    picture = cv2.imdecode(np.frombuffer(encode_picture(frame), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[:2] == SIZE_PX[::-1]
    assert picture[100, 50, 2] > 240
    assert picture[100, 350, 2] < 15


async def test_each_picture_is_sent_once_with_its_place_and_length() -> None:
    pictures = Pictures(["a/one", "a/two"])
    stream = pictures.stream()
    pictures.put("a/two", b"second")
    first = await anext(stream)
    pictures.put("a/one", b"first")
    second = await anext(stream)
    assert first == struct.pack(">BI", 1, 6) + b"second"
    assert second == struct.pack(">BI", 0, 5) + b"first"
    await stream.aclose()


async def test_a_slow_viewer_skips_to_the_newest_picture() -> None:
    pictures = Pictures(["a/one"])
    stream = pictures.stream()
    for number in range(5):
        pictures.put("a/one", b"%d" % number)
    assert (await anext(stream))[5:] == b"4"
    await stream.aclose()


async def test_pictures_are_wanted_while_somebody_looks() -> None:
    pictures = Pictures(["a/one"])
    assert not pictures.wanted
    pictures.put("a/one", b"x")
    stream = pictures.stream()
    await anext(stream)
    assert pictures.wanted
    await stream.aclose()
    assert not pictures.wanted


async def test_closing_ends_all_streams() -> None:
    pictures = Pictures(["a/one"])
    pictures.close()
    async with asyncio.timeout(5):
        assert [part async for part in pictures.stream()] == []
