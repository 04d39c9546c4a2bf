import pytest

from tests.builders import wire_messages as wire
from wire_protocol import sealing
from wire_protocol.sealing import OVERHEAD_BYTES, SealBroken, seal, unseal

_INFO = b"info"


def test_what_was_sealed_opens() -> None:
    """With the private half and the same info; 48 bytes longer, and different every time."""
    sealed = seal(b"picture", wire.PICTURE_PUBLIC, _INFO)
    assert len(sealed) == len(b"picture") + OVERHEAD_BYTES
    assert unseal(sealed, wire.PICTURE_PRIVATE, _INFO) == b"picture"
    assert seal(b"picture", wire.PICTURE_PUBLIC, _INFO) != sealed


def test_other_key_info_or_bytes_do_not_open() -> None:
    """One error for all, so that nothing can be learned from it."""
    sealed = seal(b"picture", wire.PICTURE_PUBLIC, _INFO)
    for bytes_, key, info in [
        (sealed, wire.label_bytes("another picture"), _INFO),
        (sealed, wire.PICTURE_PRIVATE, b"Info"),
        (sealed, wire.PICTURE_PRIVATE, b""),
        (sealed[:-1], wire.PICTURE_PRIVATE, _INFO),
        (sealed + b"\0", wire.PICTURE_PRIVATE, _INFO),
        (sealed[:31], wire.PICTURE_PRIVATE, _INFO),
        (sealed[:40], wire.PICTURE_PRIVATE, _INFO),
        (b"", wire.PICTURE_PRIVATE, _INFO),
        (bytes(60), wire.PICTURE_PRIVATE, _INFO),
        (sealed, b"short", _INFO),
    ]:
        with pytest.raises(SealBroken):
            unseal(bytes_, key, info)


def test_every_flipped_byte_is_noticed() -> None:
    """The encapsulated key, the ciphertext and its tag."""
    sealed = seal(b"picture", wire.PICTURE_PUBLIC, _INFO)
    for position in range(len(sealed)):
        for mask in (0x01, 0x80) if position != 31 else (0x01,):  # X25519 ignores the top bit of its input
            with pytest.raises(SealBroken):
                unseal(_flip(sealed, position, mask), wire.PICTURE_PRIVATE, _INFO)


def _flip(data: bytes, position: int, mask: int) -> bytes:
    return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]


@pytest.mark.parametrize(
    "public",
    [
        bytes(32),
        b"\1" + bytes(31),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        (2**255 - 19 - 1).to_bytes(32, "little"),
        (2**255 - 19).to_bytes(32, "little"),
        (2**255 - 18).to_bytes(32, "little"),
        b"",
        bytes(31),
        bytes(33),
    ],
    ids=lambda key: key.hex()[:12] or "empty",
)
def test_nothing_is_sealed_to_a_key_that_everybody_has(public: bytes) -> None:
    """Points of small order give a shared secret that everybody knows; other lengths are no keys."""
    with pytest.raises(ValueError):
        sealing.seal(b"picture", public, _INFO)
