"""The file service as a process over a real broker with mutual TLS, and a register that fetches from it."""

from __future__ import annotations

import contextlib
import os
import queue
import time
import urllib.request
from typing import TYPE_CHECKING, Any, Self

from cloud.database.engine import Database, open_database
from cloud.enrolment.files import write_file
from cloud.service_keys import Purpose, ServiceKeyFolder
from cloud.state_folder import prepare_folder
from tests.builders.broker_stack import BrokerClient, BrokerStack, now_ms
from tests.builders.daemon import Daemon, ReservedPort
from tests.builders.ledgers import enrol
from tests.builders.whole_cloud import python_command
from wire_protocol import envelope
from wire_protocol.envelope import Header, KeyRecord
from wire_protocol.fleet_messages import FileBlockDown, FileRequestUp, FileStatus
from wire_protocol.limits import FILE_BLOCK_MAX_BYTES
from wire_protocol.topics import Down, Topic, Up

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders.frame_sender import Sender

IN_THE_AIR = 3
ASK_AGAIN_S = 2.0
_READY_S = 60.0


class FilesStack:
    """State folder, SQLite, broker and a folder of releases; `start` runs the service as users do."""

    def __init__(self, folder: Path, *senders: Sender, **files: Any) -> None:
        self.state_dir = folder / "state"
        self.store = folder / "store"
        self.store.mkdir(parents=True)
        prepare_folder(self.state_dir)
        self.broker = BrokerStack(self.state_dir, [sender.identity for sender in senders])
        self.database: Database = open_database(f"sqlite:///{self.state_dir}/cloud.sqlite3")
        self.database.migrate()
        enrol(self.database, *senders)
        keys = ServiceKeyFolder(self.state_dir)
        self.keys = {sender.tenant: keys.make(sender.tenant, Purpose.FILES) for sender in senders}
        self._folder = folder
        self._options = files
        self._services: list[tuple[Daemon, ReservedPort]] = []

    def put(self, tenant: str, path: str, content: bytes) -> None:
        """Publish a file."""
        place = self.store / "tuf" / tenant / path
        place.parent.mkdir(parents=True, exist_ok=True)
        write_file(place, content)

    def start(self) -> int:
        """Another file service; its number. Returns when it is ready."""
        number, port = len(self._services), ReservedPort()
        config = self._folder / f"files-{number}.toml"
        options = "".join(f"{name} = {value}\n" for name, value in self._options.items())
        config.write_text(
            f'environment = "development"\nstate_dir = "{self.state_dir}"\n'
            f'[releases]\nfolder = "{self.store}"\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker.services_port}\nkeepalive_s = 5\n'
            f'[log]\nformat = "json"\n[files]\nhealth_port = {port.number}\n{options}'
        )
        command = python_command("cloud", "files", "run", "--config", str(config))
        daemon = Daemon(f"files {number}", command, self._folder / f"files-{number}.log")
        self._services.append((daemon, port))
        daemon.start()
        daemon.wait_until(lambda: self.ready(number), _READY_S)
        return number

    def kill(self, number: int) -> None:
        """SIGKILL."""
        self._services[number][0].kill()

    def ready(self, number: int) -> bool:
        try:
            return bool(self._get(number, "readyz"))
        except OSError:
            return False

    def metrics(self, number: int) -> dict[str, float]:
        """Every sample, by its name with labels."""
        lines = self._get(number, "metrics").decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def log(self, number: int) -> str:
        return self._services[number][0].log.read_text("utf-8")

    def register(self, sender: Sender) -> FetchingRegister:
        """A register that is connected and hears its own blocks."""
        return FetchingRegister(self, sender)

    def _get(self, number: int, page: str) -> bytes:
        url = f"http://127.0.0.1:{self._services[number][1].number}/{page}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())

    def __enter__(self) -> Self:
        self.broker.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        for daemon, port in self._services:
            daemon.kill()
            port.close()
        self.broker.__exit__(*exc)
        self.database.close()


class FetchingRegister:
    """Fetches files with a few requests in the air, and asks again for what does not come."""

    def __init__(self, stack: FilesStack, sender: Sender) -> None:
        self._sender = sender
        self._key = stack.keys[sender.tenant]
        self._client: BrokerClient = stack.broker.connect_register(sender.identity)
        assert self._client.refused == ""
        self._down = Topic(sender.identity, Down.FILE_BLOCK)
        assert self._client.subscribe(str(self._down)) == "Granted QoS 1"
        self.asked = 0

    def ask(self, path: str, offset: int = 0, length: int = FILE_BLOCK_MAX_BYTES) -> bytes:
        """Send a request; its id."""
        self.asked += 1
        head = Header(Topic(self._sender.identity, Up.FILE_REQUEST), os.urandom(16), self.asked, now_ms())
        payload = FileRequestUp(path, offset, length)
        self._client._client.publish(str(head.topic), envelope.make(head, payload, (), self._sender.key), 1)
        return head.message_id

    def hear(self, timeout_s: float) -> tuple[FileBlockDown, bytes]:
        """The next block, signed by the own chain's files key; raises queue.Empty."""
        message = self._client.next_message(timeout_s)
        keys = {self._key.kid: KeyRecord(self._key.verification_key)}
        verified = envelope.verify(envelope.parse(message.payload, Topic.parse(message.topic)), keys.get)
        assert isinstance(verified.payload, FileBlockDown)
        return verified.payload, verified.attachments[0]

    def one(
        self, path: str, offset: int = 0, length: int = FILE_BLOCK_MAX_BYTES
    ) -> tuple[FileBlockDown, bytes]:
        """Ask for one piece until it is answered with anything but later."""
        while True:
            request = self.ask(path, offset, length)
            with contextlib.suppress(queue.Empty):
                block, data = self.hear(ASK_AGAIN_S)
                while block.request != request:  # of a request that was given up
                    block, data = self.hear(ASK_AGAIN_S)
                if block.status is not FileStatus.BUSY:
                    return block, data
                _wait_out(block)

    def fetch(self, path: str) -> bytes:
        """A whole file."""
        first, data = self.one(path)
        assert first.status is FileStatus.OK
        pieces = {0: data}
        missing = list(range(FILE_BLOCK_MAX_BYTES, first.total, FILE_BLOCK_MAX_BYTES))[::-1]
        asked: dict[bytes, tuple[int, float]] = {}
        while missing or asked:
            while missing and len(asked) < IN_THE_AIR:
                offset = missing.pop()
                asked[self.ask(path, offset)] = (offset, time.monotonic())
            try:
                block, data = self.hear(ASK_AGAIN_S)
            except queue.Empty:
                missing += [offset for offset, _ in asked.values()]
                asked.clear()
                continue
            if block.request not in asked:
                continue  # of a request that was given up
            offset, _ = asked.pop(block.request)
            if block.status is FileStatus.BUSY:
                missing.append(offset)
                _wait_out(block)
                continue
            assert (block.status, block.offset) == (FileStatus.OK, offset)
            pieces[offset] = data
        whole = b"".join(pieces[offset] for offset in sorted(pieces))
        assert len(whole) == first.total
        return whole

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _wait_out(block: FileBlockDown) -> None:
    """As long as the service says: a register that waits, not a test."""
    assert block.retry_after_ms is not None
    time.sleep(block.retry_after_ms / 1000)
