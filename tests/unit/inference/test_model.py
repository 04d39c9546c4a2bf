"""Frame in, three flavours out."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.context import Context
from inference.errors import BrokenAnswer, FrameError, ModelInUse, StockError
from inference.frame import fit_frame
from inference.model import FlavourModel
from tests.builders.tiny_model import CATALOGUE, build_model_dir, painted_frame

SUMMER = Context(hour=15, weekday=5, temperature_c=31, shop="beach")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def model(directory: Path) -> FlavourModel:
    return FlavourModel.load(directory)


def test_each_flavour_is_recognised(model: FlavourModel) -> None:
    """One model, many frames: no buffer keeps anything of the customer before."""
    for index, row in enumerate(CATALOGUE):
        answer = model.recommend(painted_frame(row[0]), SUMMER)
        assert answer.top3[0] == index
        assert answer.nobody < 0.01


def test_the_answer_is_what_a_plain_session_gives(model: FlavourModel, directory: Path) -> None:
    """Bound buffers, and an ordinary `session.run` on the same inputs, agree in every bit."""
    session = ort.InferenceSession(
        (directory / "model.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    frame = np.random.default_rng(5).integers(0, 256, (480, 640, 3), np.uint8)
    stock = np.arange(16) % 3 != 0
    feeds = {
        "frame": fit_frame(frame, 160)[None],
        "context": model.manifest.encode_context(SUMMER)[None],
        "in_stock": stock[None],
    }
    top3, probability, scores, nobody = session.run(["top3", "probability", "scores", "nobody"], feeds)
    answer = model.recommend(frame, SUMMER, stock)
    assert answer.top3 == tuple(top3[0])
    assert answer.probability == tuple(probability[0])
    assert np.array_equal(answer.scores, scores[0])
    assert answer.nobody == nobody[0]


def test_golden_frames(model: FlavourModel, directory: Path) -> None:
    """What the model's makers saw is what comes out here."""
    golden = json.loads((directory / "golden" / "golden.json").read_text("utf-8"))["frames"]
    assert golden
    for row in golden:
        frame = cv2.imread(str(directory / "golden" / row["file"]))
        stock = np.array([flavour_id in row["in_stock"] for flavour_id in model.manifest.flavour_ids])
        answer = model.recommend(frame, Context(**row["context"]), stock)
        assert [model.manifest.flavour_ids[index] for index in answer.top3] == row["top3"]
        assert answer.scores == pytest.approx(row["scores"], abs=1e-4)
        assert answer.nobody == pytest.approx(row["nobody"], abs=1e-5)


def test_nobody_is_reported_and_the_slate_is_given_all_the_same(model: FlavourModel) -> None:
    """Who asks decides what to show; the threshold stands in the manifest."""
    answer = model.recommend(np.zeros((480, 640, 3), np.uint8), Context())
    assert answer.nobody > 0.99
    assert len(answer.top3) == 3


@given(stock=st.lists(st.booleans(), min_size=16, max_size=16))
@settings(deadline=None)
def test_only_what_is_in_stock_is_recommended(model: FlavourModel, stock: list[bool]) -> None:
    """As many as there are, at most three, each once, likeliest first, with probabilities of what is left."""
    answer = model.recommend(painted_frame("lemon"), SUMMER, np.array(stock))
    assert len(answer.top3) == len(answer.probability) == min(3, sum(stock))
    assert all(stock[index] for index in answer.top3)
    assert len(set(answer.top3)) == len(answer.top3)
    assert list(answer.probability) == sorted(answer.probability, reverse=True)
    assert sum(answer.probability) <= 1.001
    if 0 < sum(stock) <= 3:
        assert sum(answer.probability) == pytest.approx(1, abs=1e-3)


def test_an_empty_menu_gives_an_empty_answer(model: FlavourModel) -> None:
    answer = model.recommend(painted_frame("lemon"), SUMMER, np.zeros(16, np.bool_))
    assert answer.top3 == ()
    assert answer.probability == ()


def test_a_mask_does_not_outlive_its_call(model: FlavourModel) -> None:
    only_mint = np.arange(16) == 8
    assert model.recommend(painted_frame("lemon"), SUMMER, only_mint).top3 == (8,)
    assert model.recommend(painted_frame("lemon"), SUMMER).top3[0] == 4


def test_scores_belong_to_their_answer(model: FlavourModel) -> None:
    """The next customer does not overwrite them."""
    first = model.recommend(painted_frame("lemon"), SUMMER)
    kept = first.scores.copy()
    model.recommend(painted_frame("cherry"), SUMMER)
    assert np.array_equal(first.scores, kept)


