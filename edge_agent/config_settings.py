"""How the agent's configuration is read."""

from typing import Final

from daemon.settings import Settings
from edge_agent.config import EdgeConfig

SAMPLE: Final = "deploy/edge.toml"
SETTINGS: Final = Settings(
    EdgeConfig,
    title="Configuration of the Topscoop edge agent",
    prefix="TOPSCOOP_EDGE_",
    remedy=f"`topscoop edge config schema` lists every key; {SAMPLE} is a commented sample.",
    shorthands={"camera": "camera.source"},
)
