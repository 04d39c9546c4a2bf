"""`topscoop cloud setup`: folder, databases, certificates and bucket; may be run again at any time."""

import argparse
import json


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `setup` to `topscoop cloud`."""
    parser = verbs.add_parser(
        "setup",
        help="make or complete everything that the services need",
        description=__doc__,
    )
    parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--owner-url",
        metavar="URL",
        help="PostgreSQL: the owner of the tables, who makes them and the services' role"
        " (better set database_owner_url: other users of this machine see command lines)",
    )
    parser.add_argument("--keys-owner-url", metavar="URL", help="the same for the database of consent keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do every step; says what each found or made."""
    import dataclasses

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.operations.setup import SetUp, run_steps
    from daemon.event_log import set_up

    config = config_of(args)
    set_up(config.log.format, config.log.level)
    if args.owner_url is not None:
        config = dataclasses.replace(config, database_owner_url=args.owner_url)
    if args.keys_owner_url is not None:
        config = dataclasses.replace(config, keys_owner_url=args.keys_owner_url)
    done = []
    for name, result in run_steps(SetUp(config, now_ms())):
        if args.json:
            done.append({"step": name, "result": result})
        else:
            print(f"{name}: {result}", flush=True)
    if args.json:
        print(json.dumps(done))
    return 0
