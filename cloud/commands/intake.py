"""`topscoop cloud intake run`: hears of uploaded pictures, and sees that none stays."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `intake` to `topscoop cloud`."""
    intake = verbs.add_parser(
        "intake", help="the service that hears of uploads and clears their bucket", description=__doc__
    )
    actions = intake.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_parser = actions.add_parser("run", help="serve until it is told to stop", description=__doc__)
    run_parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    run_parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    import asyncio

    from cloud.config_sources import config_of
    from cloud.intake.service import serve
    from cloud.stand_ins import check_stand_ins
    from daemon import event_log

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)
    check_stand_ins(config)
    asyncio.run(serve(config))
    return 0
