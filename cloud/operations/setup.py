"""Setting the cloud up, step by step; each step does nothing where it was done before."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from cloud.config import CloudConfig
from cloud.database.engine import open_database
from cloud.database.role import grant_role
from cloud.database.schema_version import CLOUD, Schema
from cloud.stand_ins import check_stand_ins
from cloud.state_folder import prepare_folder
from daemon.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a step is told.

    Args:
        config: Of the cloud.
        now_ms: Now.
    """

    config: CloudConfig
    now_ms: int


def run_steps(setup: SetUp) -> Iterator[tuple[str, str]]:
    """Do every step in turn; yields its name and what it found or made, in words.

    Raises:
        OperatorError: A step cannot be done; those before it stay done, and the next run goes on there.
    """
    check_stand_ins(setup.config)
    for name, place in STEPS:
        module, _, function = place.partition(":")
        step: Callable[[SetUp], str] = getattr(importlib.import_module(module), function)
        yield name, step(setup)


def state_folder(setup: SetUp) -> str:
    """The folder of everything that is not in a database or in S3."""
    made = prepare_folder(setup.config.state_dir)
    return f"{setup.config.state_dir} {'made' if made else 'is there'}"


def database(setup: SetUp) -> str:
    """The database's tables and, on PostgreSQL, the services' role."""
    config = setup.config
    data, keys = (open_database(url).url for url in (config.database_url, config.keys_url))
    if (data.host, data.port, data.database) == (keys.host, keys.port, keys.database):
        raise ConfigError(
            "database_url and keys_url name one database, so that one backup would hold keys and frames",
            remedy="Give the consent keys a database of their own.",
        )
    return prepare_database(config.database_url, config.database_owner_url, CLOUD)


def prepare_database(url: str, owner_url: str | None, schema: Schema) -> str:
    """Bring a database to this version and see that a service may run on it.

    Args:
        url: What services use. On PostgreSQL its role is made, if it is not there, and granted what it needs.
        owner_url: On PostgreSQL, the tables' owner; without one they are only checked.
        schema: Which tables.

    Returns:
        What is there now, in words.

    Raises:
        DatabaseAway: The database does not answer.
        DatabaseNotMigrated: There is no owner's address, and tables are missing.
        DatabaseRoleTooStrong: The services' role is the owner, superuser, or the like.
    """
    service = open_database(url, schema)
    try:
        if service.is_sqlite or schema.owned:
            service.migrate()
        elif owner_url is not None:
            owner = open_database(owner_url, schema)
            if (owner.url.host, owner.url.port, owner.url.database) != (
                service.url.host,
                service.url.port,
                service.url.database,
            ):
                raise ConfigError("the owner's address names another database than the services' one")
            try:
                owner.migrate()
                with owner.system() as connection:
                    grant_role(connection, schema, service.url)
            finally:
                owner.close()
        service.check()
        return f"{service.url.render_as_string(hide_password=True)} at revision {service.revision()}"
    finally:
        service.close()


STEPS: Final = (
    ("state folder", "cloud.operations.setup:state_folder"),
    ("database", "cloud.operations.setup:database"),
    ("consent keys", "cloud.privacy.composition:set_up_keys"),
    ("certificates", "cloud.enrolment.set_up:certificates"),
    ("bucket", "cloud.objects.setup:set_up_bucket"),
    ("intake", "cloud.intake.set_up:set_up_intake"),
    ("releases", "cloud.releases.composition:set_up_releases"),
    ("chains", "cloud.operations.tenants:complete_chains"),
)
"""Name, and `module:function` of what does it; each takes a `SetUp` and says what it found or made."""
