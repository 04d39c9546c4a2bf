import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.builders.clips import write_clip
from tests.builders.tiny_model import build_model_dir, painted_frame
from topscoop.cli import main

NOBODY = np.zeros((480, 640, 3), np.uint8)
MANGO = painted_frame("mango")

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    model = build_model_dir(tmp_path / "model")

    def command(*words: str | Path) -> tuple[int, str]:
        status = main(["edge", "replay", *map(str, words), "--model", str(model)])
        return status, capsys.readouterr().out

    return command


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.avi", [(1, NOBODY), (3, MANGO), (3, NOBODY)])


def test_visits_and_latencies_are_printed(run: Run, clip: Path) -> None:
    status, out = run(clip)
    assert status == 0
    assert "1.40 s  Mango" in out
    assert "70 pictures, 6.9 s" in out
    assert "1 recommendation;" in out
    assert "p99" in out


def test_json_is_one_object_and_goes_to_the_file_as_well(run: Run, clip: Path, tmp_path: Path) -> None:
    status, out = run(clip, "--json", "--output", tmp_path / "out.json")
    result: dict[str, Any] = json.loads(out)
    assert status == 0
    assert json.loads((tmp_path / "out.json").read_text()) == result
    [visit] = result["interactions"]
    assert visit["top3"][0]["flavour"] == "mango"
    assert (visit["at_s"], visit["until_s"]) == (1.4, 6.0)
    assert result["latency_ms"]["inference"].keys() == {"p50", "p90", "p99"}


def test_a_clip_with_no_people_says_so_and_is_no_failure(run: Run, tmp_path: Path) -> None:
    empty = write_clip(tmp_path / "empty.avi", [(2, NOBODY)])
    status, out = run(empty)
    assert status == 0
    assert "Nobody stands at the till in any of the 10 pictures" in out
    status, out = run(empty, "--every", "5")
    assert status == 0
    assert "best-sellers each time" in out


def test_somebody_who_only_passes_by_is_said_to(run: Run, tmp_path: Path) -> None:
    passing = write_clip(tmp_path / "pass.avi", [(1, NOBODY), (0.3, MANGO), (1, NOBODY)])
    assert "never long enough" in run(passing)[1]


def test_every_n_pictures(run: Run, clip: Path) -> None:
    _, out = run(clip, "--every", "10", "--json")
    assert [visit["source"] for visit in json.loads(out)["interactions"]] == (
        ["bestsellers"] + ["model"] * 3 + ["bestsellers"] * 3
    )


@pytest.mark.parametrize("content", [None, b"no clip"])
def test_what_is_no_clip_is_a_clear_error(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    status = main(["edge", "replay", str(path)])
    error = capsys.readouterr().err
    assert status == 1
    assert error.startswith("topscoop: error:")
    assert len(error.splitlines()) == 2, "what happened, and what to do"


def test_an_output_that_cannot_be_written_is_said_before_the_clip_is_read(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["edge", "replay", str(clip), "--output", str(tmp_path / "no" / "out.json")]) == 2
    assert "--output" in capsys.readouterr().err
