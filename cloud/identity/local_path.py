"""Where a login sends the browser in the end: only to another page of this host. Pure."""

import re
from typing import Final

_LOCAL: Final = re.compile(r"/(?![/\\])[!-~]{0,1000}\Z")


def local_path(text: str, home: str) -> str:
    r"""`text` where it is a path of this host, else `home`: no open redirect.

    `//other.example` and `/\other.example` are other hosts to a browser. A login never leads to a login.
    """
    return text if _LOCAL.match(text) and "\\" not in text and not text.startswith("/login") else home
