import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.adapters import data_folder
from edge_agent.adapters.data_folder import DataFolder, held
from edge_agent.errors import DataFolderBusyError, DataFolderError
from tests.builders.records import seeded_randomness

_HOLD = """
import sys
from pathlib import Path
from edge_agent.adapters.data_folder import DataFolder, held
DataFolder(Path(sys.argv[1]), bytes)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "a" / "b", seeded_randomness()) as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700
        assert (folder.path / "receipt.key").stat().st_mode & 0o777 == 0o600


def test_the_receipt_key_stays(tmp_path: Path) -> None:
    with DataFolder(tmp_path, seeded_randomness(1)) as folder:
        key = folder.receipt_key
    with DataFolder(tmp_path, seeded_randomness(2)) as folder:
        assert folder.receipt_key == key
    assert len(key) == 32


@pytest.mark.parametrize("torn", [b"", b"short"])
def test_a_torn_receipt_key_is_replaced(tmp_path: Path, torn: bytes) -> None:
    """T13: what a power cut may leave of the file."""
    (tmp_path / "receipt.key").write_bytes(torn)
    with DataFolder(tmp_path, seeded_randomness(2)) as folder:
        assert len(folder.receipt_key) == 32


def test_a_second_agent_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    with DataFolder(tmp_path, seeded_randomness()), pytest.raises(DataFolderBusyError) as refusal:
        DataFolder(tmp_path, seeded_randomness())
    assert f"process {os.getpid()}" in str(refusal.value)
    assert "data_dir" in refusal.value.remedy


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    """Also after kill -9: no stale lock file ever keeps an agent from starting."""
    words = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataFolderBusyError, match=f"process {holder.pid}"):
            DataFolder(tmp_path, seeded_randomness())
        holder.kill()
    DataFolder(tmp_path, seeded_randomness()).close()


def test_closing_lets_the_next_one_in(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path, seeded_randomness())
    folder.close()
    folder.close()
    DataFolder(tmp_path, seeded_randomness()).close()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataFolderError, match="cannot be used as data folder") as refusal:
            DataFolder(path, seeded_randomness())
        assert not isinstance(refusal.value, DataFolderBusyError)


def test_a_key_that_cannot_be_written_is_refused_and_the_folder_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T12: the disk is full at the very first start."""

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(data_folder, "write_durably", full)
        with pytest.raises(DataFolderError, match="No space left"):
            DataFolder(tmp_path, seeded_randomness())
    DataFolder(tmp_path, seeded_randomness()).close()


def test_a_command_holds_the_folder_against_agents(tmp_path: Path) -> None:
    """No agent starts while files are changed, and none is there; nothing but the lock is made."""
    with held(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["agent.lock"]
        with pytest.raises(DataFolderBusyError):
            DataFolder(tmp_path, seeded_randomness())
    with DataFolder(tmp_path, seeded_randomness()), pytest.raises(DataFolderBusyError), held(tmp_path):
        raise AssertionError("an agent runs")
    with pytest.raises(DataFolderError, match="cannot be used"), held(tmp_path / "away"):
        raise AssertionError("there is none")
