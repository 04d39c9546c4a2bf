"""The way to a spool from outside the agent: through the agent where one runs, else by the file."""

from typing import Any, Protocol

from edge_agent.adapters.checks.api import agent_runs
from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.running_agent import RunningAgent
from edge_agent.adapters.uplink.assembly import spool_path
from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.adapters.uplink.spool_table import lanes_as_json
from edge_agent.config import EdgeConfig
from edge_agent.uplink.lanes import Lane
from wire_protocol.errors import OperatorError


class SpoolDoorError(OperatorError):
    """The spool cannot be reached."""


class SpoolDoor(Protocol):
    """What a person may ask and order; each raises AgentNotAskedError or SpoolError."""

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
        self._agent = RunningAgent(config)

    def status(self) -> dict[str, Any]:
        """As `SpoolDoor.status`."""
        return self._agent.ask("GET", "/v1/uplink")

    def retry(self) -> int:
        """As `SpoolDoor.retry`."""
        return int(self._agent.ask("POST", "/v1/uplink/retry")["messages"])

    def purge(self, lane: str, *, only_set_aside: bool) -> int:
        """As `SpoolDoor.purge`."""
        order = {"lane": lane, "only_set_aside": only_set_aside}
        return int(self._agent.ask("POST", "/v1/uplink/purge", order)["messages"])
