"""Files that pages ask for, under a path that changes with them, so that caches never show old ones."""

import hashlib
from pathlib import Path
from typing import Final

from starlette.responses import Response

_KINDS: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_FOREVER: Final = "public, max-age=31536000, immutable"


class StaticFiles:
    """The files of some folders, in memory.

    Args:
        folders: Each is there under its files' own names; a name in two of them is an error of ours.

    Attributes:
        path: What the pages write in front of a file's name.
    """

    def __init__(self, *folders: Path) -> None:
        self._files: dict[str, bytes] = {}
        for folder in folders:
            for file in sorted(folder.rglob("*")):
                if file.suffix in _KINDS:
                    name = file.relative_to(folder).as_posix()
                    assert name not in self._files, f"{name} is there twice"
                    self._files[name] = file.read_bytes()
        digest = hashlib.sha256()
        for name, data in self._files.items():
            digest.update(name.encode() + b"\0" + data)
        self.path = f"/static/{digest.hexdigest()[:16]}"

    def answer(self, digest: str, name: str) -> Response:
        """One file; 404 for another digest, so that a cache never stores what is not in its name."""
        data = self._files.get(name)
        if data is None or digest != self.path.rpartition("/")[2]:
            return Response(status_code=404)
        kind = _KINDS["." + name.rpartition(".")[2]] + "; charset=utf-8"
        return Response(data, media_type=kind, headers={"Cache-Control": _FOREVER})
