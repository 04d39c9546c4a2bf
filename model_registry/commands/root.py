"""`topscoop model root make|change`: whose keys sign a chain's releases."""

from __future__ import annotations

import argparse
import copy
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_registry.commands.options import add_change, author, finish, now, open_store

if TYPE_CHECKING:
    from model_registry.releases.draft import Draft

_ROLES = ("root", "targets", "snapshot", "timestamp")


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    root = verbs.add_parser("root", help="begin a repository, or change its keys").add_subparsers(
        required=True, metavar="VERB"
    )
    make = root.add_parser(
        "make", help="begin a chain's repository", description="The first root and first, empty targets."
    )
    add_change(make)
    make.add_argument(
        "--root-key", type=Path, action="append", required=True, metavar="PUB", help="repeat for each of them"
    )
    make.add_argument(
        "--threshold", type=int, default=2, help="root signatures asked for (default: %(default)s)"
    )
    for role in _ROLES[1:]:
        make.add_argument(f"--{role}-key", type=Path, required=True, metavar="PUB", help=f"of the {role}")
    make.add_argument(
        "--model-signing-key", type=Path, metavar="PUB", help="of OMS signatures beside the models"
    )
    make.add_argument("--json", action="store_true", help="print the result as one JSON object")
    make.set_defaults(run=run_make)
    yield make
    change = root.add_parser(
        "change",
        help="replace keys, or renew the root",
        description="The next root. Where the targets' keys change, the targets are to be signed again too.",
    )
    add_change(change)
    change.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="ROLE=PUB",
        help="a key that counts from now on; repeatable",
    )
    change.add_argument(
        "--remove",
        action="append",
        default=[],
        metavar="ROLE=ID",
        help="a key that counts no more: id or .pub file",
    )
    change.add_argument(
        "--withdraw",
        type=int,
        action="append",
        default=[],
        metavar="N",
        help="with a new targets key: a release that the old one should not have signed; repeatable",
    )
    change.add_argument(
        "--from-targets",
        type=int,
        metavar="VERSION",
        help="with a new targets key: begin with this version of the targets, the last that was yours",
    )
    change.add_argument("--reason", metavar="TEXT", help="why, of --withdraw")
    change.add_argument("--model-signing-key", type=Path, metavar="PUB", help="the new key of OMS signatures")
    change.add_argument("--json", action="store_true", help="print the result as one JSON object")
    change.set_defaults(run=run_change)
    yield change


def run_make(args: argparse.Namespace) -> int:
    """Make the draft of a repository."""
    keys = {role: [getattr(args, f"{role}_key")] for role in _ROLES[1:]}
    return finish(
        args, first_draft(args, {"root": args.root_key, **keys}, args.model_signing_key, args.threshold)
    )


def first_draft(
    args: argparse.Namespace, keys: dict[str, list[Path]], model_signing: Path | None, threshold: int
) -> Draft:
    """The first root and the first, empty targets, not signed."""
    from tuf.api.metadata import Metadata, Root

    from model_registry.adapters.key_files import load_public
    from model_registry.errors import ReleaseRefused
    from model_registry.releases.draft import Draft
    from model_registry.releases.edits import ROOT_LIFE, Editor
    from model_registry.releases.state import TIMESTAMP
    from wire_protocol.release_metadata import FIELD, RootNote

    store = open_store(args)
    if TIMESTAMP in store.names("metadata"):
        raise ReleaseRefused(
            f"{args.chain} has a repository there", remedy="To replace its keys: topscoop model root change."
        )
    root = Root(version=1, expires=now() + ROOT_LIFE, consistent_snapshot=True)
    for role, paths in keys.items():
        for path in paths:
            root.add_key(load_public(path), role)
    _check_threshold(len(root.roles["root"].keyids), threshold)
    root.roles["root"].threshold = threshold
    note = RootNote(args.chain, _pem(model_signing) if model_signing else None)
    root.unrecognized_fields[FIELD] = note.to_value()
    edit = Editor(None, by=author(args), now=now()).done()
    return Draft(args.chain, None, None, Metadata(root), Metadata(edit.targets), {})


def run_change(args: argparse.Namespace) -> int:
    """Make the draft of the next root."""
    from tuf.api.metadata import Metadata

    from model_registry.releases.draft import Draft
    from model_registry.releases.edits import ROOT_LIFE, Editor
    from model_registry.releases.state import read_state, read_targets
    from wire_protocol.release_metadata import FIELD, RootNote

    store = open_store(args)
    state = read_state(store)
    root = copy.deepcopy(state.root)
    root.version += 1
    root.expires = now() + ROOT_LIFE
    _remove(root, args.remove)
    _add(root, args.add)
    for role in _ROLES:
        _check_threshold(len(root.roles[role].keyids), root.roles[role].threshold)
    if args.model_signing_key:
        note = RootNote(state.chain, _pem(args.model_signing_key))
        root.unrecognized_fields[FIELD] = note.to_value()
    targets = None
    if args.from_targets:
        state = dataclasses.replace(state, targets=read_targets(store, state, args.from_targets))
    if (
        args.from_targets
        or args.withdraw
        or root.roles["targets"].keyids != state.root.roles["targets"].keyids
    ):
        editor = Editor(state, by=author(args), now=now())
        for release in args.withdraw:
            editor.withdraw(release, args.reason or "")
        targets = Metadata(editor.done().targets)
    return finish(args, Draft(state.chain, state.roots[-1], state.targets, Metadata(root), targets))


def _add(root: Any, words: Sequence[str]) -> None:
    from model_registry.adapters.key_files import load_public

    for role, value in map(_pair, words):
        root.add_key(load_public(Path(value)), role)


def _remove(root: Any, words: Sequence[str]) -> None:
    from model_registry.adapters.key_files import load_public
    from wire_protocol.errors import OperatorError

    for role, value in map(_pair, words):
        keyid = load_public(Path(value)).keyid if value.endswith(".pub") else value
        known = [one for one in root.roles[role].keyids if one.startswith(keyid)]
        if len(known) != 1 or len(keyid) < 8:
            listed = ", ".join(f"{one[:16]}…" for one in root.roles[role].keyids)
            raise OperatorError(f"{keyid[:64]!r} is no key of the {role}", remedy=f"Its keys are {listed}.")
        root.revoke_key(known[0], role)


def _pair(word: str) -> tuple[str, str]:
    from wire_protocol.errors import OperatorError

    role, equals, value = word.partition("=")
    if role not in _ROLES or not equals or not value:
        raise OperatorError(f"{word!r} is no ROLE=KEY", remedy=f"Roles are {', '.join(_ROLES)}.")
    return role, value


def _check_threshold(keys: int, threshold: int) -> None:
    from wire_protocol.errors import OperatorError

    if not 1 <= threshold <= keys:
        raise OperatorError(
            f"{threshold} signatures of {keys} keys cannot be",
            remedy="Add keys before you remove the old ones.",
        )


def _pem(path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    from model_registry.adapters.key_files import load_public
    from model_registry.errors import UnusableKey

    load_public(path)
    content = path.read_bytes()
    if not isinstance(load_pem_public_key(content), ec.EllipticCurvePublicKey):
        raise UnusableKey(
            f"{path} is no key for OMS signatures", remedy="topscoop model keys make model-signing --out FILE"
        )
    return content.decode()
