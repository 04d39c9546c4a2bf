"""Strong entity tags and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1.2). Pure."""

import hashlib
import re
from base64 import urlsafe_b64encode
from typing import Final

_TAG: Final = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')
_TAGS_MAX: Final = 50


def etag(body: bytes) -> str:
    """The strong tag of these bytes: equal for equal bytes, and for no others."""
    return f'"{urlsafe_b64encode(hashlib.sha256(body).digest()[:18]).decode()}"'


def has_it(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has what `tag` names, by its `If-None-Match`; False for one that cannot be read.

    The comparison is the weak one, as section 13.1.2 wants it for this field: a cache may have weakened it.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    at = 0
    tags: list[str] = []
    while at < len(if_none_match):
        found = _TAG.match(if_none_match, at)
        if found is None or len(tags) == _TAGS_MAX:
            return False
        tags.append(found[1])
        at = found.end()
    return tag in tags
