"""From a host to its chain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud.errors import DatabaseAway
from cloud.public_api.tenants import BELIEVED_S, LOOK_AGAIN_S, Hosts, Tenants

if TYPE_CHECKING:
    from cloud.database.engine import Database


@pytest.mark.parametrize(
    ("url", "host", "tenant"),
    [
        ("https://{tenant}.api.example", "sole.api.example", "sole"),
        ("https://{tenant}.api.example", "SOLE.API.example:443", "sole"),
        ("https://{tenant}.api.example:443", "sole.api.example", "sole"),
        ("https://{tenant}.api.example", "sole.api.example:8443", None),
        ("http://{tenant}.localhost:8740", "sole.localhost:8740", "sole"),
        ("http://{tenant}.localhost:8740", "sole.localhost", None),
        ("https://{tenant}.api.example", "a.sole.api.example", None),
        ("https://{tenant}.api.example", "sole.api.example.evil.example", None),
        ("https://{tenant}.api.example", ".api.example", None),
        ("https://{tenant}.api.example", "sole.api.example@evil.example", None),
        ("https://{tenant}.api.example", "-sole.api.example", None),
        ("https://{tenant}.api.example", "", None),
    ],
)
def test_a_host_names_a_chain_or_none(url: str, host: str, tenant: str | None) -> None:
    """T27: only the label in front of our own name is a chain, whatever else a header tries."""
    assert Hosts(url).tenant(host) == tenant


def test_a_chains_origin_is_what_browsers_write() -> None:
    """Without the scheme's own port."""
    assert Hosts("https://{tenant}.API.example:443").origin("sole") == "https://sole.api.example"
    assert Hosts("http://{tenant}.localhost:8740").origin("sole") == "http://sole.localhost:8740"


class _Listed:
    """A database that says which chains there are, and counts how often it is asked."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.asked = 0
        self.away = False

    def tenants(self) -> list[str]:
        self.asked += 1
        if self.away:
            raise DatabaseAway("gone")
        return self.names


def _tenants(database: _Listed, clock: list[float]) -> Tenants:
    as_database: Database = database  # type: ignore[assignment]
    return Tenants(as_database, "https://{tenant}.api.example", lambda: clock[0])


async def test_guessing_names_costs_one_statement_a_second() -> None:
    """T27: a thousand unknown hosts in one second lead to one look at the list of chains."""
    database, clock = _Listed("sole"), [100.0]
    tenants = _tenants(database, clock)
    for number in range(1000):
        assert await tenants.of_host(f"guess-{number}.api.example") is None
    assert database.asked == 1


async def test_guessing_many_names_at_once_costs_one_statement() -> None:
    """T27: also where the thousand come while the list is being read."""
    database, clock = _Listed("sole"), [100.0]
    tenants = _tenants(database, clock)
    found = await asyncio.gather(*(tenants.of_host(f"guess-{number}.api.example") for number in range(1000)))
    assert (set(found), database.asked) == ({None}, 1)


async def test_a_new_chain_is_found_and_a_known_one_not_asked_for() -> None:
    """A chain that was added meanwhile is answered a second later; known ones cost nothing for a minute."""
    database, clock = _Listed("sole"), [100.0]
    tenants = _tenants(database, clock)
    assert await tenants.of_host("sole.api.example") == "sole"
    database.names.append("nord")
    clock[0] += LOOK_AGAIN_S + 0.1
    assert await tenants.of_host("nord.api.example") == "nord"
    asked = database.asked
    clock[0] += BELIEVED_S - 1
    assert await tenants.of_host("sole.api.example") == "sole"
    assert database.asked == asked
    clock[0] += 2
    database.names.remove("sole")
    assert await tenants.of_host("sole.api.example") is None


async def test_an_outage_is_not_an_unknown_chain() -> None:
    """The database's absence is said as such."""
    database = _Listed("sole")
    database.away = True
    with pytest.raises(DatabaseAway):
        await _tenants(database, [0.0]).of_host("sole.api.example")
