"""`topscoop edge update-client`: the updater's TUF client alone, on any repository."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from edge_agent.updater.ports import Source

_FAILED = 1
_UNBOUNDED = 1 << 40


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "update-client",
        help="check a TUF repository with the updater's own client",
        description="What the updater does with a chain's repository, for any: trust a root, bring "
        "metadata up to date, download targets. It speaks the command line that the public conformance "
        "suite for TUF clients expects; options may stand before or after the command.",
    )
    _add_options(parser, first=True)
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", dest="action", required=True)
    init = actions.add_parser("init", help="trust this root from now on; nothing is fetched")
    init.add_argument("trusted_root", type=Path, metavar="ROOT.json", help="root metadata, from a safe place")
    refresh = actions.add_parser("refresh", help="bring the top-level metadata up to date")
    download = actions.add_parser("download", help="bring metadata up to date, and download targets")
    for action in (init, refresh, download):
        _add_options(action, first=False)
    parser.set_defaults(run=run)


def _add_options(parser: argparse.ArgumentParser, *, first: bool) -> None:
    """The same options for the verb and for its commands; those of the command count."""
    default = None if first else argparse.SUPPRESS
    parser.add_argument(
        "--metadata-dir", type=Path, metavar="DIR", default=default, help="folder of trusted metadata"
    )
    parser.add_argument("--metadata-url", metavar="URL", default=default, help="folder of the repository's")
    parser.add_argument(
        "--target-name",
        action="append",
        metavar="NAME",
        default=[] if first else argparse.SUPPRESS,
        dest="target_name" if first else "target_name_after",
        help="target to download; may be given several times",
    )
    parser.add_argument("--target-base-url", metavar="URL", default=default, help="folder of the targets")
    parser.add_argument("--target-dir", type=Path, metavar="DIR", default=default, help="where targets go")
    parser.add_argument(
        "--transport",
        choices=("http", "mqtt"),
        default="http" if first else argparse.SUPPRESS,
        help="fetch by HTTP; or ask over MQTT, as a register does, through a relay in this process",
    )
    parser.add_argument(
        "--broker",
        metavar="HOST:PORT",
        default=default,
        help="with --transport mqtt: a test broker that lets anybody in",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=False if first else argparse.SUPPRESS,
        help="print one JSON object",
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0 where all was proven and done, else 1."""
    from edge_agent.updater.adapters.tuf_library import import_tuf

    needed = {"init": ["metadata_dir"], "refresh": ["metadata_dir", "metadata_url"]}.get(
        args.action, ["metadata_dir", "metadata_url", "target_name", "target_base_url", "target_dir"]
    )
    args.target_name = [*args.target_name, *getattr(args, "target_name_after", [])]
    if args.transport == "mqtt" and args.action != "init":
        needed.append("broker")
    missing = [f"--{name.replace('_', '-')}" for name in needed if not getattr(args, name)]
    if missing:
        print(
            f"topscoop: error: `update-client {args.action}` needs {' and '.join(missing)}", file=sys.stderr
        )
        return _FAILED
    import_tuf()
    return _carry_out(args)


def _carry_out(args: argparse.Namespace) -> int:
    from edge_agent.updater.adapters import update_client

    files: list[Path] = []
    if args.action == "init":
        update_client.initialize(args.metadata_dir, args.trusted_root)
        said = f"{args.metadata_dir} trusts {args.trusted_root} from now on."
    else:
        with _source(args) as source:
            if args.action == "refresh":
                update_client.refresh(args.metadata_dir, args.metadata_url, source)
                said = f"The metadata in {args.metadata_dir} is up to date."
            else:
                files = update_client.download(
                    args.metadata_dir,
                    args.metadata_url,
                    source,
                    names=args.target_name,
                    base_url=args.target_base_url,
                    target_dir=args.target_dir,
                )
                said = f"Downloaded and verified: {', '.join(map(str, files))}."
    if args.json:
        print(json.dumps({"action": args.action, "files": [str(file) for file in files]}))
    else:
        print(said)
    return 0


def _source(args: argparse.Namespace) -> "AbstractContextManager[Source]":
    from contextlib import contextmanager

    from edge_agent.updater.adapters.http_source import HttpSource
    from edge_agent.updater.transfer import Budget

    budget = Budget(_UNBOUNDED, _UNBOUNDED)

    @contextmanager
    def opened() -> "Iterator[Source]":
        if args.transport == "mqtt":
            from edge_agent.updater.adapters.mqtt_relay import relayed

            bases = {"metadata": args.metadata_url, "targets": args.target_base_url or args.metadata_url}
            slashed = {folder: f"{base.rstrip('/')}/" for folder, base in bases.items()}
            with relayed(args.broker, slashed, budget) as source:
                yield source
        else:
            yield HttpSource("", budget)

    return opened()
