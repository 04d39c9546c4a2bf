import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.demo.run_folder import PREFIX, run_folder, shared_memory_or

_HOLD = """
import sys, time
from pathlib import Path
from simulator.demo.run_folder import run_folder
with run_folder(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


def test_the_folder_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with run_folder(tmp_path) as folder:
        assert folder.name.startswith(PREFIX)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_it_goes_after_a_failure_too(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="on purpose"), run_folder(tmp_path):
        raise RuntimeError("on purpose")
    assert list(tmp_path.iterdir()) == []


def test_two_demos_have_two_folders(tmp_path: Path) -> None:
    with run_folder(tmp_path) as one, run_folder(tmp_path) as other:
        assert one != other
        assert one.is_dir()


def test_the_folder_of_a_killed_demo_is_removed_by_the_next_and_a_running_ones_is_not(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[4],
    )
    with holder:
        assert holder.stdout is not None
        held = Path(holder.stdout.readline().strip())
        with run_folder(tmp_path):
            assert held.is_dir()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert held.is_dir()
        with run_folder(tmp_path):
            assert not held.exists()


def test_a_folder_without_lock_is_none_of_ours(tmp_path: Path) -> None:
    foreign = tmp_path / f"{PREFIX}kept"
    foreign.mkdir()
    with run_folder(tmp_path):
        assert foreign.is_dir()


def test_pictures_go_to_memory_where_there_is_any(tmp_path: Path) -> None:
    place = shared_memory_or(tmp_path)
    assert place == (Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path)
