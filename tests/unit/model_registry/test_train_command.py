import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_registry.orders import Catalogue, Orders, SplitPlan
from tests.builders.torch_needed import require_torch

require_torch()

from model_registry.adapters.dataset_files import DatasetWriter
from model_registry.adapters.training_folder import load_student
from model_registry.errors import UnusableCheckpoint, UnusableDataset
from model_registry.ports import Chunk
from model_registry.train_command import run
from topscoop.cli import build_parser

pytestmark = pytest.mark.train

SIZE = 32


@pytest.fixture
def make_data(
    tmp_path: Path, catalogue: Catalogue, make_orders: Callable[..., Orders]
) -> Callable[..., Path]:
    def make(tenant: str, *splits: SplitPlan) -> Path:
        folder = tmp_path / f"{tenant}-{splits[0].name}"
        writer = DatasetWriter(folder, replace(catalogue, tenant=tenant), SIZE, splits)
        for split in splits:
            for first, count in writer.missing(split):
                orders = make_orders(count * split.frames_per_order, seed=first, first=first)
                shape = (len(orders), SIZE, SIZE, 3)
                frames = np.random.default_rng(first).integers(0, 256, shape, dtype=np.uint8)
                writer.store(split, Chunk(first, orders, frames))
        writer.finish()
        return folder

    return make


@pytest.fixture
def data(make_data: Callable[..., Path]) -> list[Path]:
    splits = (SplitPlan("train", 40), SplitPlan("validation", 20))
    return [make_data("one", *splits), make_data("two", *splits)]


def parse(*words: object) -> argparse.Namespace:
    common = ("--threads", "1", "--batch", "8", "--teacher-size", "32")
    return build_parser("model").parse_args(["model", "train", *map(str, words), *common])


def test_two_chains_are_taught_and_trained_together(data: list[Path], tmp_path: Path) -> None:
    """A student each, with the same trunk and heads of their own, and the note of how they came to be."""
    out = tmp_path / "out"
    assert run(parse(*data, "--out", out, "--teacher-steps", 2, "--student-steps", 3)) == 0
    one, two = load_student(out, "one"), load_student(out, "two")
    np.testing.assert_array_equal(one.weights["stem.weight"], two.weights["stem.weight"])
    assert not np.array_equal(one.weights["out.weight"], two.weights["out.weight"])
    assert one.note["teacher_steps"] == 2
    assert one.note["interactions"] == 32
    assert sorted(one.best_sellers) == [0, 1, 2, 3]


def test_a_student_goes_on_alone_with_pairs_and_another_trainings_teacher(
    data: list[Path], tmp_path: Path, make_data: Callable[..., Path]
) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    run(parse(*data, "--out", shared, "--teacher-steps", 2, "--student-steps", 3))
    pairs = make_data("two", SplitPlan("pairs", 6, frames_per_order=2))
    words = ("--begin-with", shared, "--teacher", shared, "--teacher-steps", 0, "--student-steps", 2)
    assert run(parse(data[1], "--out", alone, *words, "--pairs", pairs)) == 0
    student = load_student(alone, "two")
    assert student.note["teacher_steps"] == 2
    assert not (alone / "one").exists()


def test_a_limit_is_what_is_learned_from(data: list[Path], tmp_path: Path) -> None:
    run(parse(*data, "--out", tmp_path / "out", "--limit", 10, "--teacher-steps", 0, "--student-steps", 2))
    assert load_student(tmp_path / "out", "one").note["interactions"] == 8


def test_going_on_with_other_options_is_refused(data: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(parse(*data, "--out", out, "--teacher-steps", 0, "--student-steps", 2))
    with pytest.raises(UnusableCheckpoint, match="other options"):
        run(parse(*data, "--out", out, "--teacher-steps", 0, "--student-steps", 3))


def test_one_chain_twice_is_refused(data: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UnusableDataset, match="same chain"):
        run(parse(data[0], data[0], "--out", tmp_path / "out"))


@pytest.mark.parametrize("option", ["--teacher", "--begin-with"])
def test_what_is_not_finished_cannot_be_used(data: list[Path], tmp_path: Path, option: str) -> None:
    words = (option, tmp_path / "nothing", "--teacher-steps", 0, "--student-steps", 2)
    with pytest.raises(UnusableCheckpoint, match="holds no finished"):
        run(parse(*data, "--out", tmp_path / "out", *words))


def test_result_is_one_json_object(
    data: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(parse(*data, "--out", tmp_path / "out", "--teacher-steps", 0, "--student-steps", 2, "--json"))
    assert json.loads(capsys.readouterr().out)["chains"] == ["one", "two"]
