"""The generated client is the one that the API's description makes today."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_CLIENT = Path(__file__).parents[3] / "api_client"


def _tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_is_what_make_client_makes(tmp_path: Path) -> None:
    """Nobody edited it, and no route changed without it; if this fails, run `make client`."""
    made = tmp_path / "generated"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [_CLIENT / "generate", made], env={**os.environ, "PATH": path}, check=True, capture_output=True
    )
    assert _tree(made) == _tree(_CLIENT / "generated")
