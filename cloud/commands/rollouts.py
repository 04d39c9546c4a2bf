"""`topscoop cloud rollouts run`: brings releases to registers, stage by stage, and back if they are bad."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `rollouts` to `topscoop cloud`."""
    rollouts = verbs.add_parser(
        "rollouts", help="the service that brings releases to registers", description=__doc__
    )
    actions = rollouts.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_parser = actions.add_parser("run", help="serve until it is told to stop", description=__doc__)
    run_parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    run_parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    import asyncio

    from cloud.config_sources import config_of
    from cloud.rollout.service import serve
    from cloud.stand_ins import check_stand_ins
    from daemon import event_log

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)
    check_stand_ins(config)
    asyncio.run(serve(config))
    return 0
