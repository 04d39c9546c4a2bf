"""Any TUF repository in memory: roles, delegations, targets; served by path, with a list of what was asked.

For chains' releases there is `release_repository`; this one is for what the specification allows beside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

TOP = ("root", "timestamp", "snapshot", "targets")


@lru_cache(maxsize=64)
def signer(number: int, kind: str = "ed25519") -> CryptoSigner:
    """The same number is the same key."""
    match kind:
        case "rsa":
            return CryptoSigner.generate_rsa(size=2048)
        case "rsa-pkcs1v15-sha256":
            return CryptoSigner.generate_rsa(scheme=kind, size=2048)
        case "ecdsa":
            return CryptoSigner.generate_ecdsa()
    return CryptoSigner.generate_ed25519()


class TufRepository:
    """One signer for each top-level role, nothing listed, all of it published once."""

    def __init__(self, *, kind: str = "ed25519", hashes: bool = False) -> None:
        self.hashes = hashes
        self.prefixed = True
        self.expiry = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
        self.asked: list[str] = []
        self.files: dict[str, bytes] = {}
        self.published: dict[str, dict[int, bytes]] = {}
        self.signers: dict[str, list[CryptoSigner]] = {}
        self.roles: dict[str, Metadata[Any]] = {
            "targets": Metadata(Targets(expires=self.expiry)),
            "snapshot": Metadata(Snapshot(expires=self.expiry)),
            "timestamp": Metadata(Timestamp(expires=self.expiry)),
            "root": Metadata(Root(expires=self.expiry, consistent_snapshot=True)),
        }
        for number, role in enumerate(TOP):
            self.key(role, signer(number, kind))
        self.publish("targets", "snapshot", "timestamp", "root")

    def signed(self, role: str) -> Any:
        """What a role says."""
        return self.roles[role].signed

    def key(self, role: str, one: CryptoSigner) -> None:
        """One more key for a top-level role."""
        self.signers.setdefault(role, []).append(one)
        self.signed("root").add_key(one.public_key, role)

    def set_keys(self, role: str, keys: Sequence[int], threshold: int, signing: Sequence[int]) -> None:
        """Exactly these keys; signed by those, whether they are among them or not."""
        self.signed("root").roles[role].keyids.clear()
        self.signed("root").roles[role].threshold = threshold
        for number in keys:
            self.signed("root").add_key(signer(number).public_key, role)
        self.signers[role] = [signer(number) for number in signing]

    def publish(self, *roles: str, bump: bool = True) -> None:
        """Sign these in this order; what lists them follows only if it is named after them."""
        for role in roles:
            if bump and role in self.published:
                self.signed(role).version += 1
            self.store(role)

    def publish_all(self) -> None:
        """Targets roles, snapshot and timestamp."""
        delegated = [role for role in self.roles if role not in TOP]
        self.publish(*delegated, "targets", "snapshot", "timestamp")

    def store(self, role: str) -> None:
        """Sign a role as it is, and list it."""
        metadata = self.roles[role]
        metadata.signatures.clear()
        for one in self.signers[role]:
            metadata.sign(one, append=True)
        data = metadata.to_bytes(JSONSerializer())
        version = metadata.signed.version
        self.published.setdefault(role, {})[version] = data
        file = MetaFile(version)
        if self.hashes:
            file = MetaFile(version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})
        if role == "snapshot":
            self.signed("timestamp").snapshot_meta = file
        elif role not in TOP or role == "targets":
            self.signed("snapshot").meta[f"{role}.json"] = file

    def target(self, role: str, path: str, data: bytes) -> None:
        """List a target; to be published."""
        self.signed(role).targets[path] = TargetFile.from_data(path, data, ["sha256"])
        self.files[path] = data

    def delegate(
        self, parent: str, role: str, paths: Sequence[str] = ("*",), *, terminating: bool = False
    ) -> None:
        """A delegation with a key of its own; to be published."""
        if role not in self.roles:
            self.roles[role] = Metadata(Targets(expires=self.expiry))
            self.signers[role] = [CryptoSigner.generate_ed25519()]
        by = self.signed(parent)
        by.delegations = by.delegations or Delegations({}, {})
        by.delegations.roles[role] = DelegatedRole(role, [], 1, terminating, list(paths))
        by.add_key(self.signers[role][0].public_key, role)

    def bins(self, bit_length: int, prefix: str) -> list[str]:
        """Hash bins below targets; to be published."""
        key = CryptoSigner.generate_ed25519()
        succinct = SuccinctRoles([], 1, bit_length, prefix)
        self.signed("targets").delegations = Delegations({}, None, succinct)
        self.signed("targets").add_key(key.public_key)
        for role in succinct.get_roles():
            self.roles[role] = Metadata(Targets(expires=self.expiry))
            self.signers[role] = [key]
        return list(succinct.get_roles())

    def content(self, path: str) -> bytes | None:
        """What is served."""
        self.asked.append(path)
        folder, _, rest = path.partition("/")
        return self._metadata(rest) if folder == "metadata" else self._target(rest)

    def _metadata(self, name: str) -> bytes | None:
        stem = name.removesuffix(".json")
        if stem == "timestamp" or not (self.signed("root").consistent_snapshot or stem.endswith(".root")):
            versions = self.published.get(unquote(stem), {})
            return versions.get(self.signed(unquote(stem)).version) if versions else None
        number, _, role = stem.partition(".")
        return self.published.get(unquote(role), {}).get(int(number))

    def _target(self, path: str) -> bytes | None:
        if self.prefixed and self.signed("root").consistent_snapshot:
            folder, slash, name = path.rpartition("/")
            path = f"{folder}{slash}{name.partition('.')[2]}"
        return self.files.get(unquote(path))
