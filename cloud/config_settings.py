"""How the cloud's configuration is read."""

from typing import Final

from cloud.config import CloudConfig
from daemon.settings import Settings

SAMPLE: Final = "deploy/cloud.toml"
SETTINGS: Final = Settings(
    CloudConfig,
    title="Configuration of the Topscoop cloud",
    prefix="TOPSCOOP_CLOUD_",
    remedy=f"`topscoop cloud config schema` lists every key; {SAMPLE} is a commented sample.",
)
