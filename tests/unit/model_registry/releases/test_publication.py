"""Publication: killed at every step, raced, and refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata
from tuf.ngclient import Updater

from model_registry.adapters.folder_store import FolderStore
from model_registry.errors import RepositoryBroken, StoreAway, UnusableDraft, UnusableKey
from model_registry.releases.draft import Draft
from model_registry.releases.publication import publish, renew
from model_registry.releases.state import listing_of, read_state
from model_registry.releases.verification import _StoreFetcher
from tests.builders.release_drafts import NOW, BrokenStore, DyingStore, Keys, Killed
from tests.builders.release_repository import chain_model


class Till:
    """A register's TUF client, over the folder."""

    def __init__(self, store: FolderStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        folder.mkdir()

    def look(self) -> list[int]:
        """The releases that it sees; what it knows already stays where it raises."""
        updater = Updater(
            str(self._folder),
            "store:metadata/",
            target_base_url="store:targets/",
            fetcher=_StoreFetcher(self._store),
            bootstrap=self._store.get("metadata/1.root.json"),
        )
        updater.refresh()
        metadata: Metadata[Any] = Metadata.from_bytes((self._folder / "targets.json").read_bytes())
        releases = list(listing_of(metadata.signed).releases)
        for path in metadata.signed.targets:
            info = updater.get_targetinfo(path)
            assert info is not None
            updater.download_target(info, str(self._folder / "target"))  # never listed before it is there
        return releases


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def store(tmp_path: Path, keys: Keys) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    publish(store, keys.begin(), keys.online, now=NOW)
    return store


def _publish(store: FolderStore, keys: Keys, draft: Draft) -> None:
    publish(store, draft, keys.online, now=NOW)


@pytest.fixture
def till(store: FolderStore, tmp_path: Path) -> Till:
    return Till(store, tmp_path / "till")


def test_a_release_is_seen_and_can_be_fetched(store: FolderStore, keys: Keys, till: Till) -> None:
    assert till.look() == []
    _publish(store, keys, keys.release(store, 1))
    assert till.look() == [1]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 7))
def test_killed_at_each_step(step: int, when: str, store: FolderStore, keys: Keys, till: Till) -> None:
    """T13: a client sees the releases of before or those of after; publishing again ends it."""
    _publish(store, keys, keys.release(store, 1))
    assert till.look() == [1]
    draft = keys.release(store, 2)
    dying = DyingStore(store, at=step, after=when == "after")
    with pytest.raises(Killed):
        publish(dying, draft, keys.online, now=NOW)
    done = (step, when) == (6, "after")
    assert till.look() == ([1, 2] if done else [1])
    publish(store, draft, keys.online, now=NOW + timedelta(hours=1))
    assert till.look() == [1, 2]


def test_there_are_six_steps(store: FolderStore, keys: Keys) -> None:
    """Two files, targets, snapshot, root, timestamp: the test above kills at each."""
    _publish(store, keys, keys.release(store, 1))
    counting = DyingStore(store, at=0, after=False)
    publish(counting, keys.release(store, 2), keys.online, now=NOW)
    assert counting.writes == 6


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 5))
def test_the_beginning_killed_at_each_step(step: int, when: str, tmp_path: Path, keys: Keys) -> None:
    """T13: also a repository's very first publication is ended by running it again."""
    store = FolderStore(tmp_path / "new")
    draft = keys.begin()
    with pytest.raises(Killed):
        publish(DyingStore(store, at=step, after=when == "after"), draft, keys.online, now=NOW)
    publish(store, draft, keys.online, now=NOW + timedelta(hours=1))
    assert Till(store, tmp_path / "till").look() == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 5))
def test_a_change_of_keys_killed_at_each_step(
    step: int, when: str, store: FolderStore, keys: Keys, till: Till
) -> None:
    """T13: a client sees the truth, or refuses and keeps what it has; renewing or publishing ends it."""
    _publish(store, keys, keys.release(store, 1))
    assert till.look() == [1]
    draft = keys.new_timestamp_key(read_state(store))
    with pytest.raises(Killed):
        publish(DyingStore(store, at=step, after=when == "after"), draft, keys.online, now=NOW)
    try:
        assert till.look() == [1]
    except RepositoryError:
        assert read_state(store).stale == {"timestamp"}
        renew(store, keys.online, now=NOW)
        assert till.look() == [1]
    publish(store, draft, keys.online, now=NOW)
    assert read_state(store).stale == frozenset()
    assert till.look() == [1]


def test_another_draft_after_one_that_was_cut_off(store: FolderStore, keys: Keys, till: Till) -> None:
    """What a cut-off publication left behind stands in nobody's way."""
    with pytest.raises(Killed):
        publish(DyingStore(store, at=4, after=True), keys.release(store, 1), keys.online, now=NOW)
    other = chain_model("polar-scoop").noted("another")
    _publish(store, keys, keys.release(store, 1, other))
    assert till.look() == [1]
    assert read_state(store).targets.signed.version == 3


