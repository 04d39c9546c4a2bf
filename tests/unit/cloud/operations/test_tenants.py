"""Chains and their service keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, select

from cloud.config import CloudConfig, MasterKeyConfig
from cloud.database.engine import Database, open_database
from cloud.database.schema import audit, register_keys, registers, service_keys
from cloud.database.tills import public_api
from cloud.enrolment.register_rows import add_register
from cloud.errors import TenantExists, UnknownTenant
from cloud.operations.setup import SetUp
from cloud.operations.tenants import complete_chains, complete_keys, create_tenant, known_tenant
from cloud.service_keys import Purpose, ServiceKeyFolder
from tests.builders.cloud_database import NOW_MS, set_up, some_tenant


@pytest.fixture
def config(tmp_path: Path) -> CloudConfig:
    made = CloudConfig(
        environment="development", state_dir=tmp_path / "state", master_key=MasterKeyConfig(kind="file")
    )
    set_up(made)
    return made


def _forget(database: Database, config: CloudConfig, *purposes: Purpose) -> None:
    """As an older version left it."""
    with database.tenant("gelato") as connection:
        connection.execute(delete(service_keys).where(service_keys.c.purpose.in_([str(p) for p in purposes])))
    for purpose in purposes:
        (config.state_dir / "service-keys" / "gelato" / f"{purpose}.pem").unlink()


def test_a_chain_gets_a_key_for_every_purpose(config: CloudConfig) -> None:
    """Row and private half are of one key; a second chain of the name is refused."""
    with open_database(config.database_url) as database:
        create_tenant(database, config, some_tenant("gelato"), actor="operator:ada")
        _, keys = known_tenant(database, "gelato")
        folder = ServiceKeyFolder(config.state_dir)
        found = {key.purpose: key.key.kid for key in keys}
        assert found == {str(one): folder.load("gelato", one).kid for one in Purpose}
        with pytest.raises(TenantExists):
            create_tenant(database, config, some_tenant("gelato"), actor="operator:ada")


def test_an_older_chain_gets_the_keys_that_it_lacks_and_keeps_the_others(config: CloudConfig) -> None:
    """Once, audited; nothing happens where nothing lacks."""
    with open_database(config.database_url) as database:
        create_tenant(database, config, some_tenant("gelato"), actor="operator:ada")
        before = {key.purpose: key.key.kid for key in known_tenant(database, "gelato")[1]}
        _forget(database, config, Purpose.FLEET, Purpose.FILES)
        made = complete_keys(database, config, "gelato", NOW_MS, actor="operator:ada")
        assert [key.purpose for key in made] == [Purpose.FLEET, Purpose.FILES]
        after = {key.purpose: key.key.kid for key in known_tenant(database, "gelato")[1]}
        assert set(after) == set(before)
        assert {name for name in after if after[name] == before[name]} == {
            Purpose.RECEIPTS,
            Purpose.CONSENT,
            Purpose.INTAKE,
        }
        assert complete_keys(database, config, "gelato", NOW_MS, actor="operator:ada") == []
        with database.tenant("gelato", read_only=True) as connection:
            entries = connection.execute(select(audit.c.detail).where(audit.c.action == "tenant.keys-made"))
            assert list(entries.scalars()) == [{"purposes": ["fleet", "files"]}]


def test_a_run_that_was_cut_off_before_the_row_goes_on_with_the_same_key(config: CloudConfig) -> None:
    """The private half was durable first."""
    with open_database(config.database_url) as database:
        create_tenant(database, config, some_tenant("gelato"), actor="operator:ada")
        _forget(database, config, Purpose.FILES)
        key = ServiceKeyFolder(config.state_dir).make("gelato", Purpose.FILES)
        made = complete_keys(database, config, "gelato", NOW_MS, actor="operator:ada")
        assert [one.key.kid for one in made] == [key.kid]


def test_nobody_gets_keys_for_a_chain_that_is_not_there(config: CloudConfig) -> None:
    """A typing mistake makes no files."""
    with open_database(config.database_url) as database, pytest.raises(UnknownTenant):
        complete_keys(database, config, "gelatto", NOW_MS, actor="operator:ada")
    assert not (config.state_dir / "service-keys" / "gelatto").exists()


def test_set_up_gives_an_older_chain_its_public_api(config: CloudConfig) -> None:
    """Key and reserved name, once; a chain where a till has the name is told, and the others get theirs."""
    setup = SetUp(config, NOW_MS)
    assert complete_chains(setup) == "every chain has its keys"
    with open_database(config.database_url) as database:
        for name in ("gelato", "sorbet"):
            create_tenant(database, config, some_tenant(name), actor="operator:ada")
        _forget(database, config, Purpose.INTAKE)
        for name in ("gelato", "sorbet"):
            with database.tenant(name) as connection:
                connection.execute(delete(register_keys).where(register_keys.c.tenant == name))
                connection.execute(delete(registers).where(registers.c.tenant == name))
        with database.tenant("sorbet") as connection:
            add_register(connection, public_api("sorbet"), "harbour", NOW_MS)
        assert complete_chains(setup) == (
            "gelato: made a key for intake; "
            "sorbet: no public API, for sorbet has a till that is called public-api"
        )
        with database.tenant("gelato", read_only=True) as connection:
            (kid,) = connection.execute(select(register_keys.c.kid)).scalars()
            assert kid == ServiceKeyFolder(config.state_dir).load("gelato", Purpose.INTAKE).kid
        assert complete_chains(setup).startswith("sorbet: no public API")
