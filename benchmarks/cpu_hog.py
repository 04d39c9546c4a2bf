"""A program that wants one core for itself, and its caches too: what a busy till does to its neighbours."""

import hashlib

_BLOCK_BYTES = 1 << 20


def main() -> None:
    """Hash for ever."""
    block = bytes(_BLOCK_BYTES)
    digest = b""
    while True:
        digest = hashlib.sha256(digest + block).digest()


if __name__ == "__main__":
    main()
