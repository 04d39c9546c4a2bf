"""The whole cloud as processes, set up and run with an operator's commands only.

Nothing in it is a stand-in but the file of the master key.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import urllib.request
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from cloud.database.engine import Database, open_database
from tests.builders.daemon import Daemon, ReservedPort, last_lines
from topscoop.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.builders.ceph_s3 import CephS3

ROOT = Path(__file__).parents[2]
PROCESSES = ("broker", "enrolment", "collector", "keeper")
"""In the order in which they are started."""
_START_TIMEOUT_S = 60.0
_ANSWER_S = 3.0


class CommandFailed(Exception):
    """A command of the operator's ended with another status than expected."""


def python_command(*words: str) -> list[str]:
    """`topscoop …` of this checkout, whatever the folder it is started in."""
    return ["/usr/bin/env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "topscoop", *words]


def topscoop(*words: str, status: int = 0) -> str:
    """Run a command to its end, here rather than in a process of its own: each of those starts for a second.

    Returns:
        What it printed to standard output.

    Raises:
        CommandFailed: It ended with another status.
    """
    said, complaints = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complaints):
        ended = main(list(words))
    if ended != status:
        printed = f"{said.getvalue()}\n{complaints.getvalue()}"
        raise CommandFailed(f"topscoop {' '.join(words)}: status {ended}, not {status}\n{printed}")
    return said.getvalue()


