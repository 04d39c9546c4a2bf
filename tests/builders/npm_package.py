"""Packages of npm that tests need: installed once into `build/npm/`, then used from there."""

import subprocess
import tempfile
from pathlib import Path

from tests.services import require_program, skip_or_fail

_FOLDER = Path(__file__).parents[2] / "build" / "npm"
_TIMEOUT_S = 300


def npm_package(name: str, version: str) -> Path:
    """The folder `node_modules` that holds a package and what it needs.

    Args:
        name: Of the package.
        version: Exactly.

    A test that cannot have it is skipped, or fails where services are promised.
    """
    require_program("node")
    npm = require_program("npm")
    folder = _FOLDER / f"{name.replace('/', '-')}-{version}"
    if not folder.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_FOLDER, prefix=".installing-") as new:
            _install(npm, Path(new), f"{name}@{version}")
            try:
                # Another process of the same run may have been quicker.
                Path(new).rename(folder)
            except OSError:
                if not folder.exists():
                    raise
            else:
                Path(new).mkdir()  # for its context manager to remove
    return folder / "node_modules"


def _install(npm: Path, folder: Path, spec: str) -> None:
    command = [str(npm), "install", "--no-audit", "--no-fund", "--no-save", "--no-package-lock", "--prefix"]
    said = "npm did not end"
    try:
        ended = subprocess.run(
            [*command, str(folder), spec],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pass
    else:
        if ended.returncode == 0:
            return
        said = ended.stderr.strip()[-500:]
    skip_or_fail(f"npm cannot install {spec} here: {said}")
