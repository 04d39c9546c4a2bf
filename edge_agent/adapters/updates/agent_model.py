"""The agent's model, as updates see it."""

from pathlib import Path

from edge_agent.agent import Agent
from edge_agent.model_slot import ModelSlot
from edge_agent.ports import Model
from edge_agent.seen import Seen


class AgentModel:
    """A `ModelUser`."""

    def __init__(self, agent: Agent, slot: ModelSlot) -> None:
        self._agent = agent
        self._slot = slot

    def load(self, directory: Path) -> Model:
        """As `ModelUser.load`."""
        return self._slot.load(directory)

    def use(self, model: Model | None, directory: Path | None) -> None:
        """As `ModelUser.use`."""
        self._agent.use_model(model, directory)

    def look(self) -> Seen:
        """As `ModelUser.look`."""
        return self._agent.look()
