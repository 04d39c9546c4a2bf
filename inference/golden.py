"""`golden.cbor`: a few pictures with what a release's network must answer to them, for whoever installs it.

The pictures have the network's size already and are JPEGs, so that they weigh little; the scores are those
that the network gives to exactly these JPEGs, decoded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.context import Context
from inference.errors import ContextError, GoldenMismatch, InferenceError, RefusedPicture, UnusableGolden
from inference.frame import fit_frame
from inference.model import FlavourModel
from inference.picture import STRICT, check_jpeg

FORMAT: Final = "topscoop.golden/1"
GOLDEN_MAX_BYTES: Final = 30_000
"""A release shall cost hardly more than its network; five frames of 160 px take about 24 KB."""
FRAMES_MAX: Final = 16
TOLERANCE: Final = 0.25
"""Logits. The same network on the same picture differs by less than 0.001 between runs, and by rounding
between kernels of other processors; a network with other weights differs by more than 1."""

_QUALITIES: Final = (85, 80, 70, 60, 50, 40)
_CONTEXT: Final = ("hour", "weekday", "temperature_c", "shop")
_SHOWN: Final = 3
_TAKE_AGAIN: Final = "Take the release again from where it was published."


@dataclass(frozen=True, slots=True, eq=False)
class GoldenFrame:
    """One picture and its answer.

    Args:
        jpeg: Of the network's size.
        context: What was known beside it.
        in_stock: bool [F].
        first3: Flavour indices, likeliest first; fewer where fewer are in stock.
        scores: float32 [F].
    """

    jpeg: bytes
    context: Context
    in_stock: NDArray[np.bool_]
    first3: tuple[int, ...]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """The frames of one release."""

    frames: tuple[GoldenFrame, ...]

    def to_bytes(self) -> bytes:
        """The file `golden.cbor`; a mask's flavour takes one byte, a score four (little-endian)."""
        from wire_protocol import cbor

        return cbor.encode({"format": FORMAT, "frames": [_frame_value(frame) for frame in self.frames]})

    @classmethod
    def from_bytes(cls, data: bytes) -> Golden:
        """Read `golden.cbor`; no picture is decoded yet.

        Raises:
            UnusableGolden: Too long, not of this format, or nothing to compare with.
        """
        from wire_protocol import cbor
        from wire_protocol.errors import RefusedMessage

        if len(data) > GOLDEN_MAX_BYTES:
            _refuse(f"have more than {GOLDEN_MAX_BYTES} bytes")
        try:
            value = cbor.decode(data)
        except RefusedMessage as error:
            _refuse(f"cannot be read: {error}")
        if not isinstance(value, dict) or set(value) != {"format", "frames"} or value["format"] != FORMAT:
            _refuse(f"are not of the format {FORMAT}")
        frames = value["frames"]
        if not isinstance(frames, list) or not 1 <= len(frames) <= FRAMES_MAX:
            _refuse(f"must be 1 to {FRAMES_MAX} frames")
        return cls(tuple(_frame(one, number) for number, one in enumerate(frames, start=1)))


def make(
    model: FlavourModel, pictures: Iterable[tuple[NDArray[np.uint8], Context, NDArray[np.bool_]]]
) -> Golden:
    """Golden frames of a model: pictures (BGR, any size), what is known beside each, what is in stock.

    Raises:
        UnusableGolden: The pictures do not fit into `GOLDEN_MAX_BYTES` at any quality.
        ModelError: The model cannot answer.
    """
    kept = [
        (fit_frame(picture, model.manifest.frame.size), context, stock)
        for picture, context, stock in pictures
    ]
    for quality in _QUALITIES:
        golden = Golden(tuple(_answered(model, *one, quality=quality) for one in kept))
        if len(golden.to_bytes()) <= GOLDEN_MAX_BYTES:
            break
    else:
        _refuse(f"do not fit into {GOLDEN_MAX_BYTES} bytes; give fewer or calmer pictures")
    return golden


def make_from_directory(model: FlavourModel, directory: Path) -> Golden:
    """Golden frames from `golden/` of a model directory, whose pictures its maker rendered.

    Raises:
        UnusableGolden: There are none, or they are not what the manifest is about.
        ModelError: The model cannot answer.
    """
    ids = model.manifest.flavour_ids
    pictures = []
    try:
        for row in json.loads((directory / "golden" / "golden.json").read_bytes())["frames"]:
            picture = cv2.imread(str(directory / "golden" / Path(row["file"]).name), cv2.IMREAD_COLOR)
            if picture is None:
                _refuse(f"lack the picture {row['file']}")
            stock = np.isin(np.array(ids), row["in_stock"])
            pictures.append((cast("NDArray[np.uint8]", picture), Context(**row["context"]), stock))
    except (OSError, ValueError, KeyError, TypeError, ContextError) as error:
        raise UnusableGolden(
            f"the golden frames of {directory} cannot be read: {error}",
            remedy="Make them again: `topscoop model evaluate`.",
        ) from error
    if not pictures:
        _refuse("are missing")
    return make(model, pictures)


