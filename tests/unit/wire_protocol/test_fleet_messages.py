from dataclasses import replace
from typing import Any

import pytest

from tests.builders import wire_messages as wire
from wire_protocol.envelope import make
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import from_value, to_value
from wire_protocol.fleet_messages import DesiredDown, FileRequestUp, Settings
from wire_protocol.limits import FILE_BLOCK_MAX_BYTES, MESSAGE_MAX_BYTES
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Up

_DIGEST = "a" * 64
_VALUE: dict[str, Any] = {"path": "metadata/1.root.json", "offset": 0, "length": 1}


@pytest.mark.parametrize(
    "path",
    [
        "metadata/1.root.json",
        "metadata/timestamp.json",
        f"targets/releases/7/{_DIGEST}.model.onnx",
        f"targets/{_DIGEST}.service-keys.json",
        "targets/a%20b",
    ],
)
def test_paths_of_a_repository_can_be_asked_for(path: str) -> None:
    """Metadata and targets, as TUF names them."""
    assert from_value(FileRequestUp, {**_VALUE, "path": path}, "").path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "metadata",
        "metadata/",
        "/metadata/1.root.json",
        "metadata//1.root.json",
        "metadata/../../other/metadata/1.root.json",
        "targets/..",
        "targets/./a",
        "targets/a/../b",
        "other/metadata/1.root.json",
        "metadata/1.root.json\n",
        "metadata/1.root.json\0",
        "metadata\\..\\a",
        "targets/a b",
        "targets/\u0661",
        "targets/a?version=1",
        "targets/" + "a" * 129,
        "targets/a/b/c/d/e/f/g",
    ],
)
def test_no_path_climbs_or_leaves_the_repository(path: str) -> None:
    """T7, T8: refused by the message itself, before anybody looks for a file."""
    with pytest.raises(RefusedMessage) as refused:
        from_value(FileRequestUp, {**_VALUE, "path": path}, "")
    assert refused.value.reason is Reason.BAD_PAYLOAD


@pytest.mark.parametrize(
    "changes", [{"length": 0}, {"length": FILE_BLOCK_MAX_BYTES + 1}, {"offset": -1}, {"offset": 1 << 27}]
)
def test_pieces_have_bounds(changes: dict[str, int]) -> None:
    """T8: nobody asks for endless data."""
    with pytest.raises(RefusedMessage):
        from_value(FileRequestUp, {**_VALUE, **changes}, "")


def test_the_largest_piece_fits_a_message() -> None:
    """With its envelope, signature and the longest numbers."""
    head = wire.header(Down.FILE_BLOCK)
    message = make(head, wire.PAYLOADS[Down.FILE_BLOCK], (bytes(FILE_BLOCK_MAX_BYTES),), wire.FILES_KEY)
    assert len(message) <= MESSAGE_MAX_BYTES


def test_release_and_digest_belong_together() -> None:
    """A register is never told half of what to run."""
    desired = wire.PAYLOADS[Down.DESIRED]
    assert isinstance(desired, DesiredDown)
    for half in ({"release": None}, {"digest": None}):
        with pytest.raises(ValueError, match="together"):
            replace(desired, **half)
    assert DesiredDown(1, Settings()).release is None


def test_a_request_says_what_it_means() -> None:
    """As the example."""
    assert set(to_value(wire.PAYLOADS[Up.FILE_REQUEST])) == set(_VALUE)  # type: ignore[arg-type] # a map
