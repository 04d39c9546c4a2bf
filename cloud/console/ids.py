"""Ids in addresses: 16 bytes as 32 small hex digits, or nothing of that name. Pure."""

from typing import Final

from cloud.console.errors import NotFound

_BYTES: Final = 16


def id_from(text: str, what: str) -> bytes:
    """The id that an address names.

    Args:
        text: As it stands in the address.
        what: For people: `rollout`, `entry`.

    Raises:
        NotFound: It cannot be an id.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _BYTES or key.hex() != text:
        raise NotFound(f"there is no such {what}", remedy="Go on from the navigation.")
    return key
