from pathlib import Path

import pytest

from edge_agent.adapters.checks.folder import check_folder
from edge_agent.checkup import Verdict
from edge_agent.config import EdgeConfig


def config(data_dir: Path) -> EdgeConfig:
    return EdgeConfig(tenant="gelateria-sole", store="s", register="r", data_dir=data_dir)


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    assert check_folder(config(tmp_path)).check == "disk"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_yet_to_be_made_is_not_made_by_the_doctor(tmp_path: Path) -> None:
    finding = check_folder(config(tmp_path / "a" / "b"))
    assert "to be made" in finding.said
    assert not (tmp_path / "a").exists()


def test_a_file_in_its_place_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert check_folder(config(tmp_path / "file" / "data")).verdict is Verdict.FAILED


def test_a_disk_that_refuses_fsync_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", refuse)
    finding = check_folder(config(tmp_path))
    assert finding.verdict is Verdict.FAILED
    assert "Input/output error" in finding.said
