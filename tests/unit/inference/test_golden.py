"""Golden frames that travel with a release."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inference import Context, FlavourModel
from inference import golden as golden_frames
from inference.errors import GoldenMismatch, UnusableGolden
from inference.golden import GOLDEN_MAX_BYTES, Golden
from tests.builders.tiny_model import build_model_dir, flavour_bgr
from wire_protocol import cbor

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture(scope="module")
def model() -> FlavourModel:
    return FlavourModel.load(MODELS / "polar-scoop")


@pytest.fixture(scope="module")
def golden(model: FlavourModel) -> Golden:
    return golden_frames.make_from_directory(model, MODELS / "polar-scoop")


@pytest.mark.parametrize("chain", ["polar-scoop", "gelateria-sole"])
def test_a_model_answers_its_own_frames(chain: str) -> None:
    """And they are small: a release costs hardly more than its network."""
    model = FlavourModel.load(MODELS / chain)
    data = golden_frames.make_from_directory(model, MODELS / chain).to_bytes()
    assert len(data) <= GOLDEN_MAX_BYTES
    read = Golden.from_bytes(data)
    golden_frames.check(model, read)
    assert read.to_bytes() == data
    assert len(read.frames) == 5


def test_a_mask_and_a_context_travel_too(model: FlavourModel, golden: Golden) -> None:
    first = Golden.from_bytes(golden.to_bytes()).frames[0]
    assert not first.in_stock.all()
    assert first.context == Context(hour=10, weekday=6, temperature_c=24.2, shop="mall")


def test_other_scores_are_told_with_frame_and_difference(model: FlavourModel, golden: Golden) -> None:
    value = cbor.decode(golden.to_bytes())
    scores = np.frombuffer(value["frames"][2]["scores"], "<f4") + np.float32(0.5)
    value["frames"][2]["scores"] = scores.tobytes()
    with pytest.raises(GoldenMismatch, match=r"golden frame 3 of 5 gets other scores here: .* up to 0\.500"):
        golden_frames.check(model, Golden.from_bytes(cbor.encode(value)))


def test_other_flavours_are_told(model: FlavourModel, golden: Golden) -> None:
    value = cbor.decode(golden.to_bytes())
    value["frames"][0]["first3"].reverse()
    with pytest.raises(GoldenMismatch, match="golden frame 1 of 5 gets other flavours here"):
        golden_frames.check(model, Golden.from_bytes(cbor.encode(value)))


def test_flavours_that_are_as_good_as_equal_may_change_places(tmp_path: Path) -> None:
    """Another processor's rounding is no other model."""
    tiny = FlavourModel.load(build_model_dir(tmp_path, golden=False))
    between = [(a + b) // 2 for a, b in zip(flavour_bgr("vanilla"), flavour_bgr("coconut"), strict=True)]
    picture = np.full((480, 640, 3), between, np.uint8)
    made = golden_frames.make(tiny, [(picture, Context(), np.ones(16, np.bool_))])
    value = cbor.decode(made.to_bytes())
    first, second, third = value["frames"][0]["first3"]
    value["frames"][0]["first3"] = [second, first, third]
    golden_frames.check(tiny, Golden.from_bytes(cbor.encode(value)))
    value["frames"][0]["first3"] = [third, second, first]
    with pytest.raises(GoldenMismatch, match="other flavours"):
        golden_frames.check(tiny, Golden.from_bytes(cbor.encode(value)))


def test_another_chains_frames_are_refused(golden: Golden) -> None:
    with pytest.raises(UnusableGolden, match="12 flavours, the model has 16"):
        golden_frames.check(FlavourModel.load(MODELS / "gelateria-sole"), golden)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("jpeg", "text"),
        ("context", {"mood": 1}),
        ("context", {"hour": 99}),
        ("context", {"hour": "noon"}),
        ("in_stock", b"\x01"),
        ("in_stock", b"\x02" * 12),
        ("first3", [99]),
        ("first3", [0, 1, 2, 3]),
        ("first3", [True]),
        ("scores", b"\x00\x00\xc0\x7f" * 12),
        ("nobody", 0.1),
    ],
    ids=str,
)
def test_broken_frames_are_refused(golden: Golden, key: str, value: Any) -> None:
    document = cbor.decode(golden.to_bytes())
    document["frames"][0][key] = value
    with pytest.raises(UnusableGolden, match="frame 1"):
        Golden.from_bytes(cbor.encode(document))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        cbor.encode({"format": "topscoop.golden/2", "frames": []}),
        cbor.encode({"format": "topscoop.golden/1", "frames": []}),
        cbor.encode([1]),
        b"\0" * (GOLDEN_MAX_BYTES + 1),
    ],
    ids=["empty", "no-cbor", "other-format", "no-frames", "a-list", "too-long"],
)
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(UnusableGolden):
        Golden.from_bytes(data)


def test_a_picture_that_is_none_is_refused(model: FlavourModel, golden: Golden) -> None:
    value = cbor.decode(golden.to_bytes())
    value["frames"][1]["jpeg"] = b"\xff\xd8\xff" + b"no picture"
    with pytest.raises(UnusableGolden, match="frame 2"):
        golden_frames.check(model, Golden.from_bytes(cbor.encode(value)))


def test_pictures_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    tiny = FlavourModel.load(build_model_dir(tmp_path, golden=False))
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    with pytest.raises(UnusableGolden, match="fewer or calmer"):
        golden_frames.make(tiny, [(noise, Context(), np.ones(16, np.bool_))] * 12)


def test_a_directory_without_golden_frames_is_refused(tmp_path: Path) -> None:
    directory = build_model_dir(tmp_path, golden=False)
    with pytest.raises(UnusableGolden, match="cannot be read"):
        golden_frames.make_from_directory(FlavourModel.load(directory), directory)


def test_a_picture_that_is_missing_is_named(tmp_path: Path) -> None:
    directory = build_model_dir(tmp_path)
    (directory / "golden" / "vanilla.png").write_bytes(b"")
    with pytest.raises(UnusableGolden, match=r"vanilla\.png"):
        golden_frames.make_from_directory(FlavourModel.load(directory), directory)


def test_frames_have_the_networks_size(golden: Golden) -> None:
    picture = cv2.imdecode(np.frombuffer(golden.frames[0].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (160, 160, 3)
