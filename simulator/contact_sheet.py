"""A sheet of frames, to look at the simulated world."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.bank import CharacterBank
from simulator.chains import CHAINS
from simulator.scene import Scene, render_frame

_COLUMNS = 6
_NOBODY_EVERY = 12


def contact_sheet(n: int, seed: int, *, bank: CharacterBank, cell_width: int = 320) -> NDArray[np.uint8]:
    """Return n frames side by side in rows of six, BGR; shops take turns, every twelfth is empty."""
    rng = np.random.default_rng(seed)
    shops = [shop for chain in CHAINS.values() for shop in chain.shops]
    size = (cell_width, cell_width * 3 // 4)
    sheet = np.full((-(-n // _COLUMNS) * size[1], _COLUMNS * cell_width, 3), 255, np.uint8)
    for number in range(n):
        customer = bank.draw(rng)
        empty = number % _NOBODY_EVERY == _NOBODY_EVERY - 1
        scene = Scene(shops[number % len(shops)], None if empty else customer)
        frame = render_frame(scene, bank, seed=int(rng.integers(0, 2**31)))
        top, left = number // _COLUMNS * size[1], number % _COLUMNS * cell_width
        cell = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        sheet[top : top + size[1], left : left + cell_width] = cell
    return sheet
