"""`topscoop cloud console run`: the operators' web pages."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `console` to `topscoop cloud`."""
    console = verbs.add_parser("console", help="the operators' web pages", description=__doc__)
    actions = console.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_parser = actions.add_parser(
        "run",
        help="serve until it is told to stop",
        description="Serves the pages; operators are added with `topscoop cloud operator add`.",
    )
    run_parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    run_parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    import asyncio

    from cloud.config_sources import config_of
    from cloud.console.service import serve
    from cloud.stand_ins import check_stand_ins
    from daemon import event_log

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)
    check_stand_ins(config)
    asyncio.run(serve(config))
    return 0
