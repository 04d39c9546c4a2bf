"""Where a chain's repository lies, and which of its names never change their content. Pure."""

import re
from typing import Final

from cloud.releases.errors import FileMissing
from wire_protocol.identifiers import is_name
from wire_protocol.limits import FILE_PATH_MAX

_PATH: Final = re.compile(r"(?:metadata|targets)(?:/[A-Za-z0-9_%.-]{1,128}){1,6}\Z")
_VERSIONED: Final = re.compile(r"metadata/[1-9]\d{0,9}\.[A-Za-z0-9_%-]+\.json\Z")
_HASHED: Final = re.compile(r"targets/(?:[^/]+/)*([0-9a-f]{64})\.[^/]+\Z")


def checked(tenant: str, path: str) -> str:
    """`tuf/{tenant}/{path}`: the place of a file below the store.

    The message that asks has the same rule; this is the second wall.

    Raises:
        FileMissing: The path climbs, or is no path of a repository.
        ValueError: The tenant is no name.
    """
    if not is_name(tenant):
        raise ValueError(f"not a tenant: {tenant!r:.80}")
    if len(path) > FILE_PATH_MAX or not _PATH.match(path) or {".", ".."} & set(path.split("/")):
        raise FileMissing(f"{path!r:.100} is no path of a repository")
    return f"tuf/{tenant}/{path}"


def is_versioned(path: str) -> bool:
    """Whether it is metadata whose name has its version: written once, never changed."""
    return _VERSIONED.match(path) is not None


def digest_in(path: str) -> str | None:
    """The SHA-256 that a target's name says its content has, in hex."""
    found = _HASHED.match(path)
    return found[1] if found else None
