"""A shell over the API in process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import hostile_pictures as hostile
from tests.builders.client_cli import Shell
from tests.builders.client_stage import ClientStage


@pytest.fixture
def stage(tmp_path: Path) -> ClientStage:
    return ClientStage(tmp_path)


@pytest.fixture
def shell(stage: ClientStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(stage, monkeypatch, capsys)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(hostile.jpeg(hostile.photo(320, 240)))
    return path
