"""Where a page sends the browser next: only to another page of this console. Pure."""

from typing import Final

from cloud.identity.local_path import local_path as local_path_or

HOME: Final = "/overview"


def local_path(text: str) -> str:
    """`text` where it is a path of this host, else the first page: no open redirect."""
    return local_path_or(text, HOME)
