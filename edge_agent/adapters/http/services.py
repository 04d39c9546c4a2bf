"""What the routes need of the agent."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from edge_agent.agent import Agent
from edge_agent.events import EventHub
from edge_agent.heartbeat import Heartbeat
from edge_agent.ports import Clock

if TYPE_CHECKING:  # only where the uplink is switched on is it imported
    from edge_agent.adapters.uplink.assembly import Uplink


@dataclass(frozen=True, slots=True)
class Services:
    """The parts behind the API; made once by `commands.run`."""

    agent: Agent
    events: EventHub
    heartbeat: Heartbeat
    clock: Clock
    metrics: CollectorRegistry
    version: str
    uplink: "Uplink | None" = None
