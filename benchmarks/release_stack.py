"""What gives a register its releases, as in production: broker, file service, controller, repository."""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select

from benchmarks import servers, step_notes
from benchmarks.broker_log import Passed, passed
from benchmarks.cloud_stack import need
from benchmarks.processes import ProgramError, running, wait_until
from benchmarks.register_identity import anchor
from benchmarks.servers import Server, new_folder
from benchmarks.setting import ROOT, Setting
from benchmarks.step_notes import Note
from cloud.database.schema import register_health
from cloud.service_keys import Purpose, ServiceKeyFolder
from edge_agent.adapters.uplink import key_files
from edge_agent.adapters.uplink.key_files import Place, private_pem
from tests.builders.files_stack import FilesStack
from tests.builders.frame_sender import Sender
from tests.builders.release_repository import ReleaseRepository, chain_model
from wire_protocol.keys import SigningKey

_PATIENCE_S = 120.0
_START_TIMEOUT_S = 60.0
_REGISTER = "bench-1"
_PATIENT_MS = 500.0
"""p99 that the releases here may take: the trial measures by the clock, and machines have hiccups."""
_SETTINGS = {"trial_ms": 1000, "trial_recommendations": 3, "report_every_s": 600}
_MORE = """
[uplink]
enabled = true
[updates]
trial_s = 1
trial_recommendations = 3
[log]
format = "json"
"""


