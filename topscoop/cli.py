"""The one command, `topscoop`: folders add their verbs; nothing is imported before it is needed."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from wire_protocol.errors import OperatorError, TopscoopError

_VERBS = {
    "recommend": "inference.cli",
    "edge": "edge_agent.cli",
    "cloud": "cloud.cli",
    "client": "api_client.cli",
    "model": "model_registry.cli",
    "sim": "simulator.cli",
    "rollout": "cloud.rollout.cli",
    "demo": "simulator.cli",
}
"""First word of a command line -> the module whose `add_commands(subparsers)` knows it."""

_EXIT_FAILED = 1
_EXIT_USAGE = 2
_EXIT_INTERRUPTED = 130
_EXIT_PIPE = 141


def build_parser(verb: str | None) -> argparse.ArgumentParser:
    """The parser; with a known `verb`, only its folder is imported."""
    parser = argparse.ArgumentParser(
        prog="topscoop",
        description="Three flavours for the customer at the till, in a fraction of a millisecond.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    modules = [_VERBS[verb]] if verb in _VERBS else list(dict.fromkeys(_VERBS.values()))
    for name in modules:
        importlib.import_module(name).add_commands(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 (failed) or 2 (wrong use or set-up)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:
        from importlib.metadata import version

        print(f"topscoop {version('topscoop')}")
        return 0
    parser = build_parser(words[0] if words else None)
    args = parser.parse_args(words)
    if not hasattr(args, "run"):
        parser.print_help()
        return _EXIT_USAGE
    try:
        return int(args.run(args))
    except TopscoopError as error:
        print(f"topscoop: error: {error}", file=sys.stderr)
        if error.remedy:
            print(f"  {error.remedy}", file=sys.stderr)
        return _EXIT_USAGE if isinstance(error, OperatorError) else _EXIT_FAILED
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_PIPE