def test_of_two_drafts_the_second_is_made_again(store: FolderStore, keys: Keys) -> None:
    """Else it would undo the first without anybody having said so."""
    first, second = keys.release(store, 1), keys.release(store, 2)
    _publish(store, keys, first)
    with pytest.raises(UnusableDraft, match="since the draft was made"):
        _publish(store, keys, second)


def test_publishing_twice_is_no_error(store: FolderStore, keys: Keys, till: Till) -> None:
    draft = keys.release(store, 1)
    _publish(store, keys, draft)
    _publish(store, keys, draft)
    assert till.look() == [1]


def test_a_renewal_in_the_middle_loses_nothing(store: FolderStore, keys: Keys, till: Till) -> None:
    """Whoever finds another timestamp than it read begins again."""

    class Meanwhile(DyingStore):
        def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
            if self.writes < 100:
                self.writes = 100
                renew(store, keys.online, now=NOW, force=True)
            super().replace(path, content, expected=expected)

    publish(Meanwhile(store, at=0, after=False), keys.release(store, 1), keys.online, now=NOW)
    assert till.look() == [1]
    assert read_state(store).timestamp.signed.version == 3


@pytest.mark.parametrize(
    ("age", "timestamp", "snapshot"),
    [
        (timedelta(hours=23), 1, 1),
        (timedelta(hours=25), 2, 1),
        (timedelta(days=15, hours=1), 2, 2),
        (timedelta(days=400), 2, 2),
    ],
    ids=["fresh", "a-day", "half-a-month", "long-expired"],
)
def test_renewal_is_due(
    age: timedelta, timestamp: int, snapshot: int, store: FolderStore, keys: Keys
) -> None:
    done = renew(store, keys.online, now=NOW + age)
    state = read_state(store)
    assert (state.timestamp.signed.version, state.snapshot.signed.version) == (timestamp, snapshot)
    assert (done is None) == (timestamp == 1)
    if done is not None:
        assert state.timestamp.signed.expires == NOW + age + timedelta(days=7)


@pytest.mark.parametrize("role", ["snapshot", "timestamp"])
def test_keys_of_another_chain_sign_nothing(role: str, store: FolderStore, keys: Keys) -> None:
    others = [one for one in keys.online if one is not getattr(keys, role)]
    with pytest.raises(UnusableKey, match=role):
        publish(store, keys.release(store, 1), [*others, CryptoSigner.generate_ed25519()], now=NOW)
    with pytest.raises(UnusableKey, match=role):
        renew(store, others, now=NOW, force=True)


def test_another_chains_draft_is_refused(store: FolderStore, keys: Keys, tmp_path: Path) -> None:
    stranger = Keys("gelateria-sole")
    theirs = FolderStore(tmp_path / "theirs")
    publish(theirs, stranger.begin(), stranger.online, now=NOW)
    with pytest.raises(UnusableDraft, match="the root was changed"):
        publish(store, stranger.release(theirs, 1), keys.online, now=NOW)
    with pytest.raises(UnusableDraft, match="another root of that version"):
        publish(store, stranger.begin(), keys.online, now=NOW)


def _unsigned(draft: Draft) -> None:
    assert draft.targets is not None
    draft.targets.signatures.clear()


def _other_file(draft: Draft) -> None:
    path = next(path for path in draft.files if path.endswith("model.onnx"))
    draft.files[path] += b"x"


def _missing_file(draft: Draft) -> None:
    draft.files.popitem()


def _odd_file(draft: Draft) -> None:
    draft.files["targets/index.html"] = b"hello"


def _no_evidence(draft: Draft) -> None:
    draft.evidence.clear()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_unsigned, "signatures are missing: 1 of targets"),
        (_other_file, "is missing from the draft, or has other bytes"),
        (_missing_file, "is missing from the draft, or has other bytes"),
        (_odd_file, "which its metadata does not name"),
        (_no_evidence, "there is no report.json"),
    ],
    ids=["unsigned", "other-file", "missing-file", "odd-file", "no-evidence"],
)
def test_a_spoiled_draft_is_refused(
    spoil: Callable[[Draft], None], words: str, store: FolderStore, keys: Keys, till: Till
) -> None:
    draft = keys.release(store, 1)
    spoil(draft)
    with pytest.raises(UnusableDraft, match=words):
        _publish(store, keys, draft)
    assert till.look() == []


def test_a_broken_store_is_told(keys: Keys) -> None:
    with pytest.raises(StoreAway):
        publish(BrokenStore(), keys.begin(), keys.online, now=NOW)


def test_a_timestamp_that_the_keys_did_not_sign_is_no_ground_to_build_on(
    store: FolderStore, keys: Keys, tmp_path: Path
) -> None:
    path = tmp_path / "store" / "metadata" / "timestamp.json"
    metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
    metadata.signatures.clear()
    metadata.sign(CryptoSigner.generate_ed25519())
    path.write_bytes(metadata.to_bytes())
    with pytest.raises(RepositoryBroken, match="not signed by the keys of the root"):
        renew(store, keys.online, now=NOW)
