"""Our own mosquitto: both listeners with mutual TLS, certificates of fresh authorities, rights by role."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paho.mqtt.enums import CallbackAPIVersion

from cloud.broker.configuration import FOLDER_NAME, Listeners, configuration, write_folder
from cloud.broker.control import BrokerControl, tls_context
from cloud.config import MqttConfig
from cloud.enrolment import certificates
from cloud.enrolment.files import write_file
from cloud.enrolment.pki_folder import CredentialFiles, PkiFolder
from tests.builders.daemon import Daemon
from tests.builders.mosquitto import Mosquitto, dynamic_security_plugin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wire_protocol.topics import Identity

HOSTS = ("localhost", "127.0.0.1")
_ANSWER_S = 10.0


class BrokerStack:
    """The broker as Topscoop configures it; it runs inside a `with` block.

    `state_dir` holds what the cloud's has (`pki/`, `broker/`), so commands and services can work on it.
    """

    def __init__(
        self, state_dir: Path, identities: Iterable[Identity] = (), *, with_run_script: bool = False
    ) -> None:
        self.state_dir = state_dir
        self.pki = PkiFolder(state_dir)
        self.pki.prepare(HOSTS, now_ms())
        self.folder = state_dir / FOLDER_NAME
        plugin = str(dynamic_security_plugin())
        self.mosquitto = Mosquitto(self.folder, listeners=2)
        listeners = Listeners(self.registers_port, self.services_port, "127.0.0.1")
        text = configuration(listeners, plugin, str(self.folder))
        write_folder(self.folder, self.pki, text, identities)
        self.mosquitto.configure(text)
        if with_run_script:
            command = [str(self.folder / "run"), str(self.folder)]
            self.mosquitto._daemon = Daemon("mosquitto", command, self.folder / "mosquitto.log")

    @property
    def registers_port(self) -> int:
        return self.mosquitto.ports[0]

    @property
    def services_port(self) -> int:
        return self.mosquitto.ports[1]

    @property
    def mqtt_config(self) -> MqttConfig:
        return MqttConfig(host="127.0.0.1", port=self.services_port)

    def control(self) -> BrokerControl:
        return BrokerControl(self.mqtt_config, self.pki.service_files("admin"))

    def register_files(self, common_name: str) -> CredentialFiles:
        """A new certificate of the registers' authority."""
        return self._files(common_name, self.pki.registers)

    def service_files(self, common_name: str) -> CredentialFiles:
        """A new certificate of the services' authority, under any name."""
        return self._files(common_name, self.pki.services)

    def connect_register(self, identity: Identity | str, **options: Any) -> BrokerClient:
        """A register that is connected, or was refused (`refused` says why)."""
        return BrokerClient(self.registers_port, self.register_files(str(identity)), **options)

    def connect_service(self, name: str, **options: Any) -> BrokerClient:
        return BrokerClient(self.services_port, self.service_files(name), **options)

    def _files(self, common_name: str, authority: certificates.Authority) -> CredentialFiles:
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificates.client_certificate(authority, common_name, key.public_key(), now_ms(), 30)
        folder = self.state_dir / "clients"
        folder.mkdir(exist_ok=True)
        stem = f"{common_name.replace('/', '_')}-{made.serial_number:x}"
        files = CredentialFiles(self.pki.services_certificate, folder / f"{stem}.crt", folder / f"{stem}.key")
        write_file(files.certificate, made.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_file(files.key, private)
        return files

    def __enter__(self) -> Self:
        self.mosquitto.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.mosquitto.stop()


class BrokerClient:
    """One MQTT 5 client that never reconnects and whose every answer can be waited for."""

    def __init__(
        self,
        port: int,
        files: CredentialFiles,
        *,
        client_id: str = "",
        will: tuple[str, bytes, bool] | None = None,
        username: str | None = None,
    ) -> None:
        self.messages: queue.SimpleQueue[mqtt.MQTTMessage] = queue.SimpleQueue()
        self.ended = threading.Event()
        self.end_reason = ""
        self.refused = ""
        self._answers: dict[tuple[str, int], queue.SimpleQueue[str]] = {}
        self._lock = threading.Lock()
        connected: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.tls_set_context(tls_context(files))
        if username is not None:
            client.username_pw_set(username)
        if will is not None:
            topic, payload, retain = will
            client.will_set(topic, payload, 1, retain)
        client.on_connect = lambda _c, _u, _f, code, _p: connected.put(str(code) if code.is_failure else "")
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = lambda *_: connected.put("connection failed")
        client.on_message = lambda _c, _u, message: self.messages.put(message)
        client.on_subscribe = lambda _c, _u, mid, codes, _p: self._answer("sub", mid).put(str(codes[0]))
        client.on_publish = lambda _c, _u, mid, code, _p: self._answer("pub", mid).put(str(code))
        self._connected = connected
        try:
            client.connect("127.0.0.1", port, 30)
        except OSError as error:
            self.refused = str(error)
            self.ended.set()
            return
        client.loop_start()
        self.refused = connected.get(timeout=_ANSWER_S)

    def subscribe(self, topic_filter: str) -> str:
        """The broker's answer in words; `Not authorized` is 0x87."""
        _, mid = self._client.subscribe(topic_filter, 1)
        assert mid is not None
        return self._answer("sub", mid).get(timeout=_ANSWER_S)

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> str:
        """The broker's answer in words; `Not authorized` is 0x87."""
        info = self._client.publish(topic, payload, 1, retain)
        return self._answer("pub", info.mid).get(timeout=_ANSWER_S)

    def next_message(self, timeout_s: float = _ANSWER_S) -> mqtt.MQTTMessage:
        return self.messages.get(timeout=timeout_s)

    def alive(self) -> bool:
        return self._client.is_connected()

    def vanish(self) -> None:
        """Break the connection without a goodbye, so that the will is published."""
        sock = self._client.socket()
        assert sock is not None
        sock.close()
        self.close()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_disconnect(self, _c: object, _u: object, _f: object, code: object, _p: object) -> None:
        self.end_reason = str(code)
        self.ended.set()
        self._connected.put(f"disconnected: {code}")

    def _answer(self, kind: str, mid: int) -> queue.SimpleQueue[str]:
        with self._lock:
            return self._answers.setdefault((kind, mid), queue.SimpleQueue())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def now_ms() -> int:
    return time.time_ns() // 1_000_000
