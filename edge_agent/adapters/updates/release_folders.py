"""The folders of complete releases."""

import logging
import shutil
from collections.abc import Collection
from pathlib import Path

from daemon.log_fields import fields
from edge_agent.adapters.durable import sync_folder

log = logging.getLogger(__name__)


class ReleaseFolders:
    """`Releases` below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, directory: str) -> Path:
        """As `Releases.path`."""
        return self._folder / directory

    def clear(self, keep: Collection[str]) -> None:
        """As `Releases.clear`."""
        try:
            gone = [path for path in self._folder.iterdir() if path.name not in keep]
            for path in gone:
                shutil.rmtree(path)
                log.info("release.removed", extra=fields(directory=path.name))
            if gone:
                sync_folder(self._folder)
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("release.not_removed", extra=fields(error=str(error)))
