"""The commands end to end on a small world that needs neither torch nor a drawn customer."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference import FlavourModel
from model_registry.network import StudentShape, random_weights
from model_registry.orders import Catalogue, Orders, SplitPlan
from model_registry.ports import Chunk

for package in ("pyarrow", "altair", "vl_convert", "onnx"):
    pytest.importorskip(package)

from model_registry import data_command, evaluate_command, quantize_command
from model_registry.adapters.training_folder import TrainedStudent, save_student
from model_registry.errors import CheckFailed, UnusableDataset
from model_registry.evaluate_command import run as evaluate
from topscoop.cli import build_parser
from wire_protocol.errors import OperatorError

SPLITS = (
    SplitPlan("test", 40, truth=True),
    SplitPlan("nuisance", 6, frames_per_order=3, truth=True),
    SplitPlan("style", 10, truth=True),
)


class SmallWorld:
    """Sells at random and shows noise; `processes` is accepted and ignored."""

    catalogues: Catalogue
    make_orders: Callable[..., Orders]

    def __init__(self, processes: int) -> None:
        assert processes > 0

    def catalogue(self, tenant: str) -> Catalogue:
        if tenant != self.catalogues.tenant:
            raise OperatorError(f"there is no chain {tenant}", remedy="Take another.")
        return self.catalogues

    def chunks(
        self, _tenant: str, split: SplitPlan, wanted: list[tuple[int, int]], size: int
    ) -> Iterator[Chunk]:
        for first, count in wanted:
            frames = count * split.frames_per_order
            orders = type(self).make_orders(frames, seed=len(split.name), truth=split.truth, first=first)
            shape = (frames, size, size, 3) if size else (frames, 480, 640, 3)
            pixels = np.random.default_rng(first).integers(0, 256, shape, dtype=np.uint8)
            yield Chunk(first, orders, pixels)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue, make_orders: Callable[..., Orders]) -> None:
    SmallWorld.catalogues, SmallWorld.make_orders = catalogue, staticmethod(make_orders)
    for command in (data_command, evaluate_command):
        monkeypatch.setattr(command, "SimulatorProcesses", SmallWorld)
    monkeypatch.setattr(evaluate_command, "plan_evaluation", lambda _nuisances: SPLITS)


def parse(*words: object) -> argparse.Namespace:
    return build_parser("model").parse_args(["model", *(str(word) for word in words)])


@pytest.fixture
def model(
    world: None, tmp_path: Path, catalogue: Catalogue, shape: StudentShape, capsys: pytest.CaptureFixture[str]
) -> Path:
    """A model directory made by `data` and `quantize` from a student that learned nothing."""
    assert (
        data_command.run(
            parse(
                "data",
                "--chain",
                "test-chain",
                "--interactions",
                60,
                "--size",
                32,
                "--out",
                tmp_path / "data",
            )
        )
        == 0
    )
    note = {"interactions": 48, "teacher_steps": 0, "student_steps": 1}
    student = TrainedStudent(
        catalogue, shape, random_weights(shape, 4, 1), np.zeros((55, 4)), (2, 0, 1, 3), note
    )
    save_student(tmp_path / "training", student)
    quantize = parse(
        "quantize", tmp_path / "training", tmp_path / "data", "--out", tmp_path / "models",
        "--created", "2026-11-22T12:00:00Z", "--json",
    )  # fmt: skip
    assert quantize_command.run(quantize) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["bytes"] > 1000
    return tmp_path / "models" / "test-chain"


def words_for(model: Path) -> list[object]:
    root = model.parent.parent
    return ["evaluate", model, "--data", root / "evaluation", "--training", root / "training"]


def test_quantize_writes_what_a_till_loads(model: Path) -> None:
    """Contract, catalogue, best-sellers by what was sold, version and digest of the data."""
    loaded = FlavourModel.load(model)
    manifest = loaded.manifest
    assert manifest.bestsellers == ("flavour-2", "flavour-0", "flavour-1", "flavour-3")
    assert manifest.version == "2026.11.22"
    head = json.loads((model.parent.parent / "data" / "dataset.json").read_text("utf-8"))
    assert manifest.dataset.digest == head["digest"]


def test_a_report_is_checked_against_the_same_orders(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evaluated, then computed again from the committed files alone: nothing differs."""
    assert evaluate(parse(*words_for(model))) == 0
    root = model.parent.parent
    (root / "training").rename(root / "gone")
    assert evaluate(parse(*words_for(model), "--check")) == 0
    assert "same within 0.1 point" in capsys.readouterr().out


def test_a_report_that_flatters_is_found_out(model: Path) -> None:
    evaluate(parse(*words_for(model)))
    path = model / "report.json"
    report = json.loads(path.read_text("utf-8"))
    report["recommenders"]["student_int8"]["hit_at_3"] += 0.002
    path.write_text(json.dumps(report), "utf-8")
    with pytest.raises(CheckFailed, match=r"student_int8\.hit_at_3"):
        evaluate(parse(*words_for(model), "--check"))


def test_golden_frames_answer_as_written(model: Path) -> None:
    """Pictures beside the model, with what this very model says of them."""
    evaluate(parse(*words_for(model)))
    import cv2

    from inference import Context

    golden = json.loads((model / "golden" / "golden.json").read_text("utf-8"))
    loaded = FlavourModel.load(model)
    assert len(golden["frames"]) == 5
    for entry in golden["frames"]:
        frame = cv2.imread(str(model / "golden" / entry["file"]))
        stock = np.array([one in entry["in_stock"] for one in loaded.manifest.flavour_ids])
        answer = loaded.recommend(np.asarray(frame, np.uint8), Context(**entry["context"]), stock)
        assert [loaded.manifest.flavour_ids[index] for index in answer.top3] == entry["top3"]
        np.testing.assert_allclose(answer.scores, entry["scores"], atol=1e-3)


def test_learning_curve_has_a_point_per_training(model: Path) -> None:
    root = model.parent.parent
    small = json.loads((root / "training" / "test-chain" / "student.json").read_text("utf-8"))
    small["note"]["interactions"] = 10
    less = root / "less" / "test-chain"
    less.mkdir(parents=True)
    (less / "student.json").write_text(json.dumps(small), "utf-8")
    (less / "student.npz").write_bytes((root / "training" / "test-chain" / "student.npz").read_bytes())
    evaluate(parse(*words_for(model), "--curve", root / "less"))
    report = json.loads((model / "report.json").read_text("utf-8"))
    assert [point["interactions"] for point in report["learning_curve"]] == [10, 48]


def test_nothing_to_evaluate_says_what_to_do(
    world: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnusableDataset, match="no model to evaluate") as caught:
        evaluate(parse("evaluate"))
    assert "models/" in caught.value.remedy


@pytest.mark.parametrize("words", [("--interactions", "0"), ("--size", "100")])
def test_data_refuses_what_cannot_be_made(world: None, tmp_path: Path, words: tuple[str, str]) -> None:
    with pytest.raises(OperatorError, match="cannot be made"):
        data_command.run(parse("data", "--chain", "test-chain", "--out", tmp_path / "data", *words))


def test_quick_is_one_word(tmp_path: Path, world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--quick` is a size of its own, whatever else is asked for."""
    seen: dict[str, Any] = {}
    monkeypatch.setattr(data_command, "plan_learning", lambda count: seen.setdefault("count", count) and ())
    data_command.run(parse("data", "--chain", "test-chain", "--out", tmp_path / "data", "--quick"))
    assert seen == {"count": 12_000}
