"""Reading a repository: what is not signed is not believed."""

from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata

from model_registry.adapters.folder_store import FolderStore
from model_registry.errors import NoRepository, RepositoryBroken
from model_registry.releases.publication import publish
from model_registry.releases.state import read_state, root_note, versions
from tests.builders.release_drafts import NOW, Keys
from wire_protocol.release_metadata import BadReleaseMetadata


@pytest.fixture
def place(tmp_path: Path) -> Path:
    keys = Keys()
    store = FolderStore(tmp_path)
    publish(store, keys.begin(), keys.online, now=NOW)
    draft = keys.new_timestamp_key(read_state(store))
    publish(store, draft, keys.online, now=NOW)
    return tmp_path


def test_a_whole_repository(place: Path) -> None:
    state = read_state(FolderStore(place))
    assert (state.chain, len(state.roots), state.stale) == ("polar-scoop", 2, frozenset())
    assert dict(state.listing.releases) == {}


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NoRepository):
        read_state(FolderStore(tmp_path))


@pytest.mark.parametrize(
    "name", ["1.root.json", "2.root.json", "2.snapshot.json", "1.targets.json", "timestamp.json"]
)
@pytest.mark.parametrize("spoil", ["signature", "no-json", "empty"])
def test_a_spoiled_file_is_named(name: str, spoil: str, place: Path) -> None:
    path = place / "metadata" / name
    metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
    metadata.signed.unrecognized_fields["x"] = 1
    path.write_bytes({"signature": metadata.to_bytes(), "no-json": b"{", "empty": b""}[spoil])
    with pytest.raises(
        RepositoryBroken,
        match=r"root 2 lacks|root 1 lacks" if spoil == "signature" and "root" in name else name,
    ):
        read_state(FolderStore(place))


@pytest.mark.parametrize("name", ["1.root.json", "2.snapshot.json", "1.targets.json", "timestamp.json"])
def test_a_missing_file_is_told(name: str, place: Path) -> None:
    (place / "metadata" / name).unlink()
    with pytest.raises(RepositoryBroken):
        read_state(FolderStore(place))


def test_a_root_out_of_its_order_is_none(place: Path) -> None:
    (place / "metadata" / "4.root.json").write_bytes((place / "metadata" / "2.root.json").read_bytes())
    with pytest.raises(RepositoryBroken, match=r"4\.root\.json is not the root that follows"):
        read_state(FolderStore(place))


def test_a_root_without_a_chain_is_none(place: Path) -> None:
    root = read_state(FolderStore(place)).root
    del root.unrecognized_fields["topscoop"]
    with pytest.raises(BadReleaseMetadata, match="root must be an object"):
        root_note(root)


def test_versions_are_numbers() -> None:
    names = ["metadata/10.root.json", "metadata/9.root.json", "metadata/01.root.json", "metadata/x.root.json"]
    assert versions(names, "root") == [9, 10]
