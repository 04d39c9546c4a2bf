"""What the routes need of the agent."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from edge_agent.agent import Agent
from edge_agent.events import EventHub
from edge_agent.heartbeat import Heartbeat
from edge_agent.ports import Clock


@dataclass(frozen=True, slots=True)
class Services:
    """The parts behind the API; made once by `commands.run`."""

    agent: Agent
    events: EventHub
    heartbeat: Heartbeat
    clock: Clock
    metrics: CollectorRegistry
    version: str
