"""`topscoop cloud api run`: the public API for phones, kiosks and partners."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `api` to `topscoop cloud`."""
    api = verbs.add_parser("api", help="the public API for phones, kiosks and partners", description=__doc__)
    actions = api.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_parser = actions.add_parser(
        "run",
        help="serve until it is told to stop",
        description="Serves the public API over HTTP; TLS is the gateway's. Each chain is a host of "
        "public_api.public_url.",
    )
    run_parser.add_argument(
        "--all",
        action="store_true",
        help="take uploads in and recommend in the same process, too: for trying out, or a small chain",
    )
    run_parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    run_parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    import asyncio

    from cloud import one_process
    from cloud.config_sources import config_of
    from cloud.event_loop import fast_loop
    from cloud.public_api import service
    from cloud.stand_ins import check_stand_ins
    from daemon import event_log

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)
    check_stand_ins(config)
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(one_process.serve(config) if args.all else service.serve(config))
    return 0
