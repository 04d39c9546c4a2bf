"""A register as a shop has it: an agent in a process of its own that enrols with a code, a camera, a till."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
import numpy as np

from simulator.frame_ring_writer import FrameRingWriter
from tests.builders.daemon import Daemon, last_lines
from tests.builders.whole_cloud import python_command, topscoop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

TOKEN = "a-token-for-tests-only"
_START_TIMEOUT_S = 60.0
_CAMERA_PERIOD_S = 0.05
_ANSWER_S = 10.0


class Camera:
    """Writes one picture again and again into a frame ring, as a camera that looks at a calm shop."""

    def __init__(self, ring: Path, picture: NDArray[np.uint8]) -> None:
        self.ring = ring
        self.picture = picture
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._film, name="camera", daemon=True)

    def _film(self) -> None:
        while not self._ended.wait(_CAMERA_PERIOD_S):
            self._writer.write(self.picture, time.monotonic_ns())

    def __enter__(self) -> Self:
        height, width, _ = self.picture.shape
        self._writer = FrameRingWriter(self.ring, width, height)
        self._writer.write(self.picture, time.monotonic_ns())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._writer.close()


@dataclass(frozen=True)
class Visit:
    """What the till knows of a customer."""

    interaction: str
    outcome: str
    consent: str | None
    withdrawal_code: str | None


class WholeRegister:
    """One register; inside a `with` block its agent runs.

    Args:
        folder: Its own; made here.
        tenant: Its chain.
        register: Its name there.
        model_dir: Of the model.
        camera: The agent's `camera`.
        uplink: Further keys of `[uplink]`.
    """

    def __init__(
        self,
        folder: Path,
        tenant: str,
        register: str,
        model_dir: Path,
        camera: str,
        **uplink: Any,
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.tenant = tenant
        self.register = register
        self.data_dir = folder / "data"
        self.log = folder / "edge.log"
        self.config = folder / "edge.toml"
        tables: Mapping[str, Mapping[str, Any]] = {
            "api": {"port": 0, "pairing_tokens": [TOKEN]},
            "uplink": {"enabled": True, "report_every_s": 10} | uplink,
            "interaction": {"expire_after_s": 5},
            "log": {"format": "json", "level": "debug"},
        }
        top = {"tenant": tenant, "store": "harbour", "register": register, "shop_kind": "beach"}
        paths = {"data_dir": str(self.data_dir), "model_dir": str(model_dir), "camera": camera}
        lines = [f"{key} = {json.dumps(value)}" for key, value in (top | paths).items()]
        for name, values in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        self.config.write_text("\n".join([*lines, ""]))
        command = python_command("edge", "run", "--config", str(self.config))
        self._agent = Daemon(f"agent {tenant}/{register}", command, self.log)
        self._seen = 0
        self.url = ""

    def enrol(self, url: str, code: str) -> None:
        """`topscoop edge enrol`."""
        topscoop("edge", "enrol", "--url", url, "--code", code, "--config", str(self.config))

    def start(self) -> None:
        """Start the agent, again too; returns when it answers."""
        self._seen = len(self.events())
        self._agent.start()
        self._agent.wait_until(lambda: "agent.ready" in self.new_events(), _START_TIMEOUT_S)
        self.url = next(line["url"] for line in reversed(self.events()) if line["event"] == "agent.ready")

    def kill(self) -> None:
        """SIGKILL."""
        self._agent.kill()

    def terminate(self) -> None:
        """SIGTERM; it ends in order."""
        self._agent.stop()

    def events(self) -> list[dict[str, Any]]:
        """The agent's log over all its lives, line by line."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        found = []
        for line in text.splitlines():
            with contextlib.suppress(ValueError):  # the line that SIGKILL cut
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    def new_events(self) -> list[str]:
        """Names of this life's events."""
        return [line["event"] for line in self.events()[self._seen :]]

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=_ANSWER_S,
            trust_env=False,
        )

    def lanes(self) -> dict[str, dict[str, Any]]:
        """The account of every lane, as the running agent has it."""
        with self.client() as client:
            lanes: dict[str, dict[str, Any]] = client.get("/v1/uplink").raise_for_status().json()["lanes"]
        return lanes

    def spool_status(self) -> dict[str, Any]:
        """`topscoop edge spool status`."""
        said = topscoop("edge", "spool", "status", "--config", str(self.config), "--json")
        status: dict[str, Any] = json.loads(said)
        return status

    def drained(self) -> bool:
        return all(lane["spooled"] == 0 for lane in self.lanes().values())

    # ---- the till ----

    def serve(self, *, consent: bool) -> Visit:
        """One customer: three flavours, a yes or a no, a sale."""
        with self.client() as client:
            opened = client.post("/v1/interactions").raise_for_status().json()
            interaction = opened["interaction_id"]
            notice = client.get("/v1/notice", params={"language": "de"}).raise_for_status().json()
            said: dict[str, Any] = {"granted": consent}
            if consent:
                said |= {"language": notice["language"], "notice_sha256": notice["sha256"]}
                said |= {"method": "touch", "purposes": notice["purposes"]}
            answer = client.post(f"/v1/interactions/{interaction}/consent", json=said)
            given = answer.raise_for_status().json()
            sold = client.post(
                f"/v1/interactions/{interaction}/outcome",
                headers={"Idempotency-Key": str(uuid.uuid4())},
                json={
                    "receipt_id": str(uuid.uuid4()),
                    "lines": [{"flavour": opened["top3"][0]["flavour"], "quantity": 1}],
                },
            )
            outcome = sold.raise_for_status().json()["outcome_id"]
        return Visit(interaction, outcome, given.get("consent_id"), given.get("withdrawal_code"))

    def withdraw(self, visit: Visit) -> None:
        """The customer is back with the slip."""
        with self.client() as client:
            client.post(
                f"/v1/consents/{visit.consent}/withdrawal", json={"withdrawal_code": visit.withdrawal_code}
            ).raise_for_status()

    def stop(self) -> None:
        self._agent.kill()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is not None:
            print(last_lines(self.log))


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    """Return once it holds; fail with its name."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)


def ring_path() -> Path:
    """For a frame ring: memory, as the simulator has it, so that no picture touches a disk."""
    return Path("/dev/shm") / f"topscoop-test-{uuid.uuid4()}.ring"


def painted(canary: bytes, *, width: int = 640, height: int = 480, seed: int = 0) -> NDArray[np.uint8]:
    """A picture with some life in it, whose first rows hold these bytes over and over."""
    rough = np.random.default_rng(seed).integers(0, 255, (height // 16, width // 16, 3), dtype=np.uint8)
    picture = np.repeat(np.repeat(rough, 16, axis=0), 16, axis=1)
    row = (canary * (width * 3 // len(canary) + 1))[: width * 3]
    picture[:8] = np.frombuffer(row, dtype=np.uint8).reshape(width, 3)
    return picture
