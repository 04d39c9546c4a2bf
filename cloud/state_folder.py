"""The folder of certificates, keys and, with SQLite, the databases: for its owner's eyes only."""

import os
from pathlib import Path
from typing import Final

from cloud.errors import StateFolderError

OWNER_ONLY: Final = 0o700
_OTHERS: Final = 0o077


def prepare_folder(path: Path) -> bool:
    """Make a private folder, or see that the one that is there is private; whether it was made.

    An empty folder is made private: a new volume is open to all, and nothing was read from it yet.

    Raises:
        StateFolderError: It cannot be made or written to, or others may look into it.
    """
    try:
        made = not path.exists()
        path.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        if path.stat().st_mode & _OTHERS and not any(path.iterdir()):
            path.chmod(OWNER_ONLY)
        mode = path.stat().st_mode
    except OSError as error:
        raise StateFolderError(
            f"{path}: cannot be used: {error.strerror}",
            remedy="Set `state_dir` to a folder that this user may write to.",
        ) from error
    if mode & _OTHERS:
        raise StateFolderError(f"others may look into {path}", remedy=f"chmod 700 {path}")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise StateFolderError(
            f"{path}: this user may not write to it", remedy="Run as the user that the folder belongs to."
        )
    return made
