"""Options that several verbs of the release registry share, and what they come to."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_registry.adapters.key_files import Passphrases
    from model_registry.releases.draft import Draft
    from model_registry.releases.ports import ReleaseStore

DEVELOPMENT_MARK = "DEVELOPMENT"
"""A file of this name in a folder of keys: made by `--development`, asks for no confirmation."""


def add_store(parser: argparse.ArgumentParser) -> None:
    """Which chain's repository, and where."""
    add_place(parser)
    parser.add_argument("--chain", required=True, help="the tenant, such as gelateria-sole")


def add_place(parser: argparse.ArgumentParser) -> None:
    """Where repositories are."""
    parser.add_argument(
        "--store", required=True, metavar="PLACE", help="folder, or s3://bucket; holds tuf/CHAIN"
    )
    parser.add_argument("--s3-endpoint", metavar="URL", help="of an S3 server that is not Amazon's")


def open_store(args: argparse.Namespace, chain: str | None = None) -> ReleaseStore:
    """The store of `--chain`, or of another one. Raises OperatorError for a name that is none."""
    from wire_protocol.errors import OperatorError
    from wire_protocol.identifiers import is_name

    chain = args.chain if chain is None else chain
    if not chain or not is_name(chain):
        raise OperatorError(f"{chain!r} is no chain's name", remedy="a-z, 0-9 and inner hyphens.")
    if args.store.startswith("s3://"):
        from model_registry.adapters.s3_store import open_s3

        bucket, _, prefix = args.store.removeprefix("s3://").partition("/")
        return open_s3(bucket, "/".join(filter(None, (prefix.strip("/"), "tuf", chain))), args.s3_endpoint)
    from model_registry.adapters.folder_store import FolderStore

    return FolderStore(Path(args.store) / "tuf" / chain)


def add_keys(parser: argparse.ArgumentParser) -> None:
    """With which keys."""
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an offline private key; repeatable",
    )
    parser.add_argument(
        "--keys", type=Path, metavar="DIR", help="folder of private keys, ROLE.pem or ROLE-N.pem"
    )
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="holds the keys' passphrase; else it is asked for",
    )
    parser.add_argument("--yes", action="store_true", help="sign without asking")


def add_change(parser: argparse.ArgumentParser) -> None:
    """Of every verb that changes what is signed."""
    add_store(parser)
    add_keys(parser)
    parser.add_argument(
        "--by", default=None, metavar="NAME", help="who does this, for the log (default: you)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write a draft to be signed elsewhere")


def author(args: argparse.Namespace) -> str:
    """Who makes the change."""
    return str(args.by or getpass.getuser())[:100]


def now() -> datetime:
    """The wall clock, in UTC and whole seconds, as metadata has it."""
    return datetime.now(UTC).replace(microsecond=0)


def passphrases(args: argparse.Namespace) -> Passphrases:
    """From the file, else from the terminal."""
    from model_registry.adapters.key_files import AskedPassphrase, PassphraseFile

    return PassphraseFile(args.passphrase_file) if args.passphrase_file else AskedPassphrase()


def finish(args: argparse.Namespace, draft: Draft) -> int:
    """Sign a change with the keys that were given, then write or publish it.

    Without `--out` it is published, which takes the online keys too.
    """
    import json

    from model_registry.releases.draft import DRAFT_FILE, write_draft
    from wire_protocol.errors import OperatorError

    if args.out is None and args.keys is None:
        raise OperatorError(
            "nothing was done: the change is neither written nor published",
            remedy="Give --out DIR to have it signed elsewhere, or --keys DIR to sign and publish it here.",
        )
    if args.out is not None and (args.out / DRAFT_FILE).exists():
        raise OperatorError(
            f"{args.out} holds a draft, perhaps with signatures",
            remedy="Name a new folder, or remove this one.",
        )
    draft.check()
    words = draft.words()
    signed = sign_draft(args, draft, words)
    lacking = draft.missing()
    result: dict[str, Any] = {"chain": draft.chain, "changes": words, "signed": signed, "missing": lacking}
    if args.out is None:
        result["published"] = publish_draft(args, draft)
    else:
        write_draft(draft, args.out)
        result["draft"] = str(args.out)
    if args.json:
        print(json.dumps(result))
        return 0
    for sentence in words:
        print(f"  {sentence}")
    if args.out is None:
        print(f"{draft.chain}: published, targets {result['published']['targets']}")
    elif lacking:
        said = " and ".join(f"{count} of {role}" for role, count in lacking.items())
        print(f"{args.out}: signatures that are missing: {said}")
        print(f"  next, where the keys are: topscoop model sign {args.out} --key FILE")
    else:
        print(f"{args.out}: signed; next: topscoop model publish {args.out} --store … --keys DIR")
    return 0


