"""What the verbs of `topscoop rollout` share."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud.principal import Principal
    from cloud.rollout.desk import Desk


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options of every verb."""
    parser.add_argument("--tenant", required=True, metavar="TENANT", help="the chain")
    parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    parser.add_argument("--json", action="store_true", help="print JSON")


@contextmanager
def open_desk(args: argparse.Namespace) -> "Iterator[tuple[Desk, Principal]]":
    """The desk, and who sits at this machine: an admin of every chain.

    Raises:
        UnknownTenant: No such chain.
    """
    import getpass

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.database.tenancy import read_tenant
    from cloud.errors import UnknownTenant
    from cloud.principal import Principal, Role
    from cloud.rollout.desk import Desk
    from wire_protocol.identifiers import is_name

    with open_database(config_of(args).database_url) as database:
        database.check()
        tenant = args.tenant if is_name(args.tenant) else ""
        known = None
        if tenant:
            with database.tenant(tenant, read_only=True) as connection:
                known = read_tenant(connection, tenant)
        if known is None:
            raise UnknownTenant(
                f"there is no chain {args.tenant!r:.60}", remedy="`topscoop cloud tenant list` shows them."
            )
        yield Desk(database, now_ms), Principal(tenant, b"", getpass.getuser(), Role.ADMIN)


def rollout_of(args: argparse.Namespace) -> bytes:
    """The id that was typed. Raises ConfigError."""
    from cloud.operations.typed_ids import typed_id

    return typed_id(args.rollout, "a rollout")


def moment(at_ms: int | None) -> str:
    """A time for people, in UTC."""
    from datetime import UTC, datetime

    if at_ms is None:
        return "-"
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
