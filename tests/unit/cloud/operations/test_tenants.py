"""Chains and their service keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, select

from cloud.config import CloudConfig, MasterKeyConfig
from cloud.database.engine import Database, open_database
from cloud.database.schema import audit, service_keys
from cloud.errors import TenantExists, UnknownTenant
from cloud.operations.tenants import complete_keys, create_tenant, known_tenant
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
        assert {name for name in after if after[name] == before[name]} == {Purpose.RECEIPTS, Purpose.CONSENT}
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
