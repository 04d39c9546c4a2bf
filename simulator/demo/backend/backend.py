"""The demo's cloud as processes: started side by side, watched, ended in order.

store ─ setup ─┬─ chains, their root of trust, registers: one-time codes
               └─ broker, enrolment, collector, keeper
once registers are ready: file service, rollout controller, identity provider, console, public API
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from simulator.chains import CHAINS
from simulator.demo.agent_process import to_toml
from simulator.demo.backend.command_lines import CommandLines
from simulator.demo.backend.release_desk import ReleaseDesk
from simulator.demo.backend.service_process import Record, ServiceProcess
from simulator.demo.backend.settings import (
    HOST,
    NOBODY_LISTENS,
    RELEASES,
    Ports,
    broker_toml,
    cloud_settings,
)
from simulator.demo.child_process import ChildProcess
from wire_protocol.topics import Identity

_ASK_TIMEOUT_S: Final = 10.0
_ERASED_METRIC: Final = "topscoop_keeper_done_total"
KIOSKS: Final = ("A kiosk at the counter", "A partner's app")
"""Clients of each chain's public API."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Credentials of a client of the public API."""

    client_id: str
    secret: str = field(repr=False)


class Backend:
    """Everything of the cloud that one demo runs.

    Args:
        folder: For certificates, keys, databases and configurations.
        models: Each chain's bundled model.
        released: The chain whose releases go anywhere.
        on_record: Called with every line of the collector's log, and of the public API's.

    Attributes:
        machines: Each chain's clients of the public API.
    """

    def __init__(
        self,
        folder: Path,
        models: Mapping[str, Path],
        released: str,
        on_record: Callable[[Record], None],
    ) -> None:
        self.enrol_url = ""
        self.machines: dict[str, list[Machine]] = {}
        self.ports = free_ports()
        self.folder = folder
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
        self._files = ServiceProcess("the file service", self._service("files", "cloud.toml"))
        self._rollouts = ServiceProcess("the rollout controller", self._service("rollouts", "cloud.toml"))
        self._identity = ServiceProcess(
            "the identity provider",
            [*self._service("identity", "cloud.toml"), "--development", "--port", str(self.ports.identity)],
        )
        self._console = ServiceProcess("the console", self._service("console", "cloud.toml"))
        self._phones = ServiceProcess(
            "the public API", [*self._service("api", "cloud.toml"), "--all"], on_record
        )
        self._registrar = CommandLines()
        self.releases = ReleaseDesk(
            lines=self._registrar,
            config=self._config,
            store=folder / RELEASES,
            keys=folder / "release-keys",
            models=models,
            tenant=released,
            services_ready=self._releases_ready,
        )

    @property
    def services(self) -> Sequence[ServiceProcess]:
        """Those that must not end by themselves."""
        return (self._broker, self._store, self._collector, self._keeper, *self._later)

    @property
    def _later(self) -> Sequence[ServiceProcess]:
        """What nobody needs before the first release goes anywhere."""
        return (self._files, self._rollouts, self._identity, self._console, self._phones)

    @property
    def children(self) -> Sequence[ChildProcess]:
        """Every process that it may have started."""
        return (*self.services, self._enrolment, self._operator, self._registrar)

    async def start(self, registers: Mapping[Identity, str]) -> Mapping[Identity, str]:
        """Start everything and add the registers.

        Args:
            registers: Each register's store.

        Returns:
            A one-time code for each.

        Raises:
            ServiceFailedError: Something did not start; its last words are in the message.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        await asyncio.gather(self._store.start(), self._operator.start(), self._registrar.start())
        making = asyncio.create_task(self.releases.make_repositories())
        try:
            self._configure(await self._store.said(_address))
            await self._topscoop("setup")
            return await self._start_services(registers, making)
        finally:
            making.cancel()

    async def _start_services(
        self, registers: Mapping[Identity, str], making: asyncio.Task[Mapping[str, Path]]
    ) -> Mapping[Identity, str]:
        (self.folder / "broker.toml").write_text(broker_toml(self.ports, self._state / "pki"))
        await asyncio.gather(*(one.start() for one in (self._broker, self._enrolment, self._keeper)))
        codes = await self._add(registers, making)
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
        """End the enrolment service: the next certificate is due in two months. Start what comes later."""
        await self._enrolment.stop()
        await asyncio.gather(*(one.start() for one in self._later))

    async def _releases_ready(self) -> None:
        """Return when everything that releases need listens."""
        for service in (self._files, self._rollouts):
            await service.said(_event("broker.connected"))
        await self._identity.said(_word_after("identity provider runs on port "))
        await self._console.said(_word_after("console runs on port "))

    @property
    def phones_alive(self) -> bool:
        """Whether the public API runs."""
        return self._phones.alive

    async def phones_ready(self) -> str:
        """Return when the public API listens: the address of its metrics.

        Raises:
            ServiceFailedError: It did not get so far.
        """
        await self._identity.said(_word_after("identity provider runs on port "))
        said = await self._phones.said(_line_with("api runs on port "))
        return f"http://{HOST}:{said.rpartition(' ')[2]}/metrics"

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
            *(
                one.stop()
                for one in (
                    *(self._operator, self._registrar, self._enrolment, self._collector, self._keeper),
                    *self._later,
                )
            )
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
            settings = cloud_settings(self._state, s3_url, mqtt_port, self.ports)
            (self.folder / name).write_text(to_toml(settings))

    async def _add(
        self, registers: Mapping[Identity, str], making: asyncio.Task[Mapping[str, Path]]
    ) -> Mapping[Identity, str]:
        tenants = list(dict.fromkeys(identity.tenant for identity in registers))
        for tenant in tenants:
            await self._topscoop("tenant", "add", tenant, "--name", CHAINS[tenant].name)
        roots = await making
        for tenant in tenants:  # before registers enrol: they get the root with their certificate
            await self._topscoop("tenant", "trust", tenant, str(roots[tenant]))
            self.machines[tenant] = [await self._machine(tenant, name) for name in KIOSKS]
        codes = {}
        for identity, store in registers.items():
            where = ("--tenant", identity.tenant, "--store", store, "--register", identity.register)
            codes[identity] = (await self._topscoop("register", "add", *where))["code"]
        return codes

    async def _machine(self, tenant: str, name: str) -> Machine:
        made = await self._topscoop("api-client", "add", "--tenant", tenant, "--name", name)
        return Machine(made["client_id"], made["client_secret"])

    async def _topscoop(self, *words: str) -> Any:
        return await self._operator.run("cloud", *words, "--config", str(self._config), "--json")

    def _service(self, verb: str, config: str) -> Sequence[str]:
        return _python("-m", "topscoop", "cloud", verb, "run", "--config", str(self.folder / config))


def free_ports() -> Ports:
    """Ports that nobody listens on: the embedded broker cannot choose its own, and others name theirs."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(5)]
        for each in found:
            each.bind((HOST, 0))
        return Ports(*(each.getsockname()[1] for each in found))


def _line_with(words: str) -> Callable[[str], str | None]:
    return lambda line: line if words in line else None


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
