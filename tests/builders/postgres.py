"""A throw-away PostgreSQL cluster on loopback, and fresh databases in it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg
from psycopg import sql

from tests.builders.daemon import Daemon, ReservedPort, ServerFailed
from tests.services import require, require_program

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_TIMEOUT_S = 60
_INITDB_TIMEOUT_S = 60
_SUPERUSER = "postgres"
_SYSTEM_USER = "postgres"


def _programs() -> Path:
    """The folder with `initdb` and `postgres`, of the newest version that is there."""
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if versions:
        return max(
            versions, key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.parent.name)]
        )
    return require_program("initdb").resolve().parent


class PostgresCluster:
    """A cluster with one superuser; it runs after `start()` or inside a `with` block.

    Its folder lies outside of pytest's, which nobody but their owner may enter: as root the server runs as
    the system's user `postgres`. `stop()` removes it.
    """

    def __init__(self, *, fsync: bool = True, settings: dict[str, str] | None = None) -> None:
        self._programs = _programs()
        self._user = _SYSTEM_USER if os.geteuid() == 0 else None
        self._port = ReservedPort()
        self._password = secrets.token_hex(16)
        self.folder = Path(tempfile.mkdtemp(prefix="topscoop-pg-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user, self._user)
        chosen = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if fsync else "off",
            "shared_buffers": "32MB",
        } | (settings or {})
        self._daemon = Daemon(
            "postgres",
            [
                str(self._programs / "postgres"),
                "-D",
                str(self.folder / "data"),
                *(f"--{name}={value}" for name, value in chosen.items()),
            ],
            self.folder / "postgres.log",
            user=self._user,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients
        )

    @property
    def host(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        return self._port.number

    @property
    def pid(self) -> int:
        """Of the server's first process; its others are children of it."""
        return self._daemon.pid

    @property
    def superuser_url(self) -> str:
        """The superuser's way into the database `postgres`: row-level security does not bind this role."""
        return self.url(_SUPERUSER, self._password, "postgres")

    def url(self, role: str, password: str, database: str) -> str:
        """As SQLAlchemy writes it."""
        return f"postgresql+psycopg://{role}:{password}@{self.host}:{self.port}/{database}"

    def log(self) -> str:
        """All that the server has said."""
        return self._daemon.log.read_text(errors="replace") if self._daemon.log.exists() else ""

    def start(self) -> None:
        """Start it, again too: same port, same data."""
        if not (self.folder / "data").exists():
            self._init()
        self._daemon.start()
        self._daemon.wait_until(self._answers, _START_TIMEOUT_S)

    def kill(self) -> None:
        """SIGKILL, to the server and its children; what was committed is there after the next start."""
        self._daemon.kill()

    def stop(self) -> None:
        """End it for good and remove its folder."""
        self._daemon.stop()
        self._port.close()
        shutil.rmtree(self.folder)

    @contextmanager
    def fresh_database(self) -> Iterator[PostgresDatabase]:
        """A database of a role of its own; it and every role made meanwhile are dropped afterwards."""
        with self.connect() as connection:
            before = _roles(connection)
            name, password = f"test_{secrets.token_hex(4)}", secrets.token_hex(16)
            connection.execute(_create_role(f"{name}_owner", password, ""))
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(f"{name}_owner")
                )
            )
        try:
            yield PostgresDatabase(self, name, self.url(f"{name}_owner", password, name))
        finally:
            with self.connect() as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
                for role in _roles(connection) - before:
                    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the superuser; every statement commits at once."""
        url = libpq_url(self.url(_SUPERUSER, self._password, database))
        return psycopg.connect(url, autocommit=True, connect_timeout=5)

    def _init(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self._password)
        command = [
            str(self._programs / "initdb"),
            f"--pgdata={self.folder / 'data'}",
            f"--username={_SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        done = subprocess.run(
            command,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_INITDB_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise ServerFailed(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


@dataclass(frozen=True)
class PostgresDatabase:
    """A fresh database; its owner is no superuser and may do in it what it likes."""

    cluster: PostgresCluster
    name: str
    owner_url: str

    @property
    def superuser_url(self) -> str:
        """The superuser's way into this database: for looking, never for what is being tested."""
        return self.cluster.superuser_url.rsplit("/", 1)[0] + f"/{self.name}"

    def create_role(self, name: str, options: str = "NOSUPERUSER NOBYPASSRLS") -> str:
        """A role of exactly this name that may log in and connect, with these options; returns its URL."""
        password = secrets.token_hex(16)
        with self.cluster.connect(self.name) as connection:
            connection.execute(_create_role(name, password, options))
        return self.cluster.url(name, password, self.name)

    def url_of(self, name: str) -> str:
        """A way in as a role that exists already, as one that a migration made; sets it a password."""
        password = secrets.token_hex(16)
        with self.cluster.connect(self.name) as connection:
            connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password))
            )
        return self.cluster.url(name, password, self.name)


def libpq_url(sqlalchemy_url: str) -> str:
    """The same as psycopg and psql write it."""
    return sqlalchemy_url.replace("postgresql+psycopg://", "postgresql://", 1)


def require_postgres() -> None:
    """Go on only where PostgreSQL's server is; as root also its system user."""
    _programs()
    if os.geteuid() == 0:
        import pwd

        require("the system user postgres", any(entry.pw_name == _SYSTEM_USER for entry in pwd.getpwall()))


def _create_role(name: str, password: str, options: str) -> sql.Composed:
    # SQL() takes options only as text written in a test, never from outside.
    return sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} {}").format(
        sql.Identifier(name), sql.Literal(password), sql.SQL(options)
    )


def _roles(connection: psycopg.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
