"""Where a page sends the browser next: only to another page of this console. Pure."""

import re
from typing import Final

HOME: Final = "/overview"
_LOCAL: Final = re.compile(r"/(?![/\\])[!-~]{0,1000}\Z")


def local_path(text: str) -> str:
    r"""`text` where it is a path of this host, else the first page: no open redirect.

    `//other.example` and `/\other.example` are other hosts to a browser.
    """
    return text if _LOCAL.match(text) and "\\" not in text and not text.startswith("/login") else HOME
