"""What every place for a release repository promises: a folder, and a real S3 server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from model_registry.adapters.folder_store import FolderStore
from model_registry.adapters.s3_store import S3Store
from model_registry.errors import AlreadyThere, ChangedMeanwhile, StoreAway, StoreFileMissing
from model_registry.releases.ports import ReleaseStore

if TYPE_CHECKING:
    from tests.builders.ceph_s3 import CephS3


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ReleaseStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "tuf" / "chain")
    server: CephS3 = request.getfixturevalue("real_s3")
    client = server.client()
    bucket = f"releases-{uuid4()}"
    client.create_bucket(Bucket=bucket)  # versions are off: conditions are honoured there by every server
    return S3Store(client, bucket, "tuf/chain")


def test_what_was_put_is_there(store: ReleaseStore) -> None:
    store.put_new("metadata/1.root.json", b"root")
    store.put_new("targets/releases/7/3f.model.onnx", b"\0" * 100_000)
    assert store.get("metadata/1.root.json") == b"root"
    assert store.get("targets/releases/7/3f.model.onnx") == b"\0" * 100_000


def test_what_was_not_put_is_missing(store: ReleaseStore) -> None:
    with pytest.raises(StoreFileMissing):
        store.get("metadata/1.root.json")
    assert store.names("metadata") == frozenset()


def test_a_file_never_changes(store: ReleaseStore) -> None:
    """Other bytes under a listed name are refused; the same again are not."""
    store.put_new("metadata/1.root.json", b"root")
    store.put_new("metadata/1.root.json", b"root")
    with pytest.raises(AlreadyThere):
        store.put_new("metadata/1.root.json", b"other")
    assert store.get("metadata/1.root.json") == b"root"


def test_the_timestamp_is_compared_and_swapped(store: ReleaseStore) -> None:
    path = "metadata/timestamp.json"
    store.replace(path, b"1", expected=None)
    with pytest.raises(ChangedMeanwhile):
        store.replace(path, b"2", expected=None)
    with pytest.raises(ChangedMeanwhile):
        store.replace(path, b"2", expected=b"0")
    store.replace(path, b"2", expected=b"1")
    assert store.get(path) == b"2"


def test_a_timestamp_that_is_gone_is_no_other(store: ReleaseStore) -> None:
    with pytest.raises(ChangedMeanwhile):
        store.replace("metadata/timestamp.json", b"2", expected=b"1")


def test_names_are_those_of_the_folder(store: ReleaseStore) -> None:
    """Nothing of other folders, and nothing that is only on its way."""
    for path in ("metadata/1.root.json", "metadata/1.targets.json", "targets/x/y.json"):
        store.put_new(path, b"{}")
    store.replace("metadata/timestamp.json", b"{}", expected=None)
    assert store.names("metadata") == {
        "metadata/1.root.json",
        "metadata/1.targets.json",
        "metadata/timestamp.json",
    }
    assert store.names("targets") == frozenset()


def test_of_many_that_put_at_once_one_wins(store: ReleaseStore) -> None:
    won = _race(lambda number: store.put_new("metadata/2.targets.json", b"%d" % number), AlreadyThere)
    assert [b"%d" % number for number in won] == [store.get("metadata/2.targets.json")]


def test_of_many_that_swap_at_once_one_wins(store: ReleaseStore) -> None:
    path = "metadata/timestamp.json"
    store.replace(path, b"before", expected=None)
    won = _race(lambda number: store.replace(path, b"%d" % number, expected=b"before"), ChangedMeanwhile)
    assert [b"%d" % number for number in won] == [store.get(path)]


def _race(act: Callable[[int], None], refused: type[Exception], many: int = 6) -> list[int]:
    won: list[int] = []
    start = threading.Barrier(many)

    def one(number: int) -> None:
        start.wait()
        try:
            act(number)
        except refused:
            return
        won.append(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreAway, match="file exists") as caught:
        FolderStore(tmp_path / "file" / "chain").put_new("metadata/1.root.json", b"")
    assert caught.value.remedy


@pytest.mark.service
def test_a_bucket_that_is_missing_is_told(real_s3: CephS3) -> None:
    store = S3Store(real_s3.client(), "no-such-bucket", "tuf/chain")
    for act in (
        lambda: store.get("a"),
        lambda: store.names("metadata"),
        lambda: store.put_new("a", b""),
    ):
        with pytest.raises(StoreAway, match="NoSuchBucket") as caught:
            act()
        assert caught.value.remedy