def test_scores_are_those_before_the_mask(model: FlavourModel) -> None:
    """Whoever evaluates needs to know what the model thinks of what was sold out."""
    everything = model.recommend(painted_frame("lemon"), SUMMER)
    little = model.recommend(painted_frame("lemon"), SUMMER, np.arange(16) == 8)
    assert np.array_equal(everything.scores, little.scores)


def test_the_context_counts(model: FlavourModel) -> None:
    winter = Context(hour=9, weekday=0, temperature_c=-10, shop="mall")
    frame = painted_frame("lemon")
    assert not np.array_equal(model.recommend(frame, SUMMER).scores, model.recommend(frame, winter).scores)


def test_times_are_told(model: FlavourModel) -> None:
    answer = model.recommend(painted_frame("lemon"), SUMMER)
    assert 0 < answer.inference_ms <= answer.total_ms


def test_warming_up_changes_no_answer(model: FlavourModel) -> None:
    before = model.recommend(painted_frame("lemon"), SUMMER)
    model.warm_up()
    assert np.array_equal(model.recommend(painted_frame("lemon"), SUMMER).scores, before.scores)


def test_the_digest_is_that_of_the_file(model: FlavourModel) -> None:
    assert model.digest == model.manifest.model.sha256


def test_a_network_that_answers_nan_is_not_believed(tmp_path: Path) -> None:
    """NaN sorts somewhere, and would be shown as a recommendation."""
    broken = FlavourModel.load(build_model_dir(tmp_path / "nan", nan_scores=True, golden=False))
    with pytest.raises(BrokenAnswer) as caught:
        broken.recommend(painted_frame("lemon"), SUMMER)
    assert "best-sellers" in caught.value.remedy


def test_a_network_that_fails_while_it_runs_is_told_in_our_words(tmp_path: Path) -> None:
    """ONNX Runtime's own errors would pass everybody who catches ours, and end the agent."""
    broken = FlavourModel.load(build_model_dir(tmp_path, fails=True, golden=False))
    for call in (broken.warm_up, lambda: broken.recommend(painted_frame("lemon"), SUMMER)):
        with pytest.raises(BrokenAnswer, match="fails while it runs") as caught:
            call()
        assert "best-sellers" in caught.value.remedy


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m._scores.fill(np.inf),
        lambda m: m._scores.__setitem__(3, np.nan),
        lambda m: m._nobody.fill(np.nan),
        lambda m: m._nobody.fill(1.5),
        lambda m: m._probability.fill(np.nan),
        lambda m: m._probability.__setitem__(2, -0.1),
        lambda m: m._top3.__setitem__(0, 16),
        lambda m: m._top3.__setitem__(1, -7),
        lambda m: m._top3.__setitem__(2, -1),
        lambda m: m._top3.fill(-1),
        lambda m: m._top3.fill(4),
        lambda m: m._in_stock.fill(False),  # noqa: FBT003 - numpy's own signature
    ],
)
def test_impossible_answers_are_refused(
    model: FlavourModel, spoil: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever part of the answer is impossible, none of it is passed on."""
    model.recommend(painted_frame("lemon"), SUMMER)
    spoil(model)
    with pytest.raises(BrokenAnswer):
        model._answer(0, 0, 0)


@pytest.mark.parametrize(
    "mask",
    [np.ones(15, np.bool_), np.ones((1, 16), np.bool_), np.ones(16, np.int64), [True] * 16, "all"],
    ids=["short", "2d", "int", "list", "text"],
)
def test_a_mask_of_another_shape_or_type_is_refused(model: FlavourModel, mask: Any) -> None:
    with pytest.raises(StockError) as caught:
        model.recommend(painted_frame("lemon"), SUMMER, mask)
    assert caught.value.remedy


def test_a_refused_frame_leaves_the_model_usable(model: FlavourModel) -> None:
    with pytest.raises(FrameError):
        model.recommend(np.zeros((480, 640, 3), np.float32), SUMMER)  # type: ignore[arg-type]
    assert model.recommend(painted_frame("lemon"), SUMMER).top3[0] == 4


def test_a_second_thread_is_refused(model: FlavourModel) -> None:
    """Two customers must never share one buffer."""
    errors: list[Exception] = []

    def call() -> None:
        try:
            model.recommend(painted_frame("lemon"), SUMMER)
        except ModelInUse as error:
            errors.append(error)

    model._enter()
    try:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    finally:
        model._busy.release()
    assert len(errors) == 1
    assert model.recommend(painted_frame("lemon"), SUMMER).top3[0] == 4
