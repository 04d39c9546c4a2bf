"""`topscoop cloud broker config|sync`: mosquitto's folder, and its rights from the database."""

import argparse
import json


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `broker` to `topscoop cloud`."""
    broker = verbs.add_parser("broker", help="configure mosquitto and its rights", description=__doc__)
    actions = broker.add_subparsers(title="commands", metavar="COMMAND", required=True)
    config = actions.add_parser(
        "config",
        help="write a folder that mosquitto can be started with",
        description="Writes mosquitto.conf, certificates, the list of revoked registers, the first rights, "
        "and the script `run`, which starts mosquitto. Run it again after a change; rights are kept.",
    )
    config.add_argument("--to", metavar="FOLDER", help="default: state_dir/broker")
    config.add_argument("--seen-as", metavar="PATH", help="the folder's path on the broker's machine")
    config.add_argument("--plugin", metavar="FILE", help="dynamic security plugin on the broker's machine")
    config.add_argument("--address", default="", metavar="ADDRESS", help="listen on this address only")
    config.add_argument("--registers-port", type=int, metavar="N", help="default: enrolment.broker_port")
    config.add_argument("--services-port", type=int, metavar="N", help="default: mqtt.port")
    config.add_argument("--user", default="", metavar="NAME", help="whom a broker started by root becomes")
    config.add_argument("--owner", type=int, metavar="UID", help="user id that the files belong to")
    config.set_defaults(run=run_config)
    sync = actions.add_parser(
        "sync",
        help="make the broker's rights those of the database",
        description="One role for each enrolled register and each service; what else has the form of ours is "
        "removed, what was added by hand is left alone and named.",
    )
    sync.set_defaults(run=run_sync)
    for parser in (config, sync):
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")


def run_config(args: argparse.Namespace) -> int:
    """Write the folder."""
    from pathlib import Path

    from cloud.broker.configuration import FOLDER_NAME, Listeners, configuration, find_plugin, write_folder
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.enrolment.pki_folder import PkiFolder
    from cloud.enrolment.registers import all_enrolled

    config = config_of(args)
    folder = Path(args.to).absolute() if args.to else config.state_dir / FOLDER_NAME
    with open_database(config.database_url) as database:
        database.check()
        identities = all_enrolled(database)
    listeners = Listeners(
        config.enrolment.broker_port if args.registers_port is None else args.registers_port,
        config.mqtt.port if args.services_port is None else args.services_port,
        args.address,
    )
    plugin = args.plugin or str(find_plugin())
    text = configuration(listeners, plugin, args.seen_as or str(folder), args.user)
    pki = PkiFolder(config.state_dir)
    written = write_folder(folder, pki, text, identities, owner=args.owner)
    if args.json:
        print(json.dumps({"folder": str(folder), "written": written}))
    else:
        print(f"{folder}: {', '.join(written)}")
        print(f"  start the broker: {folder / 'run'} {args.seen_as or folder}")
    return 0


def run_sync(args: argparse.Namespace) -> int:
    """Compare and change."""
    from cloud.broker.composition import open_control
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.enrolment.registers import all_enrolled

    config = config_of(args)
    with open_database(config.database_url) as database:
        database.check()
        identities = all_enrolled(database)
    report = open_control(config).sync(identities)
    if args.json:
        document = {"registers": len(identities), "changes": report.changes, "foreign": report.foreign}
        print(json.dumps(document))
        return 0
    for change in report.changes:
        print(change)
    print(f"{len(identities)} registers have rights; {len(report.changes)} changes")
    if report.foreign:
        print(f"left alone, added by hand: {', '.join(report.foreign)}")
    return 0
