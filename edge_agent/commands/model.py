"""`topscoop edge model list|verify|return`: the register's releases, and a person's way back."""

import argparse
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.adapters.updates.release_door import Looked
    from edge_agent.config import EdgeConfig


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb with its three actions."""
    model = verbs.add_parser(
        "model",
        help="the releases on this register: which runs, whether they are what was signed, and back",
        description="Look at the releases of the chain's model on this register. Run it as the agent's user.",
    )
    actions = model.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = actions.add_parser("list", help="print what runs, every release with its verdict, and why")
    verified = actions.add_parser("verify", help="check digests and signatures of everything that lies here")
    back = actions.add_parser("return", help="go back to the model before, until the cloud's next order")
    for parser in (listed, verified, back):
        parser.add_argument("--config", metavar="FILE", help="configuration of the agent")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
    listed.set_defaults(run=run_list)
    verified.set_defaults(run=run_verify)
    back.set_defaults(run=run_return)


def run_list(args: argparse.Namespace) -> int:
    """Print what runs, and what else lies here."""
    from edge_agent.adapters.updates.release_door import view
    from edge_agent.updates.overview import lines

    found = view(_config(args))
    print(json.dumps(found) if args.json else "\n".join(lines(found)))
    return 0


def run_verify(args: argparse.Namespace) -> int:
    """Check what lies here, signatures first; 1 where something is not what was signed."""
    looked = []
    for one in _verified(_config(args)):
        looked.append(one)
        if not args.json:
            print(f"{'ok     ' if one.good else 'FAILED '} {one.what:12} {one.said}", flush=True)
    good = all(one.good for one in looked)
    if args.json:
        checks = [{"what": one.what, "good": one.good, "said": one.said} for one in looked]
        print(json.dumps({"ok": good, "checks": checks}))
    elif not good:
        print("A damaged release is never run; it is fetched anew where the cloud wants it.")
    return 0 if good else 1


def _verified(config: "EdgeConfig") -> "Iterator[Looked]":
    # In this command alone: an agent never imports the library of signed metadata.
    from edge_agent.adapters.clock import SystemClock
    from edge_agent.adapters.updates.beginning import folder_of
    from edge_agent.adapters.updates.release_door import Looked, SignedReleases, facts_of, verify
    from edge_agent.adapters.uplink import key_files
    from edge_agent.updater.adapters.kept_metadata import verify_kept
    from edge_agent.updater.refusal import Refusal

    facts, listing = facts_of(config), None
    if facts.listing is None:
        yield Looked("metadata", good=True, said="none was verified here yet")
        return
    # Its end is the doctor's business: what it says of the past is as good as ever.
    now_ms = min(SystemClock().now_ms(), facts.listing.metadata.expires_at - 1)
    root = config.data_dir / key_files.FOLDER / key_files.ROOT_FILE
    try:
        signed = verify_kept(config.tenant, root, folder_of(config.data_dir) / "metadata", now_ms)
    except (Refusal, OSError) as error:
        yield Looked("metadata", good=False, said=str(error))
    else:
        manifests = {number: one.manifest for number, one in signed.listing.releases.items()}
        listing = SignedReleases(signed.digests, manifests, signed.listing.policy.withdrawn)
        said = f"signed by the chain's keys, targets version {signed.metadata.targets}"
        yield Looked("metadata", good=True, said=said)
    yield from verify(config, facts, listing)


def run_return(args: argparse.Namespace) -> int:
    """Go back; the cloud hears of it, and its next order decides anew."""
    from edge_agent.adapters.updates.release_door import go_back
    from edge_agent.updates.overview import lines_of_return

    found = go_back(_config(args))
    print(json.dumps(found) if args.json else "\n".join(lines_of_return(found)))
    return 0


def _config(args: argparse.Namespace) -> "EdgeConfig":
    from edge_agent.adapters.config_sources import load_config

    return load_config(args.config, os.environ).config
