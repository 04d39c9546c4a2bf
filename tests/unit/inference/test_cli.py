"""`topscoop recommend`, as a user types it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.builders.tiny_model import build_model_dir, painted_frame
from topscoop.cli import main


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("models") / "tiny", golden=False)


@pytest.fixture
def lemon(tmp_path: Path) -> Path:
    path = tmp_path / "lemon.png"
    cv2.imwrite(str(path), painted_frame("lemon"))
    return path


def test_one_picture_is_one_object(lemon: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", str(lemon), "--json", "--model", str(model_dir)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["image"] == str(lemon)
    assert value["top3"][0]["flavour"] == "lemon"
    assert value["source"] == "model"


def test_several_pictures_are_a_list(
    lemon: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order in which they were named."""
    portrait = lemon.with_name("portrait.jpg")
    cv2.imwrite(str(portrait), painted_frame("cherry", width=300, height=900))
    assert main(["recommend", str(lemon), str(portrait), "--json", "--model", str(model_dir)]) == 0
    values = json.loads(capsys.readouterr().out)
    assert [value["top3"][0]["flavour"] for value in values] == ["lemon", "cherry"]


def test_people_get_a_table(lemon: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    context = ["--hour", "15", "--weekday", "2", "--temperature", "25.5", "--shop", "park"]
    assert main(["recommend", str(lemon), "--model", str(model_dir), *context]) == 0
    out = capsys.readouterr().out
    assert "1  Lemon" in out
    assert "█" in out


def test_an_empty_shop_is_said(tmp_path: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dark.png"
    cv2.imwrite(str(path), np.zeros((480, 640, 3), np.uint8))
    assert main(["recommend", str(path), "--model", str(model_dir)]) == 0
    assert "nobody seen" in capsys.readouterr().out
    assert main(["recommend", str(path), "--model", str(model_dir), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["source"] == "bestsellers"
    assert [row["flavour"] for row in value["top3"]] == ["vanilla", "chocolate", "strawberry"]


def test_only_what_is_in_stock(lemon: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stock = ["--in-stock", "mint, cherry"]
    assert main(["recommend", str(lemon), "--json", "--model", str(model_dir), *stock]) == 0
    value = json.loads(capsys.readouterr().out)
    assert {row["flavour"] for row in value["top3"]} == {"mint", "cherry"}


def test_one_bad_picture_does_not_stop_the_others(
    lemon: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its entry says what is wrong, so does standard error, so does the exit status."""
    notes = lemon.with_name("notes.txt")
    notes.write_text("milk, sugar")
    missing = lemon.with_name("missing.jpg")
    command = ["recommend", str(notes), str(missing), str(lemon), "--json", "--model", str(model_dir)]
    assert main(command) == 1
    captured = capsys.readouterr()
    values = json.loads(captured.out)
    assert "notes.txt: this is no picture" in values[0]["error"]
    assert values[0]["remedy"]
    assert "no such file" in values[1]["error"]
    assert values[2]["top3"][0]["flavour"] == "lemon"
    assert "notes.txt" in captured.err
    assert "missing.jpg" in captured.err


@pytest.mark.parametrize(
    ("words", "status", "sentences"),
    [
        (["--in-stock", "lemon,lemmon"], 2, ("no such flavour: lemmon", "vanilla")),
        (["--in-stock", ","], 2, ("--in-stock names no flavour", "vanilla")),
        (["--shop", "moon"], 2, ("no shop of kind 'moon'", "beach, park")),
        (["--hour", "25"], 1, ("hour is 25", "0 to 23.99")),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_ones(
    words: list[str],
    status: int,
    sentences: tuple[str, str],
    model_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Problem and remedy; before any picture is opened."""
    assert main(["recommend", "lemon.png", "--model", str(model_dir), *words]) == status
    error = capsys.readouterr().err
    assert all(sentence in error for sentence in sentences)


def test_one_bad_picture_alone_is_an_error(
    tmp_path: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recommend", str(tmp_path), "--model", str(model_dir)]) == 1
    assert "is no file" in capsys.readouterr().err


def test_a_missing_model_is_an_error(lemon: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", str(lemon), "--model", "/nowhere"]) == 1
    assert "there is no model directory /nowhere" in capsys.readouterr().err
