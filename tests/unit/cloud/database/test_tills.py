"""The public API's row among the registers."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from cloud.console.adapters.fleet import read_counts, read_fleet
from cloud.console.adapters.register import read_register
from cloud.console.errors import NotFound
from cloud.console.views.fleet import FleetQuery
from cloud.database.engine import Database
from cloud.database.schema import register_keys, registers
from cloud.database.tenancy import count_registers
from cloud.database.tills import PUBLIC_API, add_public_api, public_api
from cloud.enrolment import register_rows
from cloud.principal import Principal, Role
from cloud.rollout.desk_rows import read_known_stores
from cloud.rollout.errors import PlanError
from cloud.rollout.shops import set_group
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database
from wire_protocol.keys import SigningKey

KEY, OTHER = SigningKey.generate().verification_key, SigningKey.generate().verification_key


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = sqlite_database(tmp_path)
    add_tenants(made, "gelato")
    return made


def test_the_name_signs_with_one_key_at_a_time_and_verifies_with_every_one(database: Database) -> None:
    """Once more changes nothing; another key ends the first, which stays known."""
    with database.tenant("gelato") as connection:
        assert add_public_api(connection, "gelato", KEY, NOW_MS)
        assert not add_public_api(connection, "gelato", KEY, NOW_MS)
        assert add_public_api(connection, "gelato", OTHER, NOW_MS + 1)
        found = select(register_keys.c.kid, register_keys.c.valid_until_ms)
        assert dict(connection.execute(found).all()) == {KEY.kid: NOW_MS + 1, OTHER.kid: None}


def test_no_list_of_tills_has_the_public_api(database: Database) -> None:
    """T7: no code, rights or revocation for it, and neither console nor rollouts know it."""
    ada = Principal("gelato", b"", "ada", Role.ADMIN)
    with database.tenant("gelato") as connection:
        add_public_api(connection, "gelato", KEY, NOW_MS)
        assert count_registers(connection, "gelato") == {}
        assert register_rows.list_registers(connection, "gelato") == []
        assert register_rows.find_register(connection, public_api("gelato")) is None
        assert register_rows.enrolled_identities(connection, "gelato") == []
        assert register_rows.mark_enrolled(connection, public_api("gelato"), NOW_MS) is None
        assert not register_rows.mark_revoked(connection, public_api("gelato"), NOW_MS)
        assert read_known_stores(connection, "gelato") == set()
        counts = read_counts(connection, ada, NOW_MS)
        assert counts.registers == 0
        assert read_fleet(connection, ada, FleetQuery(), NOW_MS, counts).rows == ()
        with pytest.raises(NotFound):
            read_register(connection, ada, PUBLIC_API, NOW_MS)
    with pytest.raises(PlanError, match=PUBLIC_API):
        set_group(database, "gelato", "north", [PUBLIC_API], actor="operator:ada", now_ms=NOW_MS)


def test_a_till_that_has_the_name_keeps_it(database: Database) -> None:
    """A thief's key must not come to speak for phones."""
    with database.tenant("gelato") as connection:
        add_public_api(connection, "gelato", KEY, NOW_MS)
        connection.execute(update(registers).values(state="revoked"))
        with pytest.raises(ValueError, match="gelato has a till"):
            add_public_api(connection, "gelato", OTHER, NOW_MS)
