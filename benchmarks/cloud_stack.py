"""The cloud's half as it runs in production: mosquitto with mutual TLS, a store, SQLite, collectors."""

import contextlib
import dataclasses
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.processes import running, wait_until
from benchmarks.servers import read_json
from benchmarks.setting import ROOT, NotRunError, Setting
from cloud.config import S3Config
from cloud.database.engine import Database, open_database
from cloud.objects.setup import prepare_bucket
from cloud.service_keys import Purpose, ServiceKeyFolder
from tests.builders.broker_stack import BrokerStack
from tests.builders.ceph_s3 import CephS3
from tests.builders.frame_sender import Sender
from tests.builders.ledgers import enrol
from wire_protocol.keys import SigningKey

_START_TIMEOUT_S = 90.0
_NO_LIMIT = 1_000_000_000


def need(*names: str) -> None:
    """Raise NotRunError where one of these servers is not installed."""
    for name in names:
        if shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") is None:
            raise NotRunError(f"{name} is missing; `tests/install-services` as root installs it")


@contextlib.contextmanager
def ceph(folder: Path) -> Iterator[S3Config]:
    """A real S3 server, its bucket set up; takes about twenty seconds to start."""
    need("mosquitto", "radosgw", "ceph-osd", "ceph-mon")
    folder.mkdir()
    with CephS3(folder) as server:
        config = S3Config(
            endpoint_url=server.endpoint_url,
            bucket=f"bench-{uuid.uuid4()}",
            access_key=server.access_key,
            secret_key=server.secret_key,
        )
        prepare_bucket(config)
        yield config


_shared: dict[Path, S3Config] = {}


def shared_ceph(setting: Setting) -> S3Config:
    """As `ceph`, one for all rows of a run that ask for it: it takes its time to start."""
    folder = setting.work_dir / "shared-s3"
    if folder not in _shared:
        setting.say("an S3 server starts")
        _shared[folder] = setting.shared.enter_context(ceph(folder))
    return _shared[folder]


@contextlib.contextmanager
def stand_in(folder: Path, delay_ms: float = 0.0) -> Iterator[S3Config]:
    """`store_stand_in` as a process."""
    need("mosquitto")
    folder.mkdir()
    announcement, log = folder / "announced.json", folder / "log"
    options = ["--delay-ms", str(delay_ms), "--announce", str(announcement)]
    with running([sys.executable, "-m", "benchmarks.store_stand_in", *options], log=log, cwd=ROOT) as process:
        said = wait_until(
            lambda: read_json(announcement),
            process=process,
            log=log,
            timeout_s=_START_TIMEOUT_S,
            what="store",
        )
        yield S3Config(
            endpoint_url=f"http://127.0.0.1:{said['port']}",
            bucket="bench",
            access_key="bench",
            secret_key="bench-secret",
        )


@dataclass
class CloudStack:
    """Broker and database that know the senders, and a store; runs inside a `with` block.

    Args:
        folder: Does not exist yet.
        s3: The store.
        senders: Registers that are enrolled.
    """

    folder: Path
    s3: S3Config
    senders: tuple[Sender, ...]
    _collectors: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self.state_dir = self.folder / "state"
        self.state_dir.mkdir(mode=0o700)
        self.broker = BrokerStack(self.state_dir, [sender.identity for sender in self.senders])
        self.broker.__enter__()
        self.database: Database = open_database(self.database_url)
        self.database.migrate()
        enrol(
            self.database,
            *self.senders,
            frames_per_day=_NO_LIMIT,
            bytes_per_day=1000 * _NO_LIMIT,
            messages_per_minute=_NO_LIMIT,
        )
        for tenant in {sender.tenant for sender in self.senders}:
            self.receipts_key(tenant)
        return self

    def __exit__(self, *exc: object) -> None:
        self.database.close()
        self.broker.__exit__(*exc)

    @property
    def database_url(self) -> str:
        """Of its SQLite file."""
        return f"sqlite:///{self.state_dir}/cloud.sqlite3"

    def receipts_key(self, tenant: str) -> SigningKey:
        """What signs a tenant's receipts."""
        return ServiceKeyFolder(self.state_dir).make(tenant, Purpose.RECEIPTS)

    @contextlib.contextmanager
    def collector(self, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """`topscoop cloud collector run`, ready; `options` are keys of its section of the configuration."""
        self._collectors += 1
        folder = self.folder / f"collector-{self._collectors}"
        folder.mkdir()
        port = _free_port()
        config, log = folder / "cloud.toml", folder / "log"
        config.write_text(self._configuration(options | {"health_port": port}), encoding="utf-8")
        command = [sys.executable, "-m", "topscoop", "cloud", "collector", "run", "--config", str(config)]
        with running(command, log=log, cwd=ROOT) as process:
            wait_until(
                lambda: _is_ready(port),
                process=process,
                log=log,
                timeout_s=_START_TIMEOUT_S,
                what="collector",
            )
            yield process

    def _configuration(self, collector: dict[str, Any]) -> str:
        given = {key: value for key, value in dataclasses.asdict(self.s3).items() if value is not None}
        sections = {
            "s3": {key: given[key] for key in ("endpoint_url", "bucket", "access_key", "secret_key")},
            "mqtt": {"host": "127.0.0.1", "port": self.broker.services_port},
            "collector": collector,
            "log": {"format": "json", "level": "info"},
        }
        lines = ['environment = "development"', f"state_dir = {json.dumps(str(self.state_dir))}"]
        for name, values in sections.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        return "\n".join(lines) + "\n"


def new_sender(tenant: str = "bench", register: str = "till-1") -> Sender:
    """A register with fresh keys, and the real time."""
    return Sender(tenant, register, now_ms=time.time_ns() // 1_000_000)


@contextlib.contextmanager
def stack(setting: Setting, name: str, s3: S3Config, *senders: Sender) -> Iterator[CloudStack]:
    """A stack in a folder of its own."""
    with CloudStack(setting.work_dir / f"{name}-{uuid.uuid4().hex[:6]}", s3, senders) as running_stack:
        yield running_stack


def _is_ready(port: int) -> bool | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return True if answer.status == 200 else None
    except OSError:
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