def sign_draft(args: argparse.Namespace, draft: Draft, words: list[str]) -> list[str]:
    """Add the given keys' signatures, once whoever holds them said yes; the roles that were signed."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from securesystemslib.signer import CryptoSigner

    from model_registry.adapters.key_files import load_private

    paths = [*args.key, *_offline_keys(args.keys)]
    if not paths:
        return []
    if not (args.yes or _is_development(args.keys)):
        _confirm(draft, words)
    secrets = passphrases(args)
    signed: list[str] = []
    for path in paths:
        key = load_private(path, secrets)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            signed += sign_models(draft, key)
        else:
            roles = draft.sign(CryptoSigner(key))
            if not roles and path in args.key:
                raise _useless(path)
            signed += roles
    return signed


def sign_models(draft: Draft, key: Any) -> list[str]:
    """Add an OMS signature beside each new network."""
    from model_registry.adapters.model_bundle import sign_network, signature_path
    from model_registry.releases.edits import stored_target

    for file in draft.new_releases.values():
        network = stored_target(file)
        draft.files[signature_path(network)] = sign_network(draft.files[network], key)
    return ["model-signing"] if draft.new_releases else []


def publish_draft(args: argparse.Namespace, draft: Draft) -> dict[str, Any]:
    """Publish with the online keys of `--keys`."""
    from model_registry.releases.publication import publish

    done = publish(open_store(args), draft, online_signers(args), now=now())
    return {
        "root": done.root,
        "targets": done.targets,
        "snapshot": done.snapshot,
        "timestamp": done.timestamp,
        "expires": f"{done.expires:%Y-%m-%dT%H:%M:%SZ}",
    }


def online_signers(args: argparse.Namespace) -> list[Any]:
    """The keys of snapshot and timestamp. Raises UnusableKey."""
    from model_registry.adapters.key_files import signers, warn_of_development_keys
    from model_registry.errors import UnusableKey

    if args.keys is None:
        raise UnusableKey(
            "publishing takes the online keys",
            remedy="Name the folder that holds snapshot.pem and timestamp.pem: --keys DIR.",
        )
    if _is_development(args.keys):
        warn_of_development_keys(args.keys)
    paths = sorted(one for role in ("snapshot", "timestamp") for one in _keys_of(args.keys, role))
    return list(signers(paths, passphrases(args)))


def _offline_keys(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    # OMS signatures first, so that a draft is whole when its metadata is signed.
    return [path for role in ("model-signing", "root", "targets") for path in _keys_of(folder, role)]


def _keys_of(folder: Path, role: str) -> list[Path]:
    return sorted({*folder.glob(f"{role}.pem"), *folder.glob(f"{role}-*.pem")})


def _is_development(folder: Path | None) -> bool:
    return folder is not None and (folder / DEVELOPMENT_MARK).exists()


def _confirm(draft: Draft, words: list[str]) -> None:
    from wire_protocol.errors import OperatorError

    print(f"To be signed for {draft.chain}:", file=sys.stderr)
    for sentence in [*words, *draft.outcome()]:
        print(f"  {sentence}", file=sys.stderr)
    if not sys.stdin.isatty():
        raise OperatorError("nobody can be asked here", remedy="Read the above, then give --yes.")
    print("Sign this? Type yes: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != "yes":
        raise OperatorError("nothing was signed", remedy="Type yes to sign.")


def _useless(path: Path) -> Exception:
    from model_registry.errors import UnusableKey

    return UnusableKey(
        f"{path} is a key of no role that this draft changes",
        remedy="`topscoop model keys show FILE` gives its id; `topscoop model log` those of the root.",
    )
