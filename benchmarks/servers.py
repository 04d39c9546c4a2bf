"""The programs that are measured against each other: the agent, its camera, and the baselines."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.http_client import HttpError, KeepAlive, build_request
from benchmarks.processes import ProgramError, running, wait_until
from benchmarks.setting import ROOT, Setting

_HOST = "127.0.0.1"
_CREATED = 201
_START_TIMEOUT_S = 60
_TOKEN = "benchmark-till-0123456789"


@dataclass(frozen=True, slots=True)
class Server:
    """A program that listens on loopback."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int
    announced: dict[str, object]

    def connect(self) -> KeepAlive:
        """A new connection."""
        return KeepAlive(_HOST, self.port)

    def request(self, method: str, path: str, body: bytes, content_type: str = "application/json") -> bytes:
        """The bytes of a request that this server lets in."""
        headers = {"Content-Type": content_type, "Authorization": f"Bearer {_TOKEN}"}
        return build_request(method, path, host=f"{_HOST}:{self.port}", body=body, headers=headers)

    def ask(self, method: str, path: str, body: bytes = b"{}") -> tuple[int, bytes]:
        """One exchange over a connection of its own."""
        with self.connect() as connection:
            return connection.exchange(self.request(method, path, body))

    @property
    def url(self) -> str:
        """Of a camera: where its stream is."""
        return f"http://{_HOST}:{self.port}/stream.mjpg"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return _HOST, self.port


@contextlib.contextmanager
def camera(setting: Setting, *, width: int, height: int, fps: float) -> Iterator[Server]:
    """A network camera that sends MJPEG."""
    options = ["--width", str(width), "--height", str(height), "--fps", str(fps)]
    with announced(setting, "camera", sys.executable, "benchmarks.mjpeg_camera", options) as server:
        yield server


@contextlib.contextmanager
def announced(
    setting: Setting, name: str, python: str, module: str, options: Sequence[str]
) -> Iterator[Server]:
    """A module of the benchmark that writes its port into the file `--announce`, and accepts connections."""
    folder = new_folder(setting.work_dir, name)
    announcement, log = folder / "announced.json", folder / "log"
    command = [
        python,
        "-m",
        module,
        "--model",
        str(setting.model_dir),
        "--announce",
        str(announcement),
        *options,
    ]
    with running(command, log=log, cwd=ROOT) as process:
        said = wait_until(
            lambda: read_json(announcement), process=process, log=log, timeout_s=_START_TIMEOUT_S, what=name
        )
        port = int(str(said["port"]))
        wait_until(lambda: _accepts(port), process=process, log=log, timeout_s=_START_TIMEOUT_S, what=name)
        yield Server(name, process, log, port, said)


@contextlib.contextmanager
def agent_with_camera(setting: Setting, *, width: int, height: int, fps: float) -> Iterator[Server]:
    """The agent and a camera for it alone."""
    with (
        camera(setting, width=width, height=height, fps=fps) as lens,
        agent(setting, camera_source=lens.url, fps=fps) as till,
    ):
        yield till


@contextlib.contextmanager
def agent(
    setting: Setting, *, camera_source: str, fps: float = 30.0, always_model: bool = False
) -> Iterator[Server]:
    """The real agent, started as a shop starts it; ready once it recommends from the camera's picture.

    `always_model` turns the control and exploration arms off, for rows that wait for an answer of the model.
    """
    folder = new_folder(setting.work_dir, "agent")
    config, log = folder / "edge.toml", folder / "log"
    config.write_text(
        agent_config(
            setting.model_dir,
            folder / "data",
            camera_source=camera_source,
            fps=fps,
            always_model=always_model,
        ),
        encoding="utf-8",
    )
    with running(agent_command(config), log=log, cwd=ROOT) as process:
        server = wait_until(
            lambda: reachable(folder / "data", process, log),
            process=process,
            log=log,
            timeout_s=_START_TIMEOUT_S,
            what="agent",
        )
        wait_until(
            lambda: recommended(server),
            process=process,
            log=log,
            timeout_s=_START_TIMEOUT_S,
            what="agent's first model answer",
        )
        yield server


def agent_command(config: Path) -> list[str]:
    """How the agent is started."""
    return [sys.executable, "-m", "topscoop", "edge", "run", "--config", str(config)]


def agent_config(
    model_dir: Path, data_dir: Path, *, camera_source: str, fps: float, always_model: bool
) -> str:
    """The agent's configuration file; what is not in it has the agent's defaults."""
    tenant = json.loads((model_dir / "manifest.json").read_text(encoding="utf-8"))["tenant"]
    arms = "\n[arms]\nexplore = 0.0\nbestsellers = 0.0\n" if always_model else ""
    return f"""\
tenant = {json.dumps(tenant)}
store = "bench"
register = "bench-1"
shop_kind = "park"
data_dir = {json.dumps(str(data_dir))}
model_dir = {json.dumps(str(model_dir))}

[camera]
source = {json.dumps(camera_source)}
fps = {fps}

[api]
port = 0
pairing_tokens = ["{_TOKEN}"]
{arms}"""


def reachable(data_dir: Path, process: subprocess.Popen[bytes], log: Path) -> Server | None:
    """The agent once it says where it listens and does so."""
    said = read_json(data_dir / "api.json")
    if said is None:
        return None
    port = int(str(said["url"]).rstrip("/").rpartition(":")[2])
    return Server("agent", process, log, port, said) if _accepts(port) else None


def recommended(server: Server) -> float | None:
    """The moment (time.perf_counter()) of an answer that the model gave, or None if best-sellers came.

    Raises:
        ProgramError: The agent answered, but with a refusal.
    """
    try:
        status, body = server.ask("POST", "/v1/interactions")
    except (HttpError, OSError):
        return None
    if status != _CREATED:
        raise ProgramError(
            f"the agent refused an interaction: {status} {body[:300].decode(errors='replace')}"
        )
    return time.perf_counter() if json.loads(body)["source"] == "model" else None


def new_folder(parent: Path, name: str) -> Path:
    """An empty folder of its own, numbered."""
    folder = parent / f"{name}-{sum(1 for _ in parent.iterdir())}"
    folder.mkdir()
    return folder


def read_json(path: Path) -> dict[str, object] | None:
    """The file's content once it is all there."""
    try:
        content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return content


def _accepts(port: int) -> bool | None:
    try:
        KeepAlive(_HOST, port).close()
    except OSError:
        return None
    return True
