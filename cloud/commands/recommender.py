"""`topscoop cloud recommender run`: looks at uploaded pictures and writes recommendations."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `recommender` to `topscoop cloud`."""
    recommender = verbs.add_parser(
        "recommender", help="the service that looks at uploaded pictures", description=__doc__
    )
    actions = recommender.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_parser = actions.add_parser("run", help="serve until it is told to stop", description=__doc__)
    run_parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    run_parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    import asyncio

    from cloud.config_sources import config_of
    from cloud.recommender.service import serve
    from cloud.stand_ins import check_stand_ins
    from daemon import event_log

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)
    check_stand_ins(config)
    asyncio.run(serve(config))
    return 0
