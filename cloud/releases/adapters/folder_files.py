"""Repositories in a folder: `{folder}/tuf/{tenant}/metadata` and `targets`."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

from cloud.releases.errors import FileMissing, ReleasesAway, ReleasesRefused
from cloud.releases.paths import checked
from cloud.releases.ports import Piece

_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""A link at the end of a path is not followed; a pipe that somebody put there does not keep us waiting."""


class FolderFiles:
    """As `ReleaseFiles`.

    Args:
        folder: That holds `tuf/`; `releases.folder` of the configuration.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, tenant: str, path: str, offset: int, length: int) -> Piece:
        """As the port says."""
        place = self._folder / checked(tenant, path)
        try:
            # Links in between are followed only as far as the chain's own folder reaches.
            own = (self._folder / "tuf" / tenant).resolve()
            if not place.parent.resolve().is_relative_to(own):
                raise FileMissing(f"{path} lies outside of the repository")
            handle = os.open(place, _OPEN)
        except (FileNotFoundError, NotADirectoryError) as error:
            self._check_folder()
            raise FileMissing(f"{path} is not there") from error
        except PermissionError as error:
            raise ReleasesRefused(
                f"{place} may not be read", remedy="Let the service's user read releases.folder."
            ) from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FileMissing(f"{path} is a link") from error
            raise ReleasesAway(f"{place} cannot be read: {error.strerror}") from error
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise FileMissing(f"{path} is no file")
            return Piece(os.pread(handle, length, offset), found.st_size)
        except OSError as error:
            raise ReleasesAway(f"{place} cannot be read: {error.strerror}") from error
        finally:
            os.close(handle)

    def _check_folder(self) -> None:
        """A file that is missing means something only where the folder is there: it may be unmounted."""
        if not self._folder.is_dir():
            raise ReleasesRefused(
                f"{self._folder} is not there",
                remedy="Correct releases.folder, or make it: `topscoop cloud setup`.",
            )
