"""Files of keys: whole or not at all."""

from pathlib import Path

import pytest

from cloud.enrolment.errors import PkiError
from cloud.enrolment.files import check_private, write_file


def test_a_file_is_replaced_and_private(tmp_path: Path) -> None:
    """Whatever was there, and whatever mode it had; no draft stays."""
    path = tmp_path / "a.key"
    path.write_text("old")
    path.chmod(0o644)
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    check_private(path)


def test_a_file_that_cannot_be_put_in_place_leaves_no_draft(tmp_path: Path) -> None:
    """A folder stands where the file should."""
    (tmp_path / "a.key").mkdir()
    with pytest.raises(PkiError, match="cannot be written"):
        write_file(tmp_path / "a.key", b"new")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.key"]
