"""The picture of an address: what a phone's camera reads out of it is the address."""

import re
from xml.etree import ElementTree as ET

import cv2
import numpy as np

from edge_agent.adapters.uplink.qr_code import QUIET_ZONE, draw
from tests.builders import wire_messages as wire
from wire_protocol.handover import code_address

ADDRESS = code_address(f"https://{wire.TENANT}.topscoop.example.com", wire.HANDOVER_CODE)


def modules_of(svg: str) -> np.ndarray:
    """Dark modules, read from the strokes of the drawing."""
    root = ET.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    (path,) = root
    dark = np.zeros((side, side), bool)
    x, y = 0, -0.5
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", path.attrib["d"]):
        if command == "M":
            x, y = int(first), float(second)
        elif command == "m":
            x, y = x + int(first), y + float(second)
        else:
            dark[int(y), x : x + int(first)] = True
            x += int(first)
    return dark


def test_a_camera_reads_the_address() -> None:
    """57 modules and the quiet zone; no size, style, script or link in the drawing."""
    svg = draw(ADDRESS)
    dark = modules_of(svg)
    assert dark.shape == (57 + 2 * QUIET_ZONE,) * 2
    assert not dark[:QUIET_ZONE].any()
    picture = np.kron(np.where(dark, 0, 255).astype(np.uint8), np.ones((6, 6), np.uint8))
    assert cv2.QRCodeDetectorAruco().detectAndDecode(picture)[0] == ADDRESS
    assert set(re.findall(r"<(\w+)", svg)) == {"svg", "path"}
    assert not re.search(r"style|class|href|script|width", svg)
