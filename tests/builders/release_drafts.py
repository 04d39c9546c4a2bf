"""Drafts of a chain's releases with all keys in memory, for tests of the registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from model_registry.errors import StoreAway
from model_registry.releases.draft import Draft
from model_registry.releases.edits import ROOT_LIFE, Editor
from model_registry.releases.state import State, read_state
from tests.builders.release_repository import MODELS, ModelFiles, chain_model, compact
from wire_protocol.release_metadata import FIELD, ReleaseTarget, RootNote, golden_path

if TYPE_CHECKING:
    from model_registry.releases.ports import ReleaseStore

NOW = datetime.now(UTC).replace(microsecond=0)
"""When everything is signed: the clients that look are TUF's own, and ask the clock."""


class Keys:
    """One key per role, and two of three for the root."""

    def __init__(self, chain: str = "polar-scoop") -> None:
        self.chain = chain
        self.root = [CryptoSigner.generate_ed25519() for _ in range(3)]
        self.targets = CryptoSigner.generate_ed25519()
        self.snapshot = CryptoSigner.generate_ed25519()
        self.timestamp = CryptoSigner.generate_ed25519()

    @property
    def online(self) -> list[CryptoSigner]:
        """As the machine that publishes has them."""
        return [self.snapshot, self.timestamp]

    def begin(self) -> Draft:
        """A chain's first root and targets, signed."""
        root = Root(version=1, expires=NOW + ROOT_LIFE, consistent_snapshot=True)
        for role, signers in (
            ("root", self.root),
            ("targets", [self.targets]),
            ("snapshot", [self.snapshot]),
            ("timestamp", [self.timestamp]),
        ):
            for signer in signers:
                root.add_key(signer.public_key, role)
        root.roles["root"].threshold = 2
        root.unrecognized_fields[FIELD] = RootNote(self.chain).to_value()
        edit = Editor(None, by="Ada", now=NOW).done()
        return self.signed(Draft(self.chain, None, None, Metadata(root), Metadata(edit.targets)))

    def release(self, store: ReleaseStore, release: int, files: ModelFiles | None = None) -> Draft:
        """A release of the chain's model, signed; its bytes are those of no other release."""
        made = files or chain_model(self.chain).noted(f"release {release}")
        target = release_target(release, made)
        return self.change(
            store,
            lambda editor: editor.release(target, made.network, made.golden),
            evidence={release: evidence_of(self.chain, made)},
        )

    def change(
        self,
        store: ReleaseStore,
        act: Callable[[Editor], None],
        *,
        evidence: dict[int, bytes] | None = None,
    ) -> Draft:
        """Any change of the targets, signed."""
        state = read_state(store)
        editor = Editor(state, by="Ada", now=NOW)
        act(editor)
        edit = editor.done()
        draft = Draft(self.chain, state.roots[-1], state.targets, None, Metadata(edit.targets))
        draft.files, draft.evidence = dict(edit.files), evidence or {}
        return self.signed(draft)

    def new_timestamp_key(self, state: State) -> Draft:
        """A root that replaces the timestamp's key, signed; the new key is this object's from now on."""
        before = state.roots[-1]
        root = Metadata[Root].from_bytes(before.to_bytes())
        root.signatures.clear()
        root.signed.version += 1
        root.signed.revoke_key(self.timestamp.public_key.keyid, "timestamp")
        self.timestamp = CryptoSigner.generate_ed25519()
        root.signed.add_key(self.timestamp.public_key, "timestamp")
        return self.signed(Draft(self.chain, before, state.targets, root, None))

    def signed(self, draft: Draft) -> Draft:
        """With two root keys and the targets key, wherever they count."""
        for signer in (*self.root[:2], self.targets):
            draft.sign(signer)
        return draft


def release_target(release: int, made: ModelFiles) -> ReleaseTarget:
    """The signed description of a release."""
    return ReleaseTarget(
        release=release,
        manifest=compact(made.manifest),
        report=made.report,
        golden=golden_path(release),
        published="2026-11-22T09:00:00Z",
        signer="Ada",
    )


def evidence_of(chain: str, made: ModelFiles) -> bytes:
    """The chain's report, about these very bytes."""
    report = json.loads((MODELS / chain / "report.json").read_bytes())
    report["model"] |= {"sha256": made.digest, "bytes": len(made.network)}
    return json.dumps(report).encode()


class Killed(BaseException):
    """The publishing process is gone; nothing catches it."""


class DyingStore:
    """A store whose user is killed before, or just after, its nth writing call."""

    def __init__(self, store: ReleaseStore, *, at: int, after: bool) -> None:
        self._store, self._at, self._after = store, at, after
        self.writes = 0

    def get(self, path: str) -> bytes:
        return self._store.get(path)

    def names(self, folder: str) -> frozenset[str]:
        return self._store.names(folder)

    def put_new(self, path: str, content: bytes) -> None:
        self._write(lambda: self._store.put_new(path, content))

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        self._write(lambda: self._store.replace(path, content, expected=expected))

    def _write(self, act: Callable[[], None]) -> None:
        self.writes += 1
        if self.writes == self._at and not self._after:
            raise Killed
        act()
        if self.writes == self._at:
            raise Killed


class BrokenStore:
    """A store that cannot be reached."""

    def get(self, path: str) -> bytes:
        raise StoreAway(f"{path}: away")

    def names(self, folder: str) -> frozenset[str]:
        raise StoreAway(f"{folder}: away")

    def put_new(self, path: str, content: bytes) -> None:
        raise StoreAway(f"{path}: away")

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        raise StoreAway(f"{path}: away")
