"""A change on its way to be signed: a folder that is carried to the offline keys and back.

draft.json               what it is, and which present metadata it begins with
base/root.json           the present metadata, so that the change can be told
base/targets.json
metadata/4.targets.json  what is to be signed, with the signatures that it has so far
targets/…                the files that it newly names
evidence/7/report.json   what the release gate is shown, here and again where it is signed
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Metadata, Root, TargetFile, Targets
from tuf.api.serialization.json import JSONSerializer

from model_registry.adapters.atomic_file import write_atomically
from model_registry.adapters.model_bundle import signature_path
from model_registry.errors import UnusableDraft
from model_registry.gate import judge
from model_registry.releases.edits import stored_target
from model_registry.releases.history import describe, differences, reversals
from model_registry.releases.state import (
    is_signed,
    listing_of,
    missing_signatures,
    parse,
    root_note,
)
from wire_protocol.release_metadata import model_path

FORMAT: Final = "topscoop.draft/1"
DRAFT_FILE: Final = "draft.json"
_PART = re.compile(
    r"(?:base/(?:root|targets)\.json|metadata/[1-9]\d*\.(?:root|targets)\.json"
    r"|evidence/[1-9]\d*/report\.json|targets(?:/[A-Za-z0-9_.-]+)+)\Z"
)
"""A draft comes from another machine: it may name nothing outside of its folder and of the repository."""
_AGAIN: Final = "Make the draft again."


@dataclass
class Draft:
    """One change.

    Args:
        chain: The tenant.
        base_root: The present root; None for a chain's first.
        base_targets: The present targets; None for a chain's first.
        root: The next root, where the change has one.
        targets: The next targets, where the change has any.
        files: Path in the store -> content, of what `targets` newly names, and OMS signatures.
        evidence: Release -> its report.json.
    """

    chain: str
    base_root: Metadata[Root] | None
    base_targets: Metadata[Targets] | None
    root: Metadata[Root] | None = None
    targets: Metadata[Targets] | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    evidence: dict[int, bytes] = field(default_factory=dict)

    @property
    def judge(self) -> Root:
        """The root whose keys count once this is published."""
        newest = self.root or self.base_root
        assert newest is not None, "a draft has a root, or begins with one"
        return newest.signed

    @property
    def new_releases(self) -> dict[int, TargetFile]:
        """The releases that this change adds, each with its network's target."""
        if self.targets is None:
            return {}
        before = listing_of(self.base_targets.signed).releases if self.base_targets else {}
        added = [one for one in listing_of(self.targets.signed).releases if one not in before]
        return {release: self.targets.signed.targets[model_path(release)] for release in added}

    def words(self) -> list[str]:
        """What will be different, in sentences."""
        found = list(root_words(self.base_root, self.root))
        if self.targets is not None:
            before = listing_of(self.base_targets.signed) if self.base_targets else None
            after = listing_of(self.targets.signed)
            found += differences(before, after)
            if before is not None and self.root is not None:
                # Whoever signs with a new key answers for all that the old one listed, perhaps a thief's.
                kept = [one for one in after.releases if one in before.releases]
                found += [f"release {one} STAYS LISTED: {describe(after.releases[one])}" for one in kept]
            old = self.base_targets.signed.targets if self.base_targets else {}
            new = self.targets.signed.targets
            others = [path for path in new if not path.startswith("releases/") and new[path] != old.get(path)]
            found += [f"{path} is new or another" for path in others]
            found += [f"{path} is no longer there" for path in old if path not in new and "/" not in path]
        return found or ["nothing but new signatures and expiry dates"]

    def outcome(self) -> list[str]:
        """What will hold afterwards, told without the base.

        The base comes from the machine that made the draft. One that begins with an old version of the
        targets would not tell that a release withdrawn since is listed again; this does.
        """
        if self.targets is None:
            return []
        after = listing_of(self.targets.signed)
        withdrawn = ", ".join(map(str, after.policy.withdrawn)) or "none"
        base = self.base_targets.signed.version if self.base_targets else "nothing"
        listed = ", ".join(map(str, after.releases)) or "none"
        minimum = after.policy.minimum_release
        return [
            f"afterwards listed: {listed}; withdrawn: {withdrawn}; minimum {minimum}",
            f"targets {self.targets.signed.version}, which follow {base}",
        ]

    def missing(self) -> dict[str, int]:
        """Role -> how many valid signatures it still lacks; roles that lack none are left out."""
        lacking = {}
        if self.root is not None:
            before = missing_signatures(self.root, self.base_root.signed) if self.base_root else 0
            lacking["root"] = max(before, missing_signatures(self.root, self.root.signed))
        if self.targets is not None:
            lacking["targets"] = missing_signatures(self.targets, self.judge)
        return {role: count for role, count in lacking.items() if count}

    def check(self) -> None:
        """Whether it may be signed: it is whole, and every new model passes the gate.

        Raises:
            UnusableDraft: Something is missing, contradicts itself, or the gate refuses.
        """
        if root_note(self.judge).chain != self.chain:
            raise UnusableDraft(f"the root is not that of {self.chain}", remedy=_AGAIN)
        if self.base_targets is not None:
            assert self.base_root is not None
            # An older version that is gone back to may be signed by keys of an older root.
            if self.root is None and not is_signed(self.base_targets, [self.base_root]):
                raise UnusableDraft("the targets that it begins with are not signed", remedy=_AGAIN)
            if self.targets and self.targets.signed.version <= self.base_targets.signed.version:
                raise UnusableDraft("its targets are no newer than those before", remedy=_AGAIN)
        if self.targets is not None and self.base_targets is not None:
            wrong = reversals(listing_of(self.base_targets.signed), listing_of(self.targets.signed))
            if sentence := next(wrong, None):
                raise UnusableDraft(f"the draft turns back what was signed: {sentence}", remedy=_AGAIN)
        if self.targets is not None:
            _check_files(self.targets.signed, self.base_targets, self.files)
        for release, file in self.new_releases.items():
            self._check_release(release, file)

    def _check_release(self, release: int, file: TargetFile) -> None:
        assert self.targets is not None
        target = listing_of(self.targets.signed).releases[release]
        verdict = judge(target.manifest.encode(), self.files[stored_target(file)], self.evidence.get(release))
        if not verdict.passed:
            raise UnusableDraft(
                f"the release gate refuses release {release}: {'; '.join(verdict.reasons)}",
                remedy="Make a better model; what a model must show stands in docs/registry.md.",
            )
        if verdict.report != target.report:
            raise UnusableDraft(f"release {release} says other figures than its report", remedy=_AGAIN)
        if json.loads(target.manifest)["tenant"] != self.chain:
            raise UnusableDraft(f"release {release} is a model of another chain", remedy=_AGAIN)

    def sign(self, signer: Any) -> list[str]:
        """Add this key's signature wherever it counts; the roles that were signed."""
        signed = []
        keyid = signer.public_key.keyid
        for role, metadata in (("root", self.root), ("targets", self.targets)):
            roots = [self.judge] if role == "targets" else [self.judge, *self._old_root()]
            if metadata is not None and any(keyid in root.roles[role].keyids for root in roots):
                metadata.sign(signer, append=True)
                signed.append(role)
        return signed

    def _old_root(self) -> list[Root]:
        return [self.base_root.signed] if self.base_root else []


