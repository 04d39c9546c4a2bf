"""`topscoop model sign`: make a release of a model directory, or sign a draft where the keys are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_registry.commands.options import (
    add_keys,
    author,
    finish,
    now,
    open_store,
    sign_draft,
)

if TYPE_CHECKING:
    from model_registry.releases.draft import Draft


def add_parser(verbs: Any) -> Iterator[argparse.ArgumentParser]:
    """Add the verb."""
    parser = verbs.add_parser(
        "sign",
        help="make a model a release, or sign a draft",
        description=(
            "With a model directory: ask the release gate, and write a draft of a release. With a draft: say"
            " what it changes, ask the gate again, and sign it; this needs nothing but the draft and the key."
        ),
    )
    parser.add_argument("what", type=Path, metavar="MODEL|DRAFT", help="a model directory or a draft")
    add_release(parser)
    add_keys(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="of a model: the draft to write")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    yield parser


def add_release(parser: argparse.ArgumentParser) -> None:
    """What a model directory needs to become a release."""
    parser.add_argument("--store", metavar="PLACE", help="folder, or s3://bucket; holds tuf/CHAIN")
    parser.add_argument("--s3-endpoint", metavar="URL", help="of an S3 server that is not Amazon's")
    parser.add_argument("--release", type=int, metavar="N", help="of a model: its number, above all before")
    parser.add_argument(
        "--alias", choices=("champion", "candidate"), help="of a model: let this alias point to it at once"
    )
    parser.add_argument(
        "--by", default=None, metavar="NAME", help="who does this, for the log (default: you)"
    )


def run(args: argparse.Namespace) -> int:
    """Make or sign a draft."""
    from model_registry.releases.draft import DRAFT_FILE, read_draft, write_draft
    from wire_protocol.errors import OperatorError

    if not (args.what / DRAFT_FILE).exists():
        return finish(args, release_draft(args))
    if not (args.key or args.keys):
        raise OperatorError("with which key?", remedy="topscoop model sign DRAFT --key FILE")
    draft = read_draft(args.what)
    draft.check()
    words = draft.words()
    signed = sign_draft(args, draft, words)
    write_draft(draft, args.what)
    lacking = draft.missing()
    if args.json:
        print(json.dumps({"changes": words, "signed": signed, "missing": lacking}))
        return 0
    print(f"{args.what}: signed as {' and '.join(signed)}")
    for role, count in lacking.items():
        print(f"  {count} signature(s) of {role} are missing")
    if not lacking:
        print(f"  bring it back, then: topscoop model publish {args.what} --store … --keys DIR")
    return 0


def release_draft(args: argparse.Namespace) -> Draft:
    """The draft that makes a model directory a release, if the gate lets it."""
    from tuf.api.metadata import Metadata

    from inference import FlavourModel
    from inference import golden as golden_frames
    from model_registry.errors import ReleaseRefused
    from model_registry.gate import judge
    from model_registry.releases.draft import Draft
    from model_registry.releases.edits import Editor
    from model_registry.releases.state import read_state
    from wire_protocol.errors import OperatorError
    from wire_protocol.release_metadata import RELEASE_MAX, ReleaseTarget, golden_path

    if args.release is None or args.store is None:
        raise OperatorError(
            "a model needs a number and a repository to become a release",
            remedy="Give --release N and --store PLACE; `topscoop model log` shows the numbers so far.",
        )
    if not 1 <= args.release <= RELEASE_MAX:
        raise OperatorError(f"{args.release} is no release", remedy=f"Take a number from 1 to {RELEASE_MAX}.")
    model = FlavourModel.load(args.what)
    manifest = (args.what / "manifest.json").read_bytes()
    network = (args.what / model.manifest.model.file).read_bytes()
    evidence = args.what / "report.json"
    report = evidence.read_bytes() if evidence.exists() else None
    verdict = judge(manifest, network, report)
    if verdict.report is None or report is None:
        raise ReleaseRefused(
            f"the release gate refuses {args.what}:\n  - " + "\n  - ".join(verdict.reasons),
            remedy="What a model must show, and why, stands in docs/registry.md.",
        )
    golden = golden_frames.make_from_directory(model, args.what).to_bytes()
    args.chain = model.manifest.tenant
    state = read_state(open_store(args))
    editor = Editor(state, by=author(args), now=now())
    target = ReleaseTarget(
        release=args.release,
        manifest=json.dumps(json.loads(manifest), ensure_ascii=False, separators=(",", ":")),
        report=verdict.report,
        golden=golden_path(args.release),
        published=now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        signer=author(args),
    )
    editor.release(target, network, golden)
    if args.alias:
        editor.set_alias(args.alias, args.release)
    edit = editor.done()
    return Draft(
        state.chain,
        state.roots[-1],
        state.targets,
        None,
        Metadata(edit.targets),
        dict(edit.files),
        {args.release: report},
    )
