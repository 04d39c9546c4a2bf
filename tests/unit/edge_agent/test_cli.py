import argparse
import subprocess
import sys

import pytest

from edge_agent.cli import add_commands

_HEAVY = ("cv2", "fastapi", "inference", "numpy", "onnxruntime", "sqlite_utils", "uvicorn")
_PROBE = f"""
import argparse, sys
from edge_agent.cli import add_commands
add_commands(argparse.ArgumentParser().add_subparsers())
print(*(name for name in {_HEAVY} if name in sys.modules))
"""


@pytest.mark.parametrize("verb", ["run", "doctor", "bench", "replay", "config"])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser(prog="topscoop")
    add_commands(parser.add_subparsers())
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["edge", verb, "--help"])
    assert end.value.code == 0
    assert f"topscoop edge {verb}" in capsys.readouterr().out


def test_help_needs_nothing_heavy() -> None:
    """Verbs import what they need when they run."""
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
