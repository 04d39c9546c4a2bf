"""The pairing token in the data folder."""

import stat
from pathlib import Path

import pytest

from edge_agent.adapters.http.pairing import kept_token
from edge_agent.errors import DataFolderError
from tests.builders.records import seeded_randomness


def test_a_token_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    """256 random bits, mode 0600, the same at the next start."""
    token, path = kept_token(tmp_path, seeded_randomness(1))
    assert len(token) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_token(tmp_path, seeded_randomness(2)) == (token, path)


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """Somebody copied it with another umask."""
    (tmp_path / "pairing-token").write_text("a-token-that-somebody-chose\n")
    (tmp_path / "pairing-token").chmod(0o644)
    token, path = kept_token(tmp_path, seeded_randomness(1))
    assert token == "a-token-that-somebody-chose"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"two words are no token", b"\xff" * 40, b"x" * 300])
def test_a_file_without_a_token_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    """An empty token would let everybody in."""
    (tmp_path / "pairing-token").write_bytes(content)
    with pytest.raises(DataFolderError) as refused:
        kept_token(tmp_path, seeded_randomness(1))
    assert refused.value.remedy


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    """With the path."""
    with pytest.raises(DataFolderError, match="pairing-token"):
        kept_token(tmp_path / "missing", seeded_randomness(1))
