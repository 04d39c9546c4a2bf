"""`topscoop cloud api run` as a process beside a `RecommenderTown`, and people who approve devices there."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import httpx

from cloud.clock import now_ms
from cloud.identity.adapters.issuers import put_issuer
from cloud.identity.secret_files import IssuerSecrets
from cloud.identity.values import Issuer
from cloud.public_api.adapters.api_clients import add_client
from tests.builders.api_login import csrf_of, log_in
from tests.builders.daemon import Daemon, ReservedPort
from tests.builders.identity_provider import CLIENT
from tests.builders.recommender_process import READY_S, TENANT

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.builders.identity_provider import Provider
    from tests.builders.recommender_process import RecommenderTown


class ApiProcess:
    """The chain's API over the town's database and store; ready when this returns.

    Args:
        origin: Where clients find it.
    """

    def __init__(self, town: RecommenderTown, provider: Provider) -> None:
        self._town, self._provider = town, provider
        state = town.folder / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        IssuerSecrets(state).write(TENANT, provider.url, "secret")
        with town.database.tenant(TENANT) as connection:
            put_issuer(connection, TENANT, Issuer(provider.url, CLIENT, None, "Club"), now_ms(), actor="test")
        with ReservedPort() as port, ReservedPort() as health:
            self._port = port.number
            self.origin = f"http://{TENANT}.localhost:{port.number}"
            file = town.folder / "api.toml"
            lines = [
                'environment = "development"',
                f'state_dir = "{state}"',
                f'database_url = "{town.database.url.render_as_string(hide_password=False)}"',
                "[s3]",
                f'endpoint_url = "{town.server.endpoint_url}"',
                f'access_key = "{town.server.access_key}"',
                f'secret_key = "{town.server.secret_key}"',
                f'bucket = "{town.frames}"',
                "[intake]",
                f'bucket = "{town.bucket}"',
                "[public_api]",
                f'public_url = "http://{{tenant}}.localhost:{port.number}"',
                f"port = {port.number}",
                f"health_port = {health.number}",
            ]
            file.write_text("\n".join(lines), "utf-8")
            command = [sys.executable, "-m", "topscoop", "cloud", "api", "run", "--config", str(file)]
            self._daemon = Daemon("api", command, town.folder / "api.log")
            self._daemon.start()
            self._daemon.wait_until(lambda: _ready(health.number), READY_S)

    def machine(self) -> tuple[str, str]:
        """Id and secret of a machine."""
        with self._town.database.tenant(TENANT) as connection:
            made, secret = add_client(connection, TENANT, "till", now_ms(), actor="test")
        return made.client, secret

    def approve(self, user_code: str, subject: str = "anna") -> None:
        """What a person does in a browser: log in at the provider, look at the code, say yes."""
        base, host = f"http://127.0.0.1:{self._port}", self.origin.partition("://")[2]
        with httpx.Client(base_url=base, headers={"host": host}) as http:
            browser: TestClient = http  # type: ignore[assignment] # as much of one as is needed
            log_in(browser, self._provider, subject=subject)
            form = {"user_code": user_code, "answer": "yes", "csrf": csrf_of(browser, user_code)}
            http.post("/device", data=form, headers={"origin": self.origin}).raise_for_status()

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
