"""`topscoop edge run`: put the parts together, keep them running, take them apart in one order."""

import argparse
import gc


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `run` to `topscoop edge`."""
    parser = verbs.add_parser(
        "run",
        help="start the agent and stay",
        description="Start the agent of one register; it ends with SIGTERM or Ctrl-C.",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="configuration (TOML); see `topscoop edge config schema`"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until a signal ends it; 0 after a clean end, 1 when a part of the agent died."""
    # The start makes hundreds of thousands of objects that stay: collecting in between costs a tenth of its
    # time and finds nothing. `adapters.memory.settle` switches the collector on again.
    gc.disable()

    import os

    from edge_agent.adapters.config_sources import load_config

    # Configuration first: its mistakes are told before anything heavy is imported.
    config = load_config(args.config, os.environ).config

    from edge_agent.commands.daemon import start

    return start(config)
