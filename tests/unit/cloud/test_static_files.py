"""Files of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud.static_files import StaticFiles

if TYPE_CHECKING:
    from pathlib import Path


def test_an_address_changes_with_the_files(tmp_path: Path) -> None:
    """What was kept under the old address is never shown for the new one."""
    (tmp_path / "one.css").write_text("a {}")
    before = StaticFiles(tmp_path)
    (tmp_path / "one.css").write_text("b {}")
    after = StaticFiles(tmp_path)
    assert before.path != after.path
    digest = after.path.rpartition("/")[2]
    assert bytes(after.answer(digest, "one.css").body) == b"b {}"
    assert before.answer(digest, "one.css").status_code == 404
    assert after.answer(digest, "two.css").status_code == 404


def test_only_what_pages_need_is_served(tmp_path: Path) -> None:
    """Other files of the folder stay where they are."""
    (tmp_path / "secret.key").write_text("x")
    files = StaticFiles(tmp_path)
    assert files.answer(files.path.rpartition("/")[2], "secret.key").status_code == 404


def test_a_name_stands_for_one_file(tmp_path: Path) -> None:
    """Two folders never hide each other's files."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.css").write_text("a {}")
    with pytest.raises(AssertionError, match=r"same\.css"):
        StaticFiles(tmp_path / "one", tmp_path / "two")
