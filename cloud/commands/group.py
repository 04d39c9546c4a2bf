"""`topscoop cloud group set|list`: named groups of registers, for the stages of a rollout."""

import argparse
import json


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `group` to `topscoop cloud`."""
    group = verbs.add_parser(
        "group", help="named groups of registers", description="Named groups of registers."
    )
    actions = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    setting = actions.add_parser("set", help="say which registers are in a group; none deletes it")
    setting.add_argument("group", metavar="GROUP", help="its name: a-z, 0-9, inner hyphens")
    setting.add_argument("register", nargs="*", metavar="REGISTER", help="its registers, all of them")
    listing = actions.add_parser("list", help="list the groups")
    for parser, run in ((setting, run_set), (listing, run_list)):
        parser.add_argument("--tenant", required=True, metavar="TENANT", help="their chain")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_set(args: argparse.Namespace) -> int:
    """Make, change or delete a group."""
    import getpass

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.rollout.shops import set_group

    with open_database(config_of(args).database_url) as database:
        database.check()
        names = set_group(
            database,
            args.tenant,
            args.group,
            args.register,
            actor=f"operator:{getpass.getuser()}",
            now_ms=now_ms(),
        )
    if args.json:
        print(json.dumps({"group": args.group, "registers": names}))
    else:
        print(f"{args.group}: {', '.join(names) if names else 'deleted'}")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List groups."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.rollout.shops import list_groups

    with open_database(config_of(args).database_url) as database:
        database.check()
        groups = list_groups(database, args.tenant)
    if args.json:
        print(json.dumps(groups))
        return 0
    for name, registers in groups.items():
        print(f"{name:<32}  {', '.join(registers)}")
    if not groups:
        print(f"no groups; `topscoop cloud group set GROUP REGISTER … --tenant {args.tenant}` makes one")
    return 0
