"""`python -m benchmarks.release_controller`: the controller's own loop, told by the benchmark what to decide.

Outbox, signing, publishing, the taking in of reports, and its role at the broker are the product's; only
`tick` is not: what a rollout would decide comes as a line on standard input. A process of its own, so that
its work is on the far end's core.

In:  {"release": 3, "digest": "…", "settings": {…}}
Out: {"ready": true}, then for each line {"generation": 3, "committed_ns": …} once the row is committed.
"""

import asyncio
import json
import logging
import os
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from cloud.config import MqttConfig
from cloud.database.engine import Database, open_database
from cloud.database.schema import desired_states
from cloud.enrolment.pki_folder import CredentialFiles
from cloud.rollout.intake import Intake, Taken
from cloud.rollout.outbox import Outbox
from cloud.rollout.rollout_loop import Work, run_rollouts
from cloud.rollout.service import rollout_client
from cloud.rollout.tick import Ticked
from cloud.service_keys import Purpose, ServiceKeyFolder
from wire_protocol.errors import TopscoopError

_TICK_S = 0.05
_desired = desired_states.c


class _Watch:
    """Says what fails, and nothing else."""

    def took(self, taken: Taken) -> None:
        """As `rollout_loop.Watch`."""

    def ticked(self, ticked: Ticked, seconds: float) -> None:
        """As `rollout_loop.Watch`."""

    def published(self, count: int) -> None:
        """As `rollout_loop.Watch`."""

    def went_round(self) -> None:
        """As `rollout_loop.Watch`."""

    def failed(self, what: str, error: TopscoopError) -> None:
        """As `rollout_loop.Watch`."""
        print(f"{what}: {error}", file=sys.stderr, flush=True)


class Decider:
    """Sets the desired states that it is told.

    Args:
        database: The cloud's.
        tenant: The chain.
        register: Its only register.
    """

    def __init__(self, database: Database, tenant: str, register: str) -> None:
        self._database = database
        self._key = {"tenant": tenant, "register": register}
        self.orders: deque[dict[str, Any]] = deque()

    def tick(self, tenant: str) -> Ticked:
        """As the product's: durable, then told."""
        if not self.orders:
            return Ticked()
        order = self.orders.popleft()
        with self._database.tenant(tenant) as connection:
            mine = (_desired.tenant == tenant) & (_desired.register == self._key["register"])
            before = connection.execute(select(_desired.generation).where(mine)).scalar() or 0
            connection.execute(delete(desired_states).where(mine))
            connection.execute(
                insert(desired_states).values(
                    **self._key,
                    generation=before + 1,
                    release=order["release"],
                    digest=order["digest"],
                    settings=order["settings"],
                    set_at_ms=_now_ms(),
                    published_generation=before,
                )
            )
        print(json.dumps({"generation": before + 1, "committed_ns": time.time_ns()}), flush=True)
        return Ticked(told=1)


async def _run(options: dict[str, Any]) -> None:
    state_dir = Path(options["state_dir"])
    with open_database(options["database_url"]) as database:
        keys = ServiceKeyFolder(state_dir)
        decider = Decider(database, options["tenant"], options["register"])
        files = CredentialFiles(*(Path(path) for path in options["credentials"]))
        link = rollout_client(MqttConfig(host="127.0.0.1", port=options["port"]), files)
        outbox = Outbox(database, lambda tenant: keys.load(tenant, Purpose.FLEET), _now_ms, os.urandom)
        work = Work(Intake(database, _now_ms), outbox, decider.tick, lambda: [options["tenant"]], _TICK_S)
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(link.run(), name="broker"),
                group.create_task(run_rollouts(work, link, _Watch()), name="rollouts"),
            ]
            await link.ready()
            print(json.dumps({"ready": True}), flush=True)
            # Not in one of the loop's threads: a part that dies must not wait for the next line.
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            threading.Thread(target=_read, args=[decider, loop, ended], daemon=True).start()
            await ended.wait()
            for part in parts:
                part.cancel()


def _read(decider: Decider, loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    for line in sys.stdin:
        decider.orders.append(json.loads(line))
    loop.call_soon_threadsafe(ended.set)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_run(json.loads(sys.argv[1])))
