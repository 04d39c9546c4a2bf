"""A draft's folder: what is written is read, and nothing else."""

from pathlib import Path

import pytest

from model_registry.adapters.folder_store import FolderStore
from model_registry.errors import UnusableDraft
from model_registry.releases.draft import read_draft, to_bytes, write_draft
from model_registry.releases.publication import publish
from tests.builders.release_drafts import NOW, Keys


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def store(tmp_path: Path, keys: Keys) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    publish(store, keys.begin(), keys.online, now=NOW)
    return store


def test_what_is_written_is_read(store: FolderStore, keys: Keys, tmp_path: Path) -> None:
    """Also the signatures, to the byte: the publisher compares."""
    draft = keys.release(store, 1)
    write_draft(draft, tmp_path / "draft")
    read = read_draft(tmp_path / "draft")
    assert read.targets is not None
    assert draft.targets is not None
    assert to_bytes(read.targets) == to_bytes(draft.targets)
    assert (read.files, read.evidence, read.chain) == (draft.files, draft.evidence, draft.chain)
    read.check()
    assert read.missing() == {}
    publish(store, read, keys.online, now=NOW)


def test_a_folder_of_something_else_is_left_alone(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UnusableDraft, match="holds something else"):
        write_draft(keys.begin(), tmp_path)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "{}",
        '{"format": "topscoop.draft/2"}',
        '{"format": "topscoop.draft/1", "chain": "x", "parts": [1]}',
    ],
    ids=["empty", "nothing", "newer", "numbers"],
)
def test_a_note_that_is_none_is_refused(note: str, tmp_path: Path) -> None:
    (tmp_path / "draft.json").write_text(note)
    with pytest.raises(UnusableDraft):
        read_draft(tmp_path)


def test_a_draft_that_turns_back_is_refused(store: FolderStore, keys: Keys) -> None:
    """T9: whoever has the targets key cannot undo a withdrawal through an honest publisher."""
    publish(store, keys.release(store, 1), keys.online, now=NOW)
    publish(store, keys.change(store, lambda editor: editor.withdraw(1, "bad")), keys.online, now=NOW)
    draft = keys.change(store, lambda editor: None)
    assert draft.targets is not None
    draft.targets.signed.unrecognized_fields["topscoop"]["withdrawn"] = {}
    with pytest.raises(UnusableDraft, match="turns back what was signed"):
        publish(store, keys.signed(draft), keys.online, now=NOW)


def test_a_foreign_key_signs_nothing(store: FolderStore, keys: Keys) -> None:
    assert keys.release(store, 1).sign(Keys().targets) == []