def write_draft(draft: Draft, folder: Path) -> None:
    """Write a draft to a folder, whose `draft.json` comes last.

    Raises:
        UnusableDraft: The folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / DRAFT_FILE).exists():
        raise UnusableDraft(f"{folder} holds something else", remedy="Name a new folder: --out.")
    parts: dict[str, bytes] = dict(draft.files)
    for place, metadata in (
        ("base/root.json", draft.base_root),
        ("base/targets.json", draft.base_targets),
        (_place(draft.root), draft.root),
        (_place(draft.targets), draft.targets),
    ):
        if metadata is not None:
            parts[place] = to_bytes(metadata)
    for release, report in draft.evidence.items():
        parts[f"evidence/{release}/report.json"] = report
    note = {"format": FORMAT, "chain": draft.chain, "parts": sorted(parts)}
    parts[DRAFT_FILE] = (json.dumps(note, indent=1) + "\n").encode()
    for path, content in parts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / path, content)


def read_draft(folder: Path) -> Draft:
    """Read a draft from its folder; its parts are not checked yet.

    Raises:
        UnusableDraft: It is none, or incomplete.
    """
    try:
        note = json.loads((folder / DRAFT_FILE).read_bytes())
        if note["format"] != FORMAT:
            raise UnusableDraft(f"{folder} is a draft of another version", remedy=_AGAIN)
        if odd := [path for path in note["parts"] if not _PART.match(path) or "/." in path]:
            raise UnusableDraft(f"{folder} names a part {odd[0]!r:.80} that no draft has", remedy=_AGAIN)
        parts: Mapping[str, bytes] = {path: (folder / path).read_bytes() for path in note["parts"]}
        chain = str(note["chain"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableDraft(f"{folder} is no draft, or incomplete: {error}", remedy=_AGAIN) from error
    draft = Draft(chain, None, None)
    for path, content in parts.items():
        top, _, rest = path.partition("/")
        if top == "base":
            setattr(draft, f"base_{rest.removesuffix('.json')}", parse(content, path))
        elif top == "metadata":
            setattr(draft, rest.split(".")[1], parse(content, path))
        elif top == "evidence":
            draft.evidence[int(rest.split("/")[0])] = content
        else:
            draft.files[path] = content
    return draft


def to_bytes(metadata: Metadata[Any]) -> bytes:
    """Metadata as it is stored: compact, since every register fetches it."""
    return metadata.to_bytes(JSONSerializer(compact=True))


def _place(metadata: Metadata[Any] | None) -> str:
    return f"metadata/{metadata.signed.version}.{metadata.signed.type}.json" if metadata else ""


def _check_files(targets: Targets, base: Metadata[Targets] | None, files: Mapping[str, bytes]) -> None:
    """Whether every file that is newly named is here, with the bytes that it must have."""
    old = base.signed.targets if base else {}
    named: set[str] = set()
    for path, file in targets.targets.items():
        if path in old and old[path].hashes == file.hashes:
            continue
        named |= {stored_target(file), signature_path(stored_target(file))}
        content = files.get(stored_target(file))
        if content is None or TargetFile.from_data(path, content, ["sha256"]).hashes != file.hashes:
            raise UnusableDraft(f"{path} is missing from the draft, or has other bytes", remedy=_AGAIN)
    if odd := sorted(set(files) - named):
        raise UnusableDraft(f"the draft has {odd[0]}, which its metadata does not name", remedy=_AGAIN)


def root_words(before: Metadata[Root] | None, after: Metadata[Root] | None) -> list[str]:
    """What a root changes about keys, in sentences."""
    if after is None:
        return []
    if before is None:
        return [f"the first root of {root_note(after.signed).chain}, until {after.signed.expires:%Y-%m-%d}"]
    words = [f"root {after.signed.version}, until {after.signed.expires:%Y-%m-%d}"]
    for role, now in after.signed.roles.items():
        then = before.signed.roles[role]
        words += [f"{role}: key {keyid[:16]}… is added" for keyid in now.keyids if keyid not in then.keyids]
        words += [f"{role}: key {keyid[:16]}… is removed" for keyid in then.keyids if keyid not in now.keyids]
        if now.threshold != then.threshold:
            words.append(f"{role}: {now.threshold} signatures are asked for, not {then.threshold}")
    if root_note(after.signed) != root_note(before.signed):
        words.append("the key of the models' OMS signatures is another")
    return words
