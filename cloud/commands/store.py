"""`topscoop cloud store set|list`: a shop's name, time zone and opening hours."""

import argparse
import json


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `store` to `topscoop cloud`."""
    store = verbs.add_parser(
        "store",
        help="a shop's time zone and opening hours",
        description="Shops: their names, time zones and opening hours.",
    )
    actions = store.add_subparsers(title="commands", metavar="COMMAND", required=True)
    setting = actions.add_parser("set", help="describe a shop, or change what is said of it")
    setting.add_argument("store", metavar="STORE", help="its id, as its registers have it")
    setting.add_argument("--timezone", metavar="ZONE", help="such as Europe/Rome; needed the first time")
    setting.add_argument("--name", help="for people; default: its id")
    setting.add_argument(
        "--open",
        action="append",
        metavar="DAYS:FROM-TO",
        help="such as mon-fri:09:00-19:30 or sun:10:00-18:00; may be given several times; replaces all",
    )
    listing = actions.add_parser("list", help="list the shops")
    for parser, run in ((setting, run_set), (listing, run_list)):
        parser.add_argument("--tenant", required=True, metavar="TENANT", help="their chain")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_set(args: argparse.Namespace) -> int:
    """Describe a shop."""
    import getpass

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.rollout.shops import opening_from, set_store

    opening = None if args.open is None else opening_from(args.open)
    with open_database(config_of(args).database_url) as database:
        database.check()
        shop = set_store(
            database,
            args.tenant,
            args.store,
            name=args.name,
            timezone=args.timezone,
            opening=opening,
            actor=f"operator:{getpass.getuser()}",
            now_ms=now_ms(),
        )
    print(json.dumps(shop.document()) if args.json else shop.words())
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List shops."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.rollout.shops import list_stores

    with open_database(config_of(args).database_url) as database:
        database.check()
        shops = list_stores(database, args.tenant)
    if args.json:
        print(json.dumps([shop.document() for shop in shops]))
        return 0
    for shop in shops:
        print(shop.words())
    if not shops:
        print(
            f"no shop is described; `topscoop cloud store set STORE --tenant {args.tenant} --timezone ZONE`"
        )
    return 0
