"""The console as its operators run it: two processes, a real login, and the verbs for operators."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import add_tenants, sqlite_database
from tests.builders.daemon import Daemon, ReservedPort
from tests.builders.fleet_rows import add_fleet

TENANT = "gelateria-sole"
_TOPSCOOP = (sys.executable, "-m", "topscoop", "cloud")
_PORT = re.compile(r" port (\d+)")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A cloud of its own, with a chain and three registers."""
    with sqlite_database(tmp_path) as database:
        add_tenants(database, TENANT)
        add_fleet(database, TENANT, 1_795_000_000_000, 3)
    file = tmp_path / "cloud.toml"
    file.write_text(
        f"""environment = "development"
        state_dir = "{tmp_path}"
        database_url = "sqlite:///{tmp_path}/cloud.sqlite3"
        [s3]
        endpoint_url = "http://127.0.0.1:1"
        [console]
        port = 0
        health_port = 0
        oidc_client_secret = "development"
        """
    )
    return file


def _start(name: str, folder: Path, *words: str) -> tuple[Daemon, str]:
    """Start a process; gives it, and its address once it says its port."""
    log = folder / f"{name}.log"
    made = Daemon(name, (*_TOPSCOOP, *words), log)
    made.start()
    made.wait_until(lambda: _PORT.search(log.read_text()) is not None, 60)
    found = _PORT.search(log.read_text())
    assert found is not None
    return made, f"http://localhost:{found[1]}"


@pytest.fixture
def identity(config: Path) -> Iterator[str]:
    made, address = _start(
        "identity", config.parent, "identity", "run", "--development", "--port", "0", "--config", str(config)
    )
    yield address
    made.stop()


def test_an_operator_logs_in_over_the_real_way(config: Path, identity: str) -> None:
    """Provider, code, token, session, page; both processes end orderly at SIGTERM."""
    port = ReservedPort()
    text = config.read_text().replace("port = 0\n        health", f"port = {port.number}\n        health")
    own = f"http://localhost:{port.number}"
    config.write_text(text + f'oidc_issuer = "{identity}"\npublic_url = "{own}"\n')
    place = ("--config", config)
    added = cloud_json("operator", "add", "--tenant", TENANT, "--subject", "anna", "--role", "admin", *place)
    assert (added["issuer"], added["role"]) == (identity, "admin")
    console, address = _start("console", config.parent, "console", "run", "--config", str(config))
    try:
        with httpx2.Client(follow_redirects=False) as browser:
            assert "to the fleet" not in browser.get(address + "/login").text.lower()
            begun = browser.get(address + "/login/begin?goal=/fleet")
            agreed = browser.post(begun.headers["location"], data={"sub": "anna"})
            back = browser.get(agreed.headers["location"])
            assert (back.status_code, back.headers["location"]) == (303, "/fleet")
            page = browser.get(urljoin(address, back.headers["location"]))
            assert "till-00001" in page.text
            begun = browser.get(address + "/login/begin")
            agreed = browser.post(begun.headers["location"], data={"sub": "somebody"})
            assert browser.get(agreed.headers["location"]).status_code == 403
            assert cloud("operator", "remove", "--tenant", TENANT, "--subject", "anna", *place)[0] == 0
            assert browser.get(address + "/fleet").headers["location"].startswith("/login")
        assert "stand_in.used" in console.log.read_text()
    finally:
        console.stop()
        port.close()
    assert "Traceback" not in console.log.read_text()


def test_neither_starts_with_stand_ins_outside_of_development(config: Path) -> None:
    """T24: no plain http and no provider without passwords in production."""
    config.write_text(
        config.read_text().replace('"development"\n        state', '"production"\n        state')
        + 'oidc_issuer = "http://localhost:1"\n'
    )
    status, _, err = cloud("identity", "run", "--development", "--config", config)
    assert (status, "not in production" in err) == (2, True)
    status, _, err = cloud("console", "run", "--config", config)
    assert (status, "not in production" in err) == (2, True)


def test_operators_are_listed_changed_and_removed_by_name(config: Path) -> None:
    place = ("--tenant", TENANT, "--config", config)
    who = ("--subject", "otto", "--issuer", "https://login.example")
    assert "nobody yet" in cloud("operator", "list", *place)[1]
    assert cloud("operator", "add", *who, "--role", "viewer", "--name", "Otto", *place)[0] == 0
    assert "Otto" in cloud("operator", "list", *place)[1]
    assert cloud("operator", "role", *who, "--role", "operator", *place)[1] == "Otto: now operator\n"
    assert [one["role"] for one in cloud_json("operator", "list", *place)] == ["operator"]
    assert cloud("operator", "remove", *who, *place)[0] == 0
    status, _, err = cloud("operator", "remove", *who, *place)
    assert status == 2
    assert "names them all" in err
    status, _, err = cloud("operator", "add", "--subject", "otto", "--role", "viewer", *place)
    assert (status, "oidc_issuer" in err) == (2, True)
