"""Rights at a running mosquitto, over `$CONTROL/dynamic-security/v1` (MQTT 5, as the service `admin`)."""

import contextlib
import json
import queue
import secrets
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cloud.broker.dynamic_security import (
    Command,
    batches,
    commands,
    kick,
    parse_client,
    parse_role,
    removal,
)
from cloud.broker.errors import BrokerAway, BrokerRefused
from cloud.broker.ports import SyncReport
from cloud.broker.rights import (
    CONTROL_TOPIC,
    DEFAULT_ACCESS,
    RESPONSE_TOPIC,
    Rights,
    desired,
    register_rights,
    register_role,
)
from cloud.config import MqttConfig
from cloud.enrolment.pki_folder import CredentialFiles
from wire_protocol.topics import Identity

ANSWER_TIMEOUT_S: Final = 5.0
_PAGE: Final = 100
"""Clients or roles in one answer."""
_QOS: Final = 1
_UNKNOWN: Final = frozenset({"Client not found", "Role not found"})


class BrokerControl:
    """`BrokerRights` over MQTT; connects for each call, because calls are rare and rights must not wait.

    Args:
        config: Where the broker's listener for services is.
        files: The admin's certificate; None: plain MQTT, development only.
    """

    def __init__(self, config: MqttConfig, files: CredentialFiles | None) -> None:
        self._config = config
        self._files = files

    def admit(self, identity: Identity) -> None:
        """As `BrokerRights`."""
        name, role = str(identity), register_role(identity)
        wanted = Rights({role: register_rights(identity)}, {name: frozenset([role])})
        with self._session() as session:
            rights = Rights(
                dict(map(parse_role, session.look_up({"command": "getRole", "rolename": role}, "role"))),
                dict(
                    map(parse_client, session.look_up({"command": "getClient", "username": name}, "client"))
                ),
            )
            session.carry_out(commands(wanted, rights))

    def expel(self, usernames: Sequence[str]) -> None:
        """As `BrokerRights`."""
        with self._session() as session:
            for username in usernames:
                session.ask(removal(username), allowed=_UNKNOWN)
                session.carry_out(kick(username))

    def sync(self, identities: Iterable[Identity]) -> SyncReport:
        """As `BrokerRights`."""
        with self._session() as session:
            found = session.present()
            present = found.managed()
            todo = commands(desired(identities), present)
            todo = [*session.default_access(), *todo]
            session.carry_out(todo)
        foreign = (found.clients.keys() | found.roles.keys()) - (
            present.clients.keys() | present.roles.keys()
        )
        return SyncReport(tuple(map(_words, todo)), tuple(sorted(foreign)))

    @contextlib.contextmanager
    def _session(self) -> Iterator["_Session"]:
        session = _Session(self._config, self._files)
        try:
            yield session
        finally:
            session.close()


class _Session:
    """One connection: commands out, answers in."""

    def __init__(self, config: MqttConfig, files: CredentialFiles | None) -> None:
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{config.client_id_prefix}-admin-{secrets.token_hex(6)}",
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        if config.username is not None:
            client.username_pw_set(config.username, config.password)
        if files is not None:
            client.tls_set_context(tls_context(files))
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        where = f"{config.host}:{config.port}"
        try:
            client.connect(config.host, config.port, config.keepalive_s)
        except (OSError, ValueError) as error:
            raise BrokerAway(f"the broker at {where} cannot be reached: {error}", remedy=_REMEDY) from error
        client.loop_start()
        try:
            trouble = self._ready.get(timeout=ANSWER_TIMEOUT_S)
        except queue.Empty:
            trouble = "no answer"
        if trouble:
            self.close()
            raise BrokerAway(f"the broker at {where} lets nobody change rights: {trouble}", remedy=_REMEDY)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def ask(self, todo: Sequence[Command], allowed: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
        """Send commands in one message and wait for the answer to each; errors in `allowed` are none."""
        sent = {secrets.token_hex(8): command for command in todo}
        body = {"commands": [{**command, "correlationData": name} for name, command in sent.items()]}
        info = self._client.publish(CONTROL_TOPIC, json.dumps(body), _QOS)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerAway("the connection to the broker broke", remedy=_REMEDY)
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        answers: dict[str, dict[str, Any]] = {}
        while answers.keys() != sent.keys():
            try:
                answer = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise BrokerAway("the broker did not answer in time", remedy=_REMEDY) from None
            name = answer.get("correlationData")
            if name in sent:
                answers[name] = answer
        for name, answer in answers.items():
            if "error" in answer and answer["error"] not in allowed:
                raise BrokerRefused(f"the broker refused `{_words(sent[name])}`: {answer['error']}")
        return [answers[name] for name in sent]

    def carry_out(self, todo: Sequence[Command]) -> None:
        for batch in batches(todo):
            self.ask(batch)

    def look_up(self, command: Command, kind: str) -> list[dict[str, Any]]:
        """The one client or role, or none."""
        [answer] = self.ask([command], allowed=_UNKNOWN)
        return [] if "error" in answer else [answer["data"][kind]]

    def present(self) -> Rights:
        """All roles and clients that the broker has."""
        return Rights(
            dict(map(parse_role, self._pages("listRoles", "roles"))),
            dict(map(parse_client, self._pages("listClients", "clients"))),
        )

    def default_access(self) -> list[Command]:
        """The command that corrects what holds where no role speaks, if it must be corrected."""
        [answer] = self.ask([{"command": "getDefaultACLAccess"}])
        acls = {acl["acltype"]: bool(acl["allow"]) for acl in answer["data"]["acls"]}
        if acls == dict(DEFAULT_ACCESS):
            return []
        wanted = [{"acltype": kind, "allow": allow} for kind, allow in DEFAULT_ACCESS.items()]
        return [{"command": "setDefaultACLAccess", "acls": wanted}]

    def _pages(self, command: str, key: str) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            [answer] = self.ask([{"command": command, "verbose": True, "count": _PAGE, "offset": offset}])
            page = answer["data"][key]
            yield from page
            offset += len(page)
            if len(page) < _PAGE:
                return

    def _on_connect(
        self, client: mqtt.Client, _: Any, _flags: mqtt.ConnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        if code.is_failure:
            self._ready.put(str(code))
        else:
            client.subscribe(RESPONSE_TOPIC, _QOS)

    def _on_subscribe(
        self, _client: mqtt.Client, _: Any, _mid: int, codes: list[ReasonCode], _p: Properties | None
    ) -> None:
        self._ready.put(str(codes[0]) if codes[0].is_failure else "")

    def _on_message(self, _client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        for answer in json.loads(message.payload).get("responses", []):
            self._answers.put(answer)


_REMEDY: Final = "Check that mosquitto runs and that [mqtt] names its listener for services."


def tls_context(files: CredentialFiles) -> ssl.SSLContext:
    """Mutual TLS with one authority and nobody else's."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(files.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(str(files.certificate), str(files.key))
    return context


def _send_at_once(_client: mqtt.Client, _: Any, connection: Any) -> None:
    """Without TCP_NODELAY each publish over TLS waits 44 ms for a delayed acknowledgement."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _words(command: Command) -> str:
    return f"{command['command']} {command.get('username') or command.get('rolename') or ''}".strip()