class WholeCloud:
    """Broker with mutual TLS, enrolment, collector and keeper; inside a `with` block all of them run.

    Args:
        folder: For the state folder, configuration and logs; made here.
        s3: The store; the bucket is the cloud's own.
        database_url: Without it, SQLite in the state folder.
        owner_url: PostgreSQL: the owner of the tables, for set-up.
        tables: Further keys of the configuration, by table.
    """

    services: ClassVar[Sequence[str]] = PROCESSES[1:]
    """Started at once, after the broker; each has a health port under its name."""
    ports: ClassVar[Sequence[str]] = ("registers", "services", "https", *PROCESSES[1:])

    def __init__(
        self,
        folder: Path,
        s3: CephS3,
        database_url: str | None = None,
        owner_url: str | None = None,
        **tables: Mapping[str, Any],
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.state_dir = folder / "state"
        self.broker_folder = self.state_dir / "broker"
        self.config = folder / "cloud.toml"
        self.s3 = s3
        self.bucket = f"test-{uuid.uuid4()}"
        self.database_url = database_url or f"sqlite:///{self.state_dir}/cloud.sqlite3"
        self._ports = {name: ReservedPort() for name in self.ports}
        top = {"environment": "development", "state_dir": str(self.state_dir), "database_url": database_url}
        self._write_config(top | {"database_owner_url": owner_url}, tables)
        self._daemons = {"broker": Daemon("broker", self._broker_command, folder / "broker.log")}
        for name in self.services:
            command = python_command("cloud", name, "run", "--config", str(self.config))
            self._daemons[name] = Daemon(name, command, folder / f"{name}.log")

    @property
    def enrol_url(self) -> str:
        return f"https://localhost:{self._ports['https'].number}"

    @property
    def logs(self) -> list[Path]:
        return [daemon.log for daemon in self._daemons.values()]

    def set_up(self) -> None:
        """Once, before the start: set-up, and the broker's folder."""
        self.command("setup")
        self.command("broker", "config", "--address", "127.0.0.1", *_user())

    def command(self, *words: str, status: int = 0) -> Any:
        """`topscoop cloud … --json` with this cloud's configuration: what it printed."""
        said = topscoop("cloud", *words, "--config", str(self.config), "--json", status=status)
        return json.loads(said)

    def add_register(self, tenant: str, register: str, store: str = "harbour") -> str:
        """A register's one-time code."""
        where = ("--tenant", tenant, "--store", store, "--register", register)
        return str(self.command("register", "add", *where)["code"])

    # ---- processes ----

    def start(self, name: str) -> None:
        """Start it, again too; returns when it answers and everything that it needs does."""
        self.spawn(name)
        self.wait_ready(name)

    def spawn(self, name: str) -> None:
        """Start it without waiting."""
        self._daemons[name].start()

    def wait_ready(self, name: str) -> None:
        self._daemons[name].wait_until(lambda: self.ready(name), _START_TIMEOUT_S)

    def kill(self, name: str) -> None:
        """SIGKILL, to the process and all that it started."""
        self._daemons[name].kill()

    def terminate(self, name: str) -> None:
        """SIGTERM; it ends in order."""
        self._daemons[name].stop()

    def running(self, name: str) -> bool:
        return self._daemons[name].running()

    def ready(self, name: str) -> bool:
        if name == "broker":
            return self._ports["registers"].accepts() and self._ports["services"].accepts()
        try:
            with urllib.request.urlopen(self._health(name, "readyz"), timeout=_ANSWER_S) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def metrics(self, name: str) -> dict[str, float]:
        """Every sample of a service, by its name with labels."""
        with urllib.request.urlopen(self._health(name, "metrics"), timeout=_ANSWER_S) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def events(self, name: str) -> list[dict[str, Any]]:
        """A service's log, line by line."""
        lines = self._daemons[name].log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    # ---- what is stored ----

    def frames(self, tenant: str, *words: str) -> list[dict[str, Any]]:
        """`topscoop cloud frames list`."""
        rows: list[dict[str, Any]] = self.command("frames", "list", "--tenant", tenant, *words)
        return rows

    def rows(self, table: Any, tenant: str) -> list[Any]:
        """A table's rows of one tenant."""
        with self.database().tenant(tenant, read_only=True) as connection:
            return list(connection.execute(table.select().where(table.c.tenant == tenant)))

    def database(self) -> Database:
        """The database, as the services see it."""
        if self._database is None:
            self._database = open_database(self.database_url)
        return self._database

    def versions(self, prefix: str = "frames/") -> list[tuple[str, str]]:
        """Key and version id of every version in the bucket."""
        client = self.s3.client()
        pages = client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
        found = [(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", [])]
        client.close()
        return found

    def body(self, key: str, version: str) -> bytes:
        """The bytes of one version."""
        client = self.s3.client()
        answer = client.get_object(Bucket=self.bucket, Key=key, VersionId=version)
        data: bytes = answer["Body"].read()
        client.close()
        return data

    # ---- inner ----

    _database: Database | None = None

    def more_tables(self, port: Mapping[str, int]) -> Mapping[str, Mapping[str, Any]]:
        """What further services are told, by table; `port` has their ports."""
        del port
        return {}

    @property
    def _broker_command(self) -> list[str]:
        return [str(self.broker_folder / "run"), str(self.broker_folder)]

    def _health(self, name: str, page: str) -> str:
        return f"http://127.0.0.1:{self._ports[name].number}/{page}"

    def _write_config(self, top: Mapping[str, Any], more: Mapping[str, Mapping[str, Any]]) -> None:
        port = {name: reserved.number for name, reserved in self._ports.items()}
        tables: dict[str, dict[str, Any]] = {
            "s3": {
                "endpoint_url": self.s3.endpoint_url,
                "bucket": self.bucket,
                "access_key": self.s3.access_key,
                "secret_key": self.s3.secret_key,
                "connect_timeout_s": 1,
                "request_timeout_s": 3,
            },
            "mqtt": {"host": "127.0.0.1", "port": port["services"], "keepalive_s": 5},
            "master_key": {"kind": "file"},
            "enrolment": {
                "port": port["https"],
                "public_url": self.enrol_url,
                "broker_host": "localhost",
                "broker_port": port["registers"],
                "health_port": port["enrolment"],
            },
            "collector": {"health_port": port["collector"], "retry_after_s": 1},
            "keeper": {"health_port": port["keeper"], "poll_ms": 100},
            # At level debug the collector names every message.
            "log": {"format": "json", "level": "debug"},
        }
        for name, values in [*self.more_tables(port).items(), *more.items()]:
            tables.setdefault(name, {}).update(values)
        lines = [f"{key} = {json.dumps(value)}" for key, value in top.items() if value is not None]
        for name, values in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        self.config.touch(mode=0o600)
        self.config.write_text("\n".join([*lines, ""]))

    def __enter__(self) -> Self:
        try:
            self.set_up()
            self.spawn("broker")
            self.wait_ready("broker")
            for name in self.services:
                self.spawn(name)
            for name in self.services:
                self.wait_ready(name)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is not None:
            for log in self.logs:
                print(last_lines(log))

    def stop(self) -> None:
        """End everything and give the ports back; what was written stays in the folder."""
        with ExitStack() as stack:
            for port in self._ports.values():
                stack.callback(port.close)
            if self._database is not None:
                stack.callback(self._database.close)
            for daemon in self._daemons.values():
                stack.callback(daemon.kill)


def _user() -> tuple[str, ...]:
    # A broker that root starts would become a user who cannot read a test's folder.
    return ("--user", "root") if os.geteuid() == 0 else ()
