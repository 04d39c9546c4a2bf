"""A real S3 server: Ceph's RADOS gateway over one object store in a sparse file.

It enforces what an imitation accepts: signatures, expiry, signed headers. Three processes run: a monitor, one
object store (OSD) and the gateway; the manager, which only counts and advises, is left out.
Gaps of this server: `If-None-Match` is ignored on versioned buckets, SHA-256 checksum headers everywhere.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.builders.daemon import Daemon, ReservedPort, ServerFailed, last_lines
from tests.services import require_program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_START_TIMEOUT_S = 60
_COMMAND_TIMEOUT_S = 60
_STORE_BYTES = 4 << 30
"""Of a sparse file: about 40 MB are taken after the start."""
_PROGRAMS = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
_PATIENT = Config(
    signature_version="s3v4",
    request_checksum_calculation="when_required",
    s3={"addressing_style": "path"},
)
_PROBING = _PATIENT.merge(
    Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1})
)

_CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor_port}]
mon initial members = a
public network = 127.0.0.0/8
keyring = {folder}/keyring
run dir = {folder}/run
admin socket =
log file = {folder}/log/$name.log
mon data = {folder}/mon
osd data = {folder}/osd
osd objectstore = bluestore
bluestore block size = {store_bytes}
# One store keeps one copy.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
# A nearly full disk of the developer's is no reason to stop.
mon data avail warn = 2
mon data avail crit = 1
auth allow insecure global id reclaim = false
# Steps of the start wait for the next round of the monitor, by default a second.
paxos propose interval = 0.05
paxos min wait = 0.01
# Clients notice after half a second, not ten, that the store is back under another address.
objecter tick interval = 0.2
objecter timeout = 0.5
# A killed gateway cannot confirm that it forgot what it had cached: each write of a bucket's settings would
# wait half a minute for it.
rgw cache enabled = false
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:{gateway_port}
"""


class CephS3:
    """An S3 server with one user; it runs after `start()` or inside a `with` block.

    While the store is dead, requests hang (they do not fail) until it is back: give clients a read timeout.
    """

    region = "us-east-1"

    def __init__(
        self, folder: Path, *, access_key: str = "test-access-key", secret_key: str = "test-secret-key"
    ) -> None:
        self._programs = {name: str(require_program(name)) for name in _PROGRAMS}
        self.folder = folder
        self.access_key = access_key
        self.secret_key = secret_key
        self._monitor_port = ReservedPort()
        self._gateway_port = ReservedPort()
        self._fsid = str(uuid.uuid4())
        self._monitor = self._daemon("mon.a", "ceph-mon", "-i", "a")
        self._store = self._daemon("osd.0", "ceph-osd", "-i", "0")
        self._gateway = self._daemon("client.rgw.a", "radosgw", "-n", "client.rgw.a")

    @property
    def port(self) -> int:
        return self._gateway_port.number

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, config: Config = _PATIENT) -> Any:
        """boto3's client of the one user: SigV4, checksums only where S3 demands them."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=config,
        )

    def start(self) -> None:
        """Make the cluster, start its servers and make the user."""
        for name in ("log", "run", "mon", "osd"):
            (self.folder / name).mkdir(parents=True)
        self._configuration.write_text(
            _CONFIGURATION.format(
                fsid=self._fsid,
                folder=self.folder,
                monitor_port=self._monitor_port.number,
                gateway_port=self._gateway_port.number,
                store_bytes=_STORE_BYTES,
            )
        )
        self._make_keys()
        self._start_monitor()
        self._make_store()
        self._store.start()
        self._gateway.start()
        self._gateway.wait_until(self._gateway_port.accepts, _START_TIMEOUT_S)
        self._run(
            "radosgw-admin",
            "user",
            "create",
            "--uid=test",
            "--display-name=test",
            f"--access-key={self.access_key}",
            f"--secret-key={self.secret_key}",
        )
        self._wait_for_answers(self._gateway)

    def kill_gateway(self) -> None:
        """SIGKILL: connections break, further ones are refused."""
        self._gateway.kill()

    def start_gateway(self) -> None:
        """Start it on the same port; returns when it answers (which it does only over a living store)."""
        self._gateway.start()
        self._wait_for_answers(self._gateway)

    def kill_store(self) -> None:
        """SIGKILL of the object store: the gateway lives, and its requests hang."""
        self._store.kill()

    def start_store(self) -> None:
        """Start it on its old data; returns when the gateway, if it runs, reads from it again."""
        self._store.start()
        if self._gateway.running():
            self._wait_for_answers(self._store)

    def stop(self) -> None:
        """End everything and give the ports back. What was stored stays in the folder."""
        with ExitStack() as stack:
            for port in (self._monitor_port, self._gateway_port):
                stack.callback(port.close)
            # Nothing is read from this store again: SIGKILL saves the seconds of an orderly end.
            for daemon in (self._monitor, self._store, self._gateway):
                stack.callback(daemon.kill)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def _configuration(self) -> Path:
        return self.folder / "ceph.conf"

    @property
    def _keyring(self) -> Path:
        return self.folder / "keyring"

    def _daemon(self, name: str, program: str, *arguments: str) -> Daemon:
        command = [self._programs[program], f"--conf={self._configuration}", "--foreground", *arguments]
        return Daemon(name, command, self.folder / "log" / f"{name}.log")

    def _run(self, program: str, *arguments: str) -> None:
        """One of Ceph's commands, to its end."""
        try:
            done = subprocess.run(
                [self._programs[program], *arguments],
                env=os.environ | {"CEPH_CONF": str(self._configuration)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_COMMAND_TIMEOUT_S,
                check=False,
            )
            problem, said = f"failed with {done.returncode}", done.stdout
        except subprocess.TimeoutExpired as late:
            problem, said = f"did not end in {_COMMAND_TIMEOUT_S} s", late.stdout or b""
        else:
            if done.returncode == 0:
                return
        logs = [last_lines(log) for log in sorted((self.folder / "log").iterdir())]
        raise ServerFailed("\n".join([f"{program} {problem}:", said.decode(errors="replace"), *logs]))

    def _make_keys(self) -> None:
        everything: Mapping[str, list[str]] = {
            "mon.": ["--cap", "mon", "allow *"],
            **{
                entity: ["--cap", "mon", "allow *", "--cap", "osd", "allow *"]
                for entity in ("client.admin", "osd.0", "client.rgw.a")
            },
        }
        self._run("ceph-authtool", str(self._keyring), "--create-keyring")
        for entity, capabilities in everything.items():
            self._run("ceph-authtool", str(self._keyring), "--gen-key", "-n", entity, *capabilities)

    def _start_monitor(self) -> None:
        address = f"[v2:127.0.0.1:{self._monitor_port.number}]"
        map_path = str(self.folder / "monmap")
        self._run("monmaptool", "--create", "--addv", "a", address, "--fsid", self._fsid, map_path)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_path, "--keyring", str(self._keyring))
        self._monitor.start()
        self._monitor.wait_until(self._monitor_port.accepts, _START_TIMEOUT_S)

    def _make_store(self) -> None:
        store_id = str(uuid.uuid4())
        self._run("ceph", "osd", "new", store_id, "0")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", store_id)

    def _wait_for_answers(self, started: Daemon) -> None:
        """Until the gateway knows the user and lists the buckets, which it reads from the store."""
        client = self.client(_PROBING)

        def answers() -> bool:
            try:
                client.list_buckets()
            except (BotoCoreError, ClientError):
                return False
            return True

        started.wait_until(answers, _START_TIMEOUT_S)