def check(model: FlavourModel, golden: Golden) -> None:
    """Let the model answer every frame, and compare.

    Raises:
        GoldenMismatch: A frame gets other scores or other flavours here; says which, and by how much.
        UnusableGolden: A picture cannot be decoded, or does not fit the model.
        ModelError: The model cannot answer.
    """
    for number, frame in enumerate(golden.frames, start=1):
        if len(frame.scores) != len(model.manifest.flavours):
            _refuse(f"are about {len(frame.scores)} flavours, the model has {len(model.manifest.flavours)}")
        answer = model.recommend(_decode(frame.jpeg, number), frame.context, frame.in_stock)
        difference = float(np.abs(answer.scores - frame.scores).max())
        # Flavours that are as good as equal may change places.
        swapped = len(answer.top3) != len(frame.first3) or any(
            mine != theirs and abs(float(frame.scores[mine] - frame.scores[theirs])) > TOLERANCE
            for mine, theirs in zip(answer.top3, frame.first3, strict=False)
        )
        if swapped or not difference <= TOLERANCE:
            what = "other flavours" if swapped else "other scores"
            raise GoldenMismatch(
                f"golden frame {number} of {len(golden.frames)} gets {what} here: scores differ by up to "
                f"{difference:.3f}, {TOLERANCE:g} is allowed",
                remedy="This processor computes otherwise, or the model is another: keep the model before.",
            )


def _answered(
    model: FlavourModel,
    square: NDArray[np.uint8],
    context: Context,
    in_stock: NDArray[np.bool_],
    *,
    quality: int,
) -> GoldenFrame:
    done, data = cv2.imencode(".jpg", square, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    jpeg = data.tobytes()
    answer = model.recommend(_decode(jpeg, 0), context, in_stock)
    return GoldenFrame(jpeg, context, in_stock, answer.top3, answer.scores)


def _decode(jpeg: bytes, number: int) -> NDArray[np.uint8]:
    try:
        check_jpeg(jpeg, STRICT)
    except RefusedPicture as error:
        _refuse(f"have no picture in frame {number}: {error}")
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        _refuse(f"have no picture in frame {number}")
    return cast("NDArray[np.uint8]", picture)


def _frame_value(frame: GoldenFrame) -> dict[str, Any]:
    known = {name: getattr(frame.context, name) for name in _CONTEXT}
    return {
        "jpeg": frame.jpeg,
        "context": {name: value for name, value in known.items() if value is not None},
        "in_stock": frame.in_stock.astype(np.uint8).tobytes(),
        "first3": list(frame.first3),
        "scores": frame.scores.astype("<f4").tobytes(),
    }


def _frame(value: Any, number: int) -> GoldenFrame:
    if not isinstance(value, dict) or set(value) != {"jpeg", "context", "in_stock", "first3", "scores"}:
        _refuse(f"have another form in frame {number}")
    jpeg, context, stock, first3, scores = (
        value[key] for key in ("jpeg", "context", "in_stock", "first3", "scores")
    )
    if not all(isinstance(one, bytes) for one in (jpeg, stock, scores)) or len(scores) != 4 * len(stock):
        _refuse(f"have masks and scores of different length in frame {number}")
    if not isinstance(context, dict) or not set(context) <= set(_CONTEXT):
        _refuse(f"have an unknown context in frame {number}")
    if not isinstance(first3, list) or len(first3) > _SHOWN:
        _refuse(f"have no first three in frame {number}")
    if not all(type(one) is int and 0 <= one < len(stock) for one in first3) or not set(stock) <= {0, 1}:
        _refuse(f"name flavours that there are not in frame {number}")
    numbers = np.frombuffer(scores, "<f4").astype(np.float32)
    if not np.isfinite(numbers).all():
        _refuse(f"have scores that are no numbers in frame {number}")
    try:
        known = Context(**context)
    except (InferenceError, TypeError) as error:
        _refuse(f"have an impossible context in frame {number}: {error}")
    return GoldenFrame(jpeg, known, np.frombuffer(stock, np.uint8).astype(np.bool_), tuple(first3), numbers)


def _refuse(problem: str) -> NoReturn:
    raise UnusableGolden(f"the golden frames {problem}", remedy=_TAKE_AGAIN)
