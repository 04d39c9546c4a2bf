"""The demo's cloud as processes: started side by side, watched, ended in order.

store ─ setup ─┬─ chains and registers: one-time codes
               └─ broker, enrolment, collector, keeper
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from simulator.demo.agent_process import to_toml
from simulator.demo.backend.command_lines import CommandLines
from simulator.demo.backend.service_process import Record, ServiceProcess
from simulator.demo.backend.settings import HOST, NOBODY_LISTENS, Ports, broker_toml, cloud_settings
from simulator.demo.child_process import ChildProcess
from wire_protocol.topics import Identity

_ASK_TIMEOUT_S: Final = 10.0
_ERASED_METRIC: Final = "topscoop_keeper_done_total"


class Backend:
    """Broker, store, enrolment, collector and keeper of one demo.

    Args:
        folder: For certificates, keys, databases and configurations.
        on_record: Called with every line of the collector's log.
    """

    def __init__(self, folder: Path, on_record: Callable[[Record], None]) -> None:
        self.enrol_url = ""
        self.ports = free_ports()
        self._folder = folder
        self._state = folder / "state"
        self._config = folder / "cloud.toml"
        self._keeper_health = ""
        module = "simulator.demo.backend"
        self._store = ServiceProcess("the emulated S3 server", _python("-m", f"{module}.emulated_s3"))
        self._operator = CommandLines()
        self._broker = ServiceProcess(
            "the embedded broker", _python("-m", f"{module}.embedded_broker", str(folder / "broker.toml"))
        )
        self._enrolment = ServiceProcess(
            "the enrolment service", self._service("enrolment", "enrolment.toml")
        )
        self._collector = ServiceProcess("the collector", self._service("collector", "cloud.toml"), on_record)
        self._keeper = ServiceProcess("the keeper", self._service("keeper", "cloud.toml"))

    @property
    def services(self) -> Sequence[ServiceProcess]:
        """Those that must not end by themselves."""
        return (self._broker, self._store, self._collector, self._keeper)

    @property
    def children(self) -> Sequence[ChildProcess]:
        """Every process that it may have started."""
        return (*self.services, self._enrolment, self._operator)

    async def start(self, registers: Mapping[Identity, str]) -> Mapping[Identity, str]:
        """Start everything and add the registers.

        Args:
            registers: Each register's store.

        Returns:
            A one-time code for each.

        Raises:
            ServiceFailedError: Something did not start; its last words are in the message.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        await asyncio.gather(self._store.start(), self._operator.start())
        self._configure(await self._store.said(_address))
        await self._topscoop("setup")
        (self._folder / "broker.toml").write_text(broker_toml(self.ports, self._state / "pki"))
        await asyncio.gather(*(one.start() for one in (self._broker, self._enrolment, self._keeper)))
        codes = await self._add(registers)
        await self._operator.stop()
        await self._collector.start()
        self.enrol_url = await self._enrolment.said(_word_after("enrolment listens on "))
        return codes

    async def wait_ready(self) -> None:
        """Return when collector and keeper listen at the broker.

        Raises:
            ServiceFailedError: One of them did not get so far.
        """
        port = await self._keeper.said(_word_after("health on port "))
        self._keeper_health = f"http://{HOST}:{port}"
        for service in (self._keeper, self._collector):
            await service.said(_event("broker.connected"))

    async def all_enrolled(self) -> None:
        """End the enrolment service: the next certificate is due in two months."""
        await self._enrolment.stop()

    async def erased(self, client: httpx.AsyncClient) -> int:
        """How many consents the keeper has erased."""
        answer = await client.get(f"{self._keeper_health}/metrics")
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                if sample.name == _ERASED_METRIC and sample.labels.get("what") == "erasure":
                    return int(sample.value)
        return 0

    async def proof_of_erasure(self, tenant: str, consent: str) -> Mapping[str, Any]:
        """What `topscoop cloud erase` says of a consent that is erased.

        Raises:
            ServiceFailedError: The command failed.
        """
        operator = CommandLines()
        await operator.start()
        try:
            proofs = await operator.run(
                *("cloud", "erase", "--tenant", tenant, "--consent", consent, "--config", str(self._config)),
                "--json",
            )
        finally:
            await operator.stop()
        return dict(proofs[0])

    async def stop(self) -> None:
        """End everything: first those that still write, then what they write to."""
        await asyncio.gather(
            *(one.stop() for one in (self._operator, self._enrolment, self._collector, self._keeper))
        )
        await asyncio.gather(self._broker.stop(), self._store.stop())

    def leftovers(self) -> Iterable[str]:
        """What still runs after `stop`, in words."""
        return [left for child in self.children if (left := child.leftover())]

    def memory_mb(self) -> float:
        """Resident memory of all its processes together."""
        return sum(child.memory_mb() or 0.0 for child in self.services)

    def _configure(self, s3_url: str) -> None:
        for name, mqtt_port in (("cloud.toml", self.ports.services), ("enrolment.toml", NOBODY_LISTENS)):
            settings = cloud_settings(self._state, s3_url, mqtt_port, self.ports.registers)
            (self._folder / name).write_text(to_toml(settings))

    async def _add(self, registers: Mapping[Identity, str]) -> Mapping[Identity, str]:
        for tenant in dict.fromkeys(identity.tenant for identity in registers):
            await self._topscoop("tenant", "add", tenant)
        codes = {}
        for identity, store in registers.items():
            where = ("--tenant", identity.tenant, "--store", store, "--register", identity.register)
            codes[identity] = (await self._topscoop("register", "add", *where))["code"]
        return codes

    async def _topscoop(self, *words: str) -> Any:
        return await self._operator.run("cloud", *words, "--config", str(self._config), "--json")

    def _service(self, verb: str, config: str) -> Sequence[str]:
        return _python("-m", "topscoop", "cloud", verb, "run", "--config", str(self._folder / config))


def free_ports() -> Ports:
    """Two ports that nobody listens on; the embedded broker cannot choose its own."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind((HOST, 0))
        return Ports(one.getsockname()[1], other.getsockname()[1])


def _python(*arguments: str) -> Sequence[str]:
    return [sys.executable, *arguments]


def _address(line: str) -> str | None:
    return line if line.startswith("http://") else None


def _word_after(start: str) -> Callable[[str], str | None]:
    def find(line: str) -> str | None:
        _, found, rest = line.partition(start)
        return rest.split()[0].rstrip(",") if found else None

    return find


def _event(name: str) -> Callable[[str], str | None]:
    def find(line: str) -> str | None:
        return name if line.startswith("{") and json.loads(line).get("event") == name else None

    return find
