"""A chain's signed release repository in a folder, made in a moment, with all its keys in memory.

Layout and contents are those that `topscoop model publish` makes. Every change signs and writes new metadata
unless `publish=False`; `roles` and `sign` let a test write what no honest repository would.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Key,
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from inference import FlavourModel, Manifest
from inference import golden as golden_frames
from wire_protocol.release_metadata import (
    FIELD,
    SERVICE_KEYS_PATH,
    ReleasePolicy,
    ReleaseReport,
    ReleaseTarget,
    RootNote,
    golden_path,
    model_path,
)

MODELS = Path(__file__).parents[2] / "models"
ROLES = ("root", "timestamp", "snapshot", "targets")
_LIFE = {
    "root": timedelta(days=730),
    "targets": timedelta(days=365),
    "snapshot": timedelta(days=30),
    "timestamp": timedelta(days=7),
}
_DOC_STRING = b"\x32"
"""Tag of ModelProto.doc_string, in protobuf's wire format: the last one counts, and changes no answer."""


@dataclass(frozen=True)
class ModelFiles:
    """What a release is made of."""

    network: bytes
    manifest: Manifest
    golden: bytes
    report: ReleaseReport

    @property
    def digest(self) -> str:
        """SHA-256 of the network, in hex."""
        return hashlib.sha256(self.network).hexdigest()

    def noted(self, note: str, *, version: str | None = None) -> ModelFiles:
        """The same model with other bytes, and so another digest."""
        text = note.encode()
        assert len(text) < 128, "one byte says how long it is"
        network = self.network + _DOC_STRING + bytes([len(text)]) + text
        file = replace(self.manifest.model, sha256=hashlib.sha256(network).hexdigest(), bytes=len(network))
        manifest = replace(self.manifest, model=file, version=version or self.manifest.version)
        return replace(self, network=network, manifest=manifest)

    def write(self, directory: Path, *, golden_of: str | None = None) -> Path:
        """As a model directory; with the chain's golden pictures where `golden_of` names it."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "model.onnx").write_bytes(self.network)
        (directory / "manifest.json").write_bytes(self.manifest.to_json())
        if golden_of is not None:
            shutil.copytree(MODELS / golden_of / "golden", directory / "golden", dirs_exist_ok=True)
            report = json.loads((MODELS / golden_of / "report.json").read_bytes())
            report["model"] |= {
                "sha256": self.digest,
                "bytes": len(self.network),
                "version": self.manifest.version,
            }
            (directory / "report.json").write_text(json.dumps(report, indent=1), "utf-8")
        return directory


@lru_cache(maxsize=4)
def chain_model(chain: str) -> ModelFiles:
    """The model of a chain that is part of this repository."""
    directory = MODELS / chain
    model = FlavourModel.load(directory)
    report = json.loads((directory / "report.json").read_bytes())
    hit = {name: row["hit_at_3"] for name, row in report["recommenders"].items()}
    latency = report["latency_us"]["student_int8"]
    return ModelFiles(
        network=(directory / model.manifest.model.file).read_bytes(),
        manifest=model.manifest,
        golden=golden_frames.make_from_directory(model, directory).to_bytes(),
        report=ReleaseReport(
            orders=report["evaluation"]["orders"],
            hit_at_3=hit["student_int8"],
            best_sellers=hit["best_sellers"],
            context_only=max(hit["context_only_optimum"], hit["context_only_learned"]),
            int8_loss_points=report["int8_loss_points"],
            calibration_error=report["recommenders"]["student_int8"]["calibration_error"],
            p50_ms=latency["p50"] / 1000,
            p99_ms=latency["p99"] / 1000,
            unchanged=report["unchanged"],
        ),
    )


class ReleaseRepository:
    """`<store>/tuf/<chain>`, with nothing released yet.

    Args:
        store: The folder above `tuf/`, as `releases.folder` of the cloud's configuration names it.
        chain: The tenant, whose model in `models/` releases are made of.
        now: When everything is signed; the real time when None.
    """

    def __init__(self, store: Path, chain: str = "gelateria-sole", *, now: datetime | None = None) -> None:
        self.store = store
        self.chain = chain
        self.folder = store / "tuf" / chain
        self.now = (now or datetime.now(UTC)).replace(microsecond=0)
        self.signers: dict[str, list[CryptoSigner]] = {
            role: [CryptoSigner.generate_ed25519() for _ in range(3 if role == "root" else 1)]
            for role in ROLES
        }
        self.policy = ReleasePolicy()
        self.releases: dict[int, ReleaseTarget] = {}
        root = Root(version=1, expires=self.expiry("root"), consistent_snapshot=True)
        targets = Targets(version=1, expires=self.expiry("targets"))
        self.roles: dict[str, Metadata[Any]] = {
            "root": Metadata(root),
            "targets": Metadata(targets),
            "snapshot": Metadata(Snapshot(version=1, expires=self.expiry("snapshot"))),
            "timestamp": Metadata(Timestamp(version=1, expires=self.expiry("timestamp"))),
        }
        for role in ROLES:
            for signer in self.signers[role]:
                root.add_key(signer.public_key, role)
        root.roles["root"].threshold = 2
        root.unrecognized_fields[FIELD] = RootNote(chain).to_value()
        self._written: set[str] = set()
        (self.folder / "metadata").mkdir(parents=True)
        (self.folder / "targets").mkdir()
        self.publish_root()
        self.publish()

    # ---- what a chain's operator does ------------------------------------------------------------------

    @property
    def first_root(self) -> bytes:
        """`1.root.json`: what a register is told to trust."""
        return (self.folder / "metadata" / "1.root.json").read_bytes()

    def add_release(
        self,
        release: int,
        *,
        files: ModelFiles | None = None,
        note: str | None = "",
        version: str | None = None,
        publish: bool = True,
        budget_ms: float | None = None,
        **changed: Any,
    ) -> ReleaseTarget:
        """Release the chain's model.

        Args:
            release: Its number.
            files: Another model.
            note: Makes the bytes, and so the digest, differ; "" is the release's number, None leaves the
                bytes as they are, so that several releases have the same digest.
            version: In the manifest.
            publish: Whether new metadata is written at once.
            budget_ms: Of p99 in the manifest; where it is really tried, so much that no busy machine fails.
            changed: Fields of the `ReleaseTarget` that shall be others.
        """
        made = files or chain_model(self.chain)
        if note is not None:
            made = made.noted(note or f"release {release}", version=version)
        elif version is not None:
            made = replace(made, manifest=replace(made.manifest, version=version))
        if budget_ms is not None:
            budget = replace(made.manifest.latency_budget_ms, p99=budget_ms)
            made = replace(made, manifest=replace(made.manifest, latency_budget_ms=budget))
        target = ReleaseTarget(
            release=release,
            manifest=compact(made.manifest),
            report=made.report,
            golden=golden_path(release),
            published=self.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            signer="Ada",
        )
        target = replace(target, **changed)
        self.releases[release] = target
        self.add_target(model_path(release), made.network, target.to_value())
        self.add_target(golden_path(release), made.golden)
        if publish:
            self.publish()
        return target

    def withdraw(self, release: int, reason: str = "worse than the one before") -> None:
        """Take a release back."""
        for path in (model_path(release), golden_path(release)):
            self.roles["targets"].signed.targets.pop(path, None)
        del self.releases[release]
        self.set_policy(withdrawn={**self.policy.withdrawn, release: reason})

    def set_policy(self, **changed: Any) -> None:
        """Set `minimum_release`, `champion`, `candidate` or `withdrawn`."""
        self.policy = replace(self.policy, **changed)
        self.publish()

    def set_service_keys(self, document: bytes) -> None:
        """Publish the chain's service keys."""
        self.add_target(SERVICE_KEYS_PATH, document)
        self.publish()

    def renew(self) -> None:
        """Sign snapshot and timestamp again, as `topscoop model renew` does every day."""
        self.publish(targets=False)

    def rotate(self, role: str) -> None:
        """Replace every key of a role by new ones, by a new root; what the role signed is signed again."""
        old = self.signers[role]
        root = self.roles["root"].signed
        self.signers[role] = [CryptoSigner.generate_ed25519() for _ in old]
        for signer in old:
            root.revoke_key(signer.public_key.keyid, role)
        for signer in self.signers[role]:
            root.add_key(signer.public_key, role)
        self.publish_root(also=old if role == "root" else [])
        if role != "root":
            self.publish()

    def expire(self, role: str, *, ago: timedelta = timedelta(hours=1)) -> None:
        """Publish a role that expired already."""
        self.roles[role].signed.expires = self.now - ago
        if role == "root":
            self.publish_root(keep_expiry=True)
        else:
            self.publish(keep_expiry=role)

    # ---- pieces ----------------------------------------------------------------------------------------

    def add_target(self, path: str, content: bytes, custom: dict[str, Any] | None = None) -> None:
        """Write a target's file, and list it in the metadata that is published next."""
        file = TargetFile.from_data(path, content, ["sha256"])
        if custom is not None:
            file.unrecognized_fields["custom"] = custom
        self.roles["targets"].signed.targets[path] = file
        place = self.target_file(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def target_file(self, path: str) -> Path:
        """Where a listed target's bytes lie."""
        folder, _, name = path.rpartition("/")
        digest = self.roles["targets"].signed.targets[path].hashes["sha256"]
        return self.folder / "targets" / folder / f"{digest}.{name}"

    def digest(self, release: int) -> str:
        """SHA-256 of a listed release's network, in hex."""
        return str(self.roles["targets"].signed.targets[model_path(release)].hashes["sha256"])

    def publish(self, *, targets: bool = True, keep_expiry: str | None = None) -> None:
        """Sign and write targets, snapshot and timestamp, each one version on."""
        signed = {role: self.roles[role].signed for role in ROLES}
        signed["targets"].unrecognized_fields[FIELD] = self.policy.to_value()
        for role in ("targets", "snapshot", "timestamp") if targets else ("snapshot", "timestamp"):
            self._next_version(role)
            if role != keep_expiry:
                signed[role].expires = self.expiry(role)
        signed["snapshot"].meta["targets.json"] = MetaFile(signed["targets"].version)
        signed["timestamp"].snapshot_meta = MetaFile(signed["snapshot"].version)
        for role in ("targets", "snapshot", "timestamp"):
            self.write(role, self.sign(role))

    def publish_root(self, *, also: list[CryptoSigner] | None = None, keep_expiry: bool = False) -> None:
        """Sign and write the next root; `also` signs beside the present keys."""
        self._next_version("root")
        if not keep_expiry:
            self.roles["root"].signed.expires = self.expiry("root")
        self.write("root", self.sign("root", also=also))

    def sign(
        self, role: str, *, with_keys_of: str | None = None, also: list[CryptoSigner] | None = None
    ) -> bytes:
        """The role's metadata as it stands now, signed by its keys, or by those of another role."""
        metadata = self.roles[role]
        metadata.signatures.clear()
        for signer in [*self.signers[with_keys_of or role], *(also or [])]:
            metadata.sign(signer, append=True)
        return metadata.to_bytes(JSONSerializer(compact=True))

    def write(self, role: str, content: bytes) -> Path:
        """Write metadata where clients look for it."""
        version = self.roles[role].signed.version
        name = "timestamp.json" if role == "timestamp" else f"{version}.{role}.json"
        path = self.folder / "metadata" / name
        path.write_bytes(content)
        return path

    def _next_version(self, role: str) -> None:
        if role in self._written:
            self.roles[role].signed.version += 1
        self._written.add(role)

    def expiry(self, role: str) -> datetime:
        """When a role that is signed now expires."""
        return self.now + _LIFE[role]

    def public_keys(self, role: str) -> list[Key]:
        """Of a role."""
        return [signer.public_key for signer in self.signers[role]]


def compact(manifest: Manifest) -> str:
    """A manifest as it travels in metadata."""
    return json.dumps(json.loads(manifest.to_json()), ensure_ascii=False, separators=(",", ":"))


def signed_of(content: bytes) -> Signed:
    """What a piece of metadata says, without asking who signed it."""
    return Metadata.from_bytes(content).signed
