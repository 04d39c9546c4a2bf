"""The systemd unit and the container file keep what the design promises."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.services import require

_DEPLOY = Path(__file__).parents[2] / "deploy"
_UNIT = _DEPLOY / "systemd" / "topscoop-edge.service"


def setting(name: str) -> list[str]:
    """All values of one setting of the unit."""
    return re.findall(rf"^{name}=(.*)$", _UNIT.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Type", "notify"),
        ("MemorySwapMax", "0"),
        ("LimitCORE", "0"),
        ("DynamicUser", "yes"),
        ("ProtectSystem", "strict"),
        ("NoNewPrivileges", "yes"),
        ("SupplementaryGroups", "video"),
        ("RestartPreventExitStatus", "2"),
    ],
)
def test_the_unit_keeps_pictures_off_the_disk_and_the_agent_in_its_corner(name: str, value: str) -> None:
    """No swap, no core dump, no rights; status 2 is a mistake that a restart does not heal."""
    assert setting(name) == [value]


def test_the_agent_goes_before_the_rest_of_the_till() -> None:
    """The measured reason for the answer's time on a busy till."""
    assert int(setting("Nice")[0]) <= -10


@pytest.mark.service
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """No unknown key, no misspelt value."""
    program = shutil.which("systemd-analyze")
    require("systemd-analyze", program is not None)
    assert program is not None
    copy = tmp_path / _UNIT.name
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", _UNIT.read_text("utf-8"), flags=re.MULTILINE)
    copy.write_text(text, "utf-8")
    checked = subprocess.run(
        [program, "verify", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    assert [line for line in checked.stderr.splitlines() if _UNIT.name in line] == []


def test_the_container_runs_without_root_and_with_locked_packages() -> None:
    """As the unit does."""
    text = (_DEPLOY / "edge.Dockerfile").read_text("utf-8")
    assert "--require-hashes" in text
    assert text.index("USER topscoop") < text.index("ENTRYPOINT")
    assert "/healthz" in text
