"""Golden frames: camera pictures beside a model with what it must answer, for whoever installs it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from inference import FlavourModel
from model_registry.adapters.atomic_file import write_atomically
from model_registry.encoding import context_of
from model_registry.orders import SplitPlan
from model_registry.ports import OrderSource

FRAMES = 5
CAMERA_SIZE = 0
"""Asks a source for the camera's own frame, 640x480."""
_KEPT_BITS = 0xF8
"""The lowest bits are sensor noise, which no compression shrinks; a golden frame is as good without."""


def write_golden(folder: Path, source: OrderSource) -> None:
    """Write `golden/*.png` and `golden/golden.json`: what this very model answers to them here."""
    model = FlavourModel.load(folder)
    target = folder / "golden"
    target.mkdir(exist_ok=True)
    for old in target.glob("*.png"):
        old.unlink()
    split = SplitPlan("golden", FRAMES)
    (chunk,) = source.chunks(model.manifest.tenant, split, split.chunks(), CAMERA_SIZE)
    ids = model.manifest.flavour_ids
    entries = []
    for row, frame in enumerate(chunk.frames):
        name = f"frame-{row + 1}.png"
        picture = np.ascontiguousarray(frame & _KEPT_BITS)
        encoded, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        assert encoded
        write_atomically(target / name, data.tobytes())
        context = context_of(chunk.orders, row)
        in_stock = np.ones(len(ids), np.bool_)
        # Each frame misses another flavour, so that the mask is tested too.
        in_stock[row % len(ids)] = False
        answer = model.recommend(picture, context, in_stock)
        entries.append(
            {
                "file": name,
                "context": {
                    "hour": context.hour,
                    "weekday": context.weekday,
                    "temperature_c": context.temperature_c,
                    "shop": context.shop,
                },
                "in_stock": [one for one, there in zip(ids, in_stock, strict=True) if there],
                "top3": [ids[index] for index in answer.top3],
                "scores": [round(float(score), 4) for score in answer.scores],
                "nobody": round(answer.nobody, 4),
            }
        )
    text = json.dumps({"frames": entries}, indent=1)
    write_atomically(target / "golden.json", (text + "\n").encode())
