"""A client that does nothing but publish and read PUBACKs, in one thread on a blocking socket.

What the link takes longer than this is the link's; the rest is broker, TLS and a machine that was at rest.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.cloud_stack import CloudStack
from benchmarks.processes import ProgramError
from cloud.broker.control import tls_context
from tests.builders.frame_sender import Sender, Sent

_CONNECT: Final = 0x10
_CONNACK: Final = 0x20
_PUBLISH_QOS_1: Final = 0x32
_PUBACK: Final = 0x40
_CLEAN_START: Final = 2
_KEEPALIVE_S: Final = 60
_IDS: Final = 65_535
_LONGEST_ANSWER: Final = 4096


class LeanPublisher:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._published = 0

    def acknowledged_after_ms(self, sent: Sent) -> float:
        """From the first byte to the PUBACK; its packet is ready before."""
        self._published += 1
        packet_id = struct.pack("!H", self._published % _IDS + 1)
        packet = _packet(_PUBLISH_QOS_1, _text(str(sent.topic)) + packet_id + b"\0" + sent.payload)
        begun = time.perf_counter()
        self._connection.sendall(packet)
        answer = self._connection.recv(_LONGEST_ANSWER)
        took_ms = (time.perf_counter() - begun) * 1000
        if answer[:1] != bytes([_PUBACK]) or answer[2:4] != packet_id:
            raise ProgramError(f"the broker answered a publish with {answer[:8].hex()}")
        return took_ms

    @classmethod
    @contextmanager
    def connected(cls, cloud: CloudStack, sender: Sender) -> Iterator["LeanPublisher"]:
        """As the register's link connects: TLS, its own certificate, TCP_NODELAY."""
        context = tls_context(cloud.broker.register_files(sender.identity.common_name))
        plain = socket.create_connection(("127.0.0.1", cloud.broker.registers_port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            flags = bytes([5, _CLEAN_START]) + struct.pack("!H", _KEEPALIVE_S) + b"\0"
            name = _text(f"{sender.tenant}.{sender.register}")
            connection.sendall(_packet(_CONNECT, _text("MQTT") + flags + name))
            answer = connection.recv(_LONGEST_ANSWER)
            if answer[:1] != bytes([_CONNACK]) or answer[3:4] != b"\0":
                raise ProgramError(f"the broker answered CONNECT with {answer[:8].hex()}")
            yield cls(connection)


def _packet(head: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while length or not digits:
        length, digit = divmod(length, 128)
        digits.append(digit | (128 if length else 0))
    return bytes([head, *digits]) + body


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()
