"""`topscoop cloud files run`: gives registers their chain's release files over MQTT."""

import argparse


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `files` to `topscoop cloud`."""
    files = verbs.add_parser(
        "files", help="the service that gives registers release files", description=__doc__
    )
    actions = files.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_parser = actions.add_parser("run", help="serve until it is told to stop", description=__doc__)
    run_parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    run_parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    from cloud.config_sources import config_of
    from cloud.files.service import run_files
    from daemon import event_log

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)
    return run_files(config)
