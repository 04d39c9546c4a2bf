"""`topscoop cloud operator add|list|role|remove`: who may log in to a chain's console, and as what."""

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud.config import CloudConfig
    from cloud.console.adapters.operators import Operator

_ROLES = ("viewer", "operator", "admin")


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `operator` to `topscoop cloud`."""
    operator = verbs.add_parser(
        "operator",
        help="who may log in to a chain's console",
        description="A viewer looks, an operator plans and steers rollouts, an admin also freezes and stops.",
    )
    actions = operator.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = actions.add_parser("add", help="let somebody in, or back in")
    listing = actions.add_parser("list", help="list a chain's operators")
    role = actions.add_parser("role", help="change somebody's role; holds from their next click")
    remove = actions.add_parser("remove", help="end somebody's access and sessions at once")
    for parser in (add, role, remove):
        parser.add_argument(
            "--subject", required=True, metavar="SUB", help="the person's `sub` at the identity provider"
        )
        parser.add_argument("--issuer", metavar="URL", help="the provider; default: console.oidc_issuer")
    for parser in (add, role):
        parser.add_argument("--role", required=True, choices=_ROLES, help="what they may do")
    add.add_argument("--name", help="their name for timelines and the audit log; default: the subject")
    for parser, run in ((add, run_add), (listing, run_list), (role, run_role), (remove, run_remove)):
        parser.add_argument("--tenant", required=True, metavar="TENANT", help="the chain")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_add(args: argparse.Namespace) -> int:
    """Let somebody in."""
    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.console.adapters.operators import put_operator
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant
    from cloud.principal import Role

    config = config_of(args)
    issuer = _issuer(args, config)
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        with database.tenant(args.tenant) as connection:
            added = put_operator(
                connection,
                args.tenant,
                now_ms(),
                issuer=issuer,
                subject=args.subject,
                name=(args.name or args.subject)[:200],
                role=Role(args.role),
                actor=_actor(),
            )
    if args.json:
        print(json.dumps(_document(added)))
    else:
        print(f"{added.name}: {added.role} of {args.tenant}")
        print(f"  next: they log in at {config.console.public_url}")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List a chain's operators."""
    from cloud.config_sources import config_of
    from cloud.console.adapters.operators import list_operators
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant

    with open_database(config_of(args).database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        with database.tenant(args.tenant, read_only=True) as connection:
            found = list_operators(connection, args.tenant)
    if args.json:
        print(json.dumps([_document(one) for one in found]))
        return 0
    for one in found:
        print(f"{one.role:<10}{one.name}  ({one.subject} at {one.issuer})")
    if not found:
        print(f"nobody yet: topscoop cloud operator add --tenant {args.tenant} --subject SUB --role admin")
    return 0


def run_role(args: argparse.Namespace) -> int:
    """Change somebody's role."""
    from cloud.principal import Role

    role = Role(args.role)
    return _change(args, role, f"now {role}")


def run_remove(args: argparse.Namespace) -> int:
    """End somebody's access."""
    return _change(args, None, "removed, and logged out everywhere")


def _change(args: argparse.Namespace, role: Any, words: str) -> int:
    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.console.adapters.operators import find_operator, remove_operator, set_role
    from cloud.console.errors import NotFound
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant

    config = config_of(args)
    issuer = _issuer(args, config)
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        with database.tenant(args.tenant) as connection:
            found = find_operator(connection, args.tenant, issuer, args.subject)
            if found is None:
                raise NotFound(
                    f"{args.subject!r} at {issuer} is no operator of {args.tenant}",
                    remedy=f"`topscoop cloud operator list --tenant {args.tenant}` names them all.",
                )
            if role is None:
                remove_operator(connection, found, now_ms(), actor=_actor())
            else:
                set_role(connection, found, role, now_ms(), actor=_actor())
    print(json.dumps({**_document(found), "done": words}) if args.json else f"{found.name}: {words}")
    return 0


def _issuer(args: argparse.Namespace, config: "CloudConfig") -> str:
    from daemon.errors import ConfigError

    issuer = args.issuer or config.console.oidc_issuer
    if not issuer:
        raise ConfigError(
            "no identity provider is named",
            remedy="Set console.oidc_issuer, or give --issuer as the provider calls itself.",
        )
    return str(issuer)


def _actor() -> str:
    import getpass

    return f"operator:{getpass.getuser()}"


def _document(operator: "Operator") -> dict[str, Any]:
    return {
        "tenant": operator.tenant,
        "operator": operator.operator.hex(),
        "issuer": operator.issuer,
        "subject": operator.subject,
        "name": operator.name,
        "role": str(operator.role),
        "added_at_ms": operator.added_at_ms,
    }
