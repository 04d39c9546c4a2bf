"""Puts the public API's desk together: the service and the tests build the same one."""

import time
from collections.abc import Callable

from cloud.config import CloudConfig
from cloud.database.engine import Database
from cloud.public_api.desk import Desk
from cloud.public_api.tenants import Tenants


def build_desk(config: CloudConfig, database: Database, now_ms: Callable[[], int]) -> Desk:
    """What the routes share; nothing is connected yet."""
    return Desk(
        config=config,
        database=database,
        now_ms=now_ms,
        tenants=Tenants(database, config.public_api.public_url, time.monotonic),
    )
