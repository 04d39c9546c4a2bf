"""The way to a spool from outside the agent: through the agent where one runs, else by the file."""

import http.client
import json
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from edge_agent.adapters.checks.api import agent_runs
from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.uplink.assembly import spool_path
from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.adapters.uplink.spool_table import lanes_as_json
from edge_agent.config import EdgeConfig
from edge_agent.uplink.lanes import Lane
from wire_protocol.errors import OperatorError

_TIMEOUT_S: Final = 20.0
_ADDRESS_FILE: Final = "api.json"
_TOKEN_FILE: Final = "pairing-token"  # noqa: S105 - a file's name


class SpoolDoorError(OperatorError):
    """The spool cannot be reached."""


class SpoolDoor(Protocol):
    """What a person may ask and order; each raises SpoolDoorError or SpoolError."""

    def status(self) -> dict[str, Any]:
        """Lanes and file; of a running agent also its connection."""

    def retry(self) -> int:
        """Offer again what was set aside; how many messages."""

    def purge(self, lane: str, *, only_set_aside: bool) -> int:
        """Drop a lane; how many messages."""


def open_door(config: EdgeConfig) -> SpoolDoor:
    """The door that fits.

    Raises:
        SpoolDoorError: There is no spool.
    """
    if agent_runs(config.data_dir):
        return _Running(config)
    if not spool_path(config.data_dir).exists():
        raise SpoolDoorError(
            f"{spool_path(config.data_dir)}: there is no spool",
            remedy="Switch the uplink on and enrol this register: `topscoop edge enrol`.",
        )
    return _Standing(config)


class _Standing:
    """No agent runs: the file is ours for a moment."""

    def __init__(self, config: EdgeConfig) -> None:
        self._path = spool_path(config.data_dir)

    def status(self) -> dict[str, Any]:
        """As `SpoolDoor.status`."""
        spool = self._spool()
        try:
            return lanes_as_json(spool.stats())
        finally:
            spool.close()

    def retry(self) -> int:
        """As `SpoolDoor.retry`."""
        spool = self._spool()
        try:
            return spool.release()
        finally:
            spool.close()

    def purge(self, lane: str, *, only_set_aside: bool) -> int:
        """As `SpoolDoor.purge`."""
        spool = self._spool()
        try:
            chosen = next(one for one in Lane if one.label == lane)
            return spool.purge(chosen, only_set_aside=only_set_aside)
        finally:
            spool.close()

    def _spool(self) -> SqliteSpool:
        return SqliteSpool(self._path, SystemClock())


class _Running:
    """An agent runs: nobody else writes to its spool, so it is asked."""

    def __init__(self, config: EdgeConfig) -> None:
        try:
            found = json.loads((config.data_dir / _ADDRESS_FILE).read_bytes())
            self._address = urlsplit(found["url"])
            kept = config.data_dir / _TOKEN_FILE
            tokens = config.api.pairing_tokens
            self._token = tokens[0] if tokens else kept.read_text("ascii").strip()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SpoolDoorError(
                f"an agent runs on {config.data_dir}, but cannot be asked: {error}",
                remedy="Run this as the agent's user, when the agent is ready.",
            ) from error

    def status(self) -> dict[str, Any]:
        """As `SpoolDoor.status`."""
        return self._ask("GET", "/v1/uplink", None)

    def retry(self) -> int:
        """As `SpoolDoor.retry`."""
        return int(self._ask("POST", "/v1/uplink/retry", None)["messages"])

    def purge(self, lane: str, *, only_set_aside: bool) -> int:
        """As `SpoolDoor.purge`."""
        order = {"lane": lane, "only_set_aside": only_set_aside}
        return int(self._ask("POST", "/v1/uplink/purge", order)["messages"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(
            self._address.hostname or "127.0.0.1", self._address.port, timeout=_TIMEOUT_S
        )
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise SpoolDoorError(
                f"the agent does not answer: {error}", remedy="Look at its log, then try again."
            ) from error
        finally:
            connection.close()
        if answer.status == HTTPStatus.NOT_FOUND:
            raise SpoolDoorError(
                "the running agent has no uplink",
                remedy="Set `enabled = true` under [uplink], enrol, and restart the agent.",
            )
        found = json.loads(data)
        if answer.status != HTTPStatus.OK:
            raise SpoolDoorError(str(found.get("detail", answer.status)), remedy=str(found.get("remedy", "")))
        return dict(found)
