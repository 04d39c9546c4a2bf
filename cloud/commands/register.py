"""`topscoop cloud register add|code|list|show|revoke`: the tills that may connect."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud.config import CloudConfig
    from cloud.database.engine import Database
    from cloud.enrolment.register_rows import Register
    from cloud.enrolment.registers import CodeTerms, Invitation
    from wire_protocol.topics import Identity


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `register` to `topscoop cloud`."""
    register = verbs.add_parser(
        "register", help="add, list and revoke registers", description="The tills that may connect."
    )
    actions = register.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = actions.add_parser("add", help="add a register and print its one-time code")
    code = actions.add_parser(
        "code", help="print another code: the first ran out, the certificate expired, the machine is new"
    )
    listing = actions.add_parser("list", help="list a chain's registers")
    show = actions.add_parser("show", help="show one register and its certificates")
    revoke = actions.add_parser("revoke", help="put a register out, for ever; takes a few seconds")
    runs = {add: run_add, code: run_code, listing: run_list, show: run_show, revoke: run_revoke}
    add.add_argument("--store", required=True, metavar="STORE", help="the store where it stands")
    add.add_argument("--register", metavar="NAME", help="its name; default: the store's and a number")
    for parser in (code, show, revoke):
        parser.add_argument("--register", required=True, metavar="NAME", help="its name")
    for parser, run in runs.items():
        parser.add_argument("--tenant", required=True, metavar="TENANT", help="its chain")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_add(args: argparse.Namespace) -> int:
    """Add a register."""
    from cloud.clock import now_ms
    from cloud.enrolment.registers import add_register, list_registers

    with _open(args) as (config, database):
        _check_name("store", args.store)
        if args.register is None:
            _check_name("tenant", args.tenant)
            taken = {one.register for one in list_registers(database, args.tenant)}
            args.register = next(
                name
                for number in range(1, len(taken) + 2)
                if (name := f"{args.store[:27]}-{number}") not in taken
            )
        made = add_register(database, _identity(args), args.store, _terms(config), now_ms(), actor=_actor())
    _print_invitation(args, config, made)
    return 0


def run_code(args: argparse.Namespace) -> int:
    """Make another code."""
    from cloud.clock import now_ms
    from cloud.enrolment.registers import new_code

    with _open(args) as (config, database):
        made = new_code(database, _identity(args), _terms(config), now_ms(), actor=_actor())
    _print_invitation(args, config, made)
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List registers."""
    from cloud.enrolment.registers import list_registers

    _check_name("tenant", args.tenant)
    with _open(args) as (_, database):
        found = list_registers(database, args.tenant)
    if args.json:
        print(json.dumps([_document(one) for one in found]))
        return 0
    for one in found:
        print(f"{one.register:<32}  {one.state:<9}  store {one.store:<32}  seen {_moment(one.seen_at_ms)}")
    if not found:
        print(f"no registers yet; add one: topscoop cloud register add --tenant {args.tenant} --store STORE")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Show one register."""
    import dataclasses

    from cloud.enrolment.registers import show_register

    with _open(args) as (_, database):
        register, certificates = show_register(database, _identity(args))
    if args.json:
        listed = [dataclasses.asdict(one) for one in certificates]
        print(json.dumps({**_document(register), "certificates": listed}))
        return 0
    for name, value in _document(register).items():
        print(f"{name:<16} {_moment(value) if name.endswith('_ms') else value}")
    for one in certificates:
        ended = "" if one.revoked_at_ms is None else f"  revoked {_moment(one.revoked_at_ms)}"
        print(f"{'certificate':<16} {one.serial}  until {_moment(one.not_after_ms)}{ended}")
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    """Revoke; exit status 1 where the broker could not be told."""
    import sys
    import time

    from cloud.broker.composition import open_control
    from cloud.broker.configuration import FOLDER_NAME, copy_certificates
    from cloud.clock import now_ms
    from cloud.enrolment.pki_folder import PkiFolder
    from cloud.enrolment.registers import all_revoked, expel, revoke_register

    identity = _identity(args)
    with _open(args) as (config, database):
        # 1. The database: from here on nothing of it is accepted.
        first_time = revoke_register(database, identity, now_ms(), actor=_actor())
        revoked = all_revoked(database, now_ms())
    # 2. The list of revoked certificates, which the broker reads within a second.
    pki, folder = PkiFolder(config.state_dir), config.state_dir / FOLDER_NAME
    pki.write_revocation_list(revoked, now_ms())
    if folder.exists():
        copy_certificates(folder, pki)
    if not args.json:
        print(
            f"{identity}: {'revoked' if first_time else 'was revoked before'}; dropping its sessions …",
            flush=True,
        )
    # 3. Its rights and its live session, at once; and again, should it have come back in between.
    trouble = expel(open_control(config), [identity], time.sleep)
    if args.json:
        print(json.dumps({"register": str(identity), "first_time": first_time, "broker": trouble or "done"}))
    elif trouble:
        print(f"  the broker was not told: {trouble}", file=sys.stderr)
        print(
            "  `topscoop cloud enrolment run` goes on trying; or run `topscoop cloud broker sync`.",
            file=sys.stderr,
        )
    else:
        print("  no session, no rights, no way back in")
    return 1 if trouble else 0


@contextmanager
def _open(args: argparse.Namespace) -> "Iterator[tuple[CloudConfig, Database]]":
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database

    config = config_of(args)
    with open_database(config.database_url) as database:
        database.check()
        yield config, database


def _identity(args: argparse.Namespace) -> "Identity":
    from wire_protocol.topics import Identity

    _check_name("tenant", args.tenant)
    _check_name("register", args.register)
    return Identity(args.tenant, args.register)


def _terms(config: "CloudConfig") -> "CodeTerms":
    from cloud.enrolment.pki_folder import PkiFolder
    from cloud.enrolment.registers import CodeTerms

    services = PkiFolder(config.state_dir).services
    return CodeTerms(services, config.enrolment.code_minutes, config.enrolment.code_tries)


def _actor() -> str:
    import getpass

    return f"operator:{getpass.getuser()}"


def _print_invitation(args: argparse.Namespace, config: "CloudConfig", made: "Invitation") -> None:
    if args.json:
        document = {
            "tenant": made.identity.tenant,
            "register": made.identity.register,
            "store": made.store,
            "code": made.code,
            "expires_at_ms": made.expires_at_ms,
            "url": config.enrolment.public_url,
        }
        print(json.dumps(document))
        return
    print(f"{made.identity}, store {made.store}; until {_moment(made.expires_at_ms)}, once, on the register:")
    print(f"  topscoop edge enrol --url {config.enrolment.public_url} --code {made.code}")


def _document(register: "Register") -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(register)


def _moment(at_ms: int | None) -> str:
    from datetime import UTC, datetime

    if at_ms is None:
        return "never"
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _check_name(what: str, name: str) -> None:
    from daemon.errors import ConfigError
    from wire_protocol.identifiers import is_name

    if not is_name(name):
        raise ConfigError(
            f"{name!r:.80} cannot be the name of a {what}",
            remedy="1 to 32 of a-z, 0-9 and hyphens, none at an end.",
        )