class ReleaseStack:
    """The far end; runs inside a `with` block."""

    def __init__(self, folder: Path, tenant: str) -> None:
        need("mosquitto")
        self._folder = folder
        self.sender = Sender(tenant, _REGISTER, now_ms=time.time_ns() // 1_000_000)
        self.files = FilesStack(folder, self.sender)
        self._fleet_key = ServiceKeyFolder(self.files.state_dir).make(tenant, Purpose.FLEET)
        self.repository = ReleaseRepository(self.files.store, tenant)
        self.digests: dict[int, str] = {}
        self._parts = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._parts.enter_context(self.files)
        try:
            self.files.start()
            self._parts.callback(self._end_controller)
            self._controller = self._start_controller()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._parts.close()

    # ---- what a chain does -----------------------------------------------------------------------------

    def release(self, number: int) -> str:
        """Publish the chain's model under this number, with bytes of its own; its digest."""
        made = chain_model(self.sender.tenant).noted(f"release {number}")
        budget = replace(made.manifest.latency_budget_ms, p99=_PATIENT_MS)
        made = replace(made, manifest=replace(made.manifest, latency_budget_ms=budget))
        self.repository.add_release(number, files=made, note=None)
        self.digests[number] = made.digest
        return made.digest

    @property
    def model_bytes(self) -> int:
        """Of the newest release's network."""
        newest = max(self.digests)
        return sum(
            path.stat().st_size for path in self.repository.folder.rglob(f"{self.digests[newest]}.model.onnx")
        )

    def order(self, release: int, **settings: Any) -> float:
        """Set the register's desired state; when that was committed (seconds since 1970)."""
        said = self._tell(
            {"release": release, "digest": self.digests[release], "settings": _SETTINGS | settings}
        )
        return int(said["committed_ns"]) / 1e9

    def attested(self) -> tuple[str | None, str | None]:
        """What the register's newest report attests as running, and the state of its update."""
        health = register_health.c
        found = select(health.running_digest, health.update_state).where(health.register == _REGISTER)
        with self.files.database.tenant(self.sender.tenant, read_only=True) as connection:
            row = connection.execute(found).first()
        return (None, None) if row is None else (row[0], row[1])

    def until_good(self, release: int) -> None:
        """Until the register attests that this release runs, and that its trial is over."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.attested() != (self.digests[release], "good"):
            if time.monotonic() > deadline:
                raise ProgramError(f"release {release} is not good: the cloud knows {self.attested()}")
            time.sleep(0.2)

    # ---- what went over the wire -----------------------------------------------------------------------

    def log_lines(self) -> list[str]:
        """The broker's."""
        return self.files.broker.mosquitto.log().splitlines()

    def file_messages(self, lines: list[str]) -> tuple[Passed, Passed]:
        """Requests that came from the register, and blocks that went to it."""
        client = f"{self.sender.tenant}/{_REGISTER}"
        return passed(lines, client, "up/file-request"), passed(lines, client, "down/file-block")

    def served(self) -> tuple[float, float]:
        """Requests that the file service answered since its start, and bytes of files in the answers."""
        samples = self.files.metrics(0)
        return (
            sum(value for name, value in samples.items() if name.startswith("topscoop_files_answered_total")),
            samples.get("topscoop_files_sent_bytes_total", 0.0),
        )

    # ---- the register ----------------------------------------------------------------------------------

    def enrol(self, data_dir: Path, *, port: int | None = None) -> None:
        """Leave in an agent's data folder what an enrolment leaves; `port`: of the way to the broker."""
        sender, broker = self.sender, self.files.broker
        files = broker.register_files(sender.identity.common_name)
        place = Place(
            sender.identity,
            "bench",
            "https://localhost:1",
            "localhost",
            port or broker.registers_port,
            sender.now_ms,
        )
        believed = (
            ("receipts", SigningKey.generate()),
            ("consent", sender.consent_key),
            ("fleet", self._fleet_key),
            ("files", self.files.keys[sender.tenant]),
        )
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key_files.install(
            data_dir / key_files.FOLDER,
            {
                "tls.key": files.key.read_bytes(),
                "tls.crt": files.certificate.read_bytes(),
                "signing.key": private_pem(sender.key),
                "ca.crt": files.ca.read_bytes(),
                "anchors.json": json.dumps([anchor(*one) for one in believed]).encode(),
                "identity.json": place.as_json(),
                key_files.ROOT_FILE: self.repository.first_root,
            },
        )

    # ---- inner -----------------------------------------------------------------------------------------

    def _start_controller(self) -> "subprocess.Popen[str]":
        broker = self.files.broker
        files = broker.pki.service_files("rollout")
        options = {
            "state_dir": str(self.files.state_dir),
            "database_url": f"sqlite:///{self.files.state_dir}/cloud.sqlite3",
            "tenant": self.sender.tenant,
            "register": _REGISTER,
            "port": broker.services_port,
            "credentials": [str(files.ca), str(files.certificate), str(files.key)],
        }
        self._controller_log = (self._folder / "controller.log").open("w", encoding="utf-8")
        controller = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.release_controller", json.dumps(options)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._controller_log,
            text=True,
        )
        self._controller = controller
        self._hear()
        return controller

    def _tell(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._controller.stdin is not None, "a pipe was asked for"
        self._controller.stdin.write(json.dumps(order) + "\n")
        self._controller.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._controller.stdout is not None, "a pipe was asked for"
        line = self._controller.stdout.readline()
        if not line:
            log = (self._folder / "controller.log").read_text(encoding="utf-8")
            raise ProgramError(f"the controller ended: {log[-1500:]}")
        said: dict[str, Any] = json.loads(line)
        return said

    def _end_controller(self) -> None:
        controller = getattr(self, "_controller", None)
        if controller is None:
            return
        controller.kill()
        controller.wait()
        controller.stdin.close()
        controller.stdout.close()
        self._controller_log.close()


class UpdatingAgent:
    """The real agent, enrolled at a stack."""

    def __init__(self, server: Server, notes: Path) -> None:
        self.server = server
        self._notes = notes

    def notes(self) -> list[Note]:
        """Steps of its updates so far."""
        return step_notes.read(self._notes)

    def reached(self, step: str, begin_s: float, *, look_every_s: float = 0.02) -> dict[str, float]:
        """Wait until a step is reached after a moment; when each was."""
        deadline = time.monotonic() + _PATIENCE_S
        while step not in (found := step_notes.since(self.notes(), begin_s)):
            if self.server.process.poll() is not None or time.monotonic() > deadline:
                log = self.server.log.read_text(encoding="utf-8")[-1500:]
                raise ProgramError(f"no {step}, only {list(found)}: {log}")
            time.sleep(look_every_s)
        return found

    def in_use(self) -> int | None:
        """The release in use, as the local API tells it."""
        status, body = self.server.ask("GET", "/v1/releases", b"")
        if status != 200:
            raise ProgramError(f"GET /v1/releases: {status} {body[:300].decode(errors='replace')}")
        release: int | None = json.loads(body)["in_use"]["release"]
        return release


@contextlib.contextmanager
def stack(setting: Setting, name: str) -> Iterator[ReleaseStack]:
    """A far end in a folder of its own, for the chain of the agent's model."""
    tenant = json.loads((setting.model_dir / "manifest.json").read_text(encoding="utf-8"))["tenant"]
    folder = setting.work_dir / f"{name}-{uuid.uuid4().hex[:6]}"
    folder.mkdir()
    with ReleaseStack(folder, tenant) as far_end:
        yield far_end


@contextlib.contextmanager
def agent(
    setting: Setting,
    far_end: ReleaseStack,
    *,
    camera_source: str = "synthetic:",
    fps: float = 15.0,
    port: int | None = None,
    updater_core: int | None = None,
    more: str = "",
) -> Iterator[UpdatingAgent]:
    """The real agent, connected to the broker; with `updater_core` its updater runs on that core."""
    folder = new_folder(setting.work_dir, "agent-releases")
    config, log, notes = folder / "edge.toml", folder / "log", folder / "steps"
    data_dir = folder / "data"
    far_end.enrol(data_dir, port=port)
    text = servers.agent_config(
        setting.model_dir, data_dir, camera_source=camera_source, fps=fps, always_model=True
    )
    config.write_text(text + _MORE + more, encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.release_agent", str(config), str(notes)]
    command += [] if updater_core is None else [str(updater_core)]
    with running(command, log=log, cwd=ROOT) as process:
        how = {"process": process, "log": log, "timeout_s": _START_TIMEOUT_S}
        server = wait_until(lambda: servers.reachable(data_dir, process, log), what="agent", **how)  # type: ignore[arg-type]
        wait_until(lambda: servers.recommended(server), what="agent's first model answer", **how)  # type: ignore[arg-type]
        wait_until(lambda: _online(server), what="agent's connection", **how)  # type: ignore[arg-type]
        yield UpdatingAgent(server, notes)


def load() -> str:
    """How busy the machine is, for notes."""
    return f"load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores"


def _online(till: Server) -> bool | None:
    status, body = till.ask("GET", "/v1/uplink", b"")
    if status != 200:
        raise ProgramError(f"the agent refuses to tell of its uplink: {status} {body[:200]!r}")
    return True if json.loads(body)["connected"] else None
