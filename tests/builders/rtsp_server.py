"""A real RTSP camera on loopback: MJPEG over RTP (RFC 2435) inside the RTSP connection (RFC 2326)."""

import base64
import itertools
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.builders.mjpeg_server import jpeg, scene

_PACKET_BYTES = 1400
_SSRC = 7
_MJPEG = 26
_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n"


@dataclass
class RtspServer:
    """What the server sends; tests change it while it runs."""

    fps: float = 15.0
    login: tuple[str, str] | None = None
    port: int = 0
    mute: threading.Event = field(default_factory=threading.Event)
    """Set: connections stay open and nothing is sent, not even answers."""
    hang_up: threading.Event = field(default_factory=threading.Event)
    """Set: streams end."""
    stop: threading.Event = field(default_factory=threading.Event)

    def url(self, userinfo: str = "") -> str:
        """Where the stream is."""
        return f"rtsp://{userinfo}127.0.0.1:{self.port}/stream"


def rtp_packets(picture: bytes, sequence: Iterator[int], timestamp: int) -> Iterator[bytes]:
    """One JPEG as RTP: its tables travel in the first packet, its headers not at all."""
    tables, width, height, scan = _parts(picture)
    for offset in range(0, len(scan), _PACKET_BYTES):
        last = offset + _PACKET_BYTES >= len(scan)
        head = struct.pack(
            ">BBHII", 0x80, _MJPEG | (last << 7), next(sequence) & 0xFFFF, timestamp & 0xFFFFFFFF, _SSRC
        )
        # Type 1 is 4:2:0; Q 255 says that the quantization tables follow.
        head += struct.pack(">IBBBB", offset, 1, 255, width // 8, height // 8)
        if offset == 0:
            head += struct.pack(">BBH", 0, 0, len(tables)) + tables
        yield head + scan[offset : offset + _PACKET_BYTES]


def _parts(picture: bytes) -> tuple[bytes, int, int, bytes]:
    """Quantization tables, width, height and entropy-coded data of a baseline JPEG."""
    tables, width, height, at = b"", 0, 0, 2
    while True:
        marker, length = picture[at + 1], int.from_bytes(picture[at + 2 : at + 4])
        body = picture[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xDB:
            tables += b"".join(body[start + 1 : start + 65] for start in range(0, len(body), 65))
        elif marker == 0xC0:
            height, width = struct.unpack(">HH", body[1:5])
        elif marker == 0xDA:
            return tables, width, height, picture[at:-2]


class _Handler(socketserver.StreamRequestHandler):
    """One client."""

    server: "_Server"

    def handle(self) -> None:
        try:
            while self._answer():
                pass
        except OSError:
            return  # the agent hung up

    def _answer(self) -> bool:
        """Answer one request; False when the connection is over."""
        state = self.server.state
        lines = []
        while line := self.rfile.readline().strip():
            lines.append(line.decode())
        if not lines:
            return False
        if state.mute.is_set():
            state.stop.wait()
        method = lines[0].split()[0]
        fields = (line.partition(":") for line in lines[1:])
        headers = {name.lower(): value.strip() for name, _, value in fields}
        if state.login and headers.get("authorization") != _basic(*state.login):
            self._reply(headers, "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"')
            return True
        extra, body = "", ""
        match method:
            case "OPTIONS":
                extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"
            case "DESCRIBE":
                extra, body = "Content-Type: application/sdp", _SDP
            case "SETUP":
                extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1"
        self._reply(headers, "200 OK", extra, body)
        if method == "PLAY":
            self._play()
        return method not in {"PLAY", "TEARDOWN"}

    def _reply(self, headers: dict[str, str], status: str, extra: str, body: str = "") -> None:
        head = f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\nContent-Length: {len(body)}\r\n"
        more = f"{extra}\r\n" if extra else ""
        self.wfile.write(f"{head}{more}\r\n{body}".encode())

    def _play(self) -> None:
        state, sequence = self.server.state, itertools.count()
        pictures = [jpeg(scene(step)) for step in range(4)]
        for step in itertools.count():
            if state.stop.wait(1 / state.fps) or state.hang_up.is_set():
                return
            if state.mute.is_set():
                continue
            for packet in rtp_packets(pictures[step % 4], sequence, int(step * 90_000 / state.fps)):
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    state: RtspServer


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def rtsp_server(server: RtspServer | None = None) -> Iterator[RtspServer]:
    """Run the server in threads; it is gone when the block ends."""
    state = server or RtspServer()
    with _Server(("127.0.0.1", state.port), _Handler) as tcp:
        tcp.state = state
        state.port = tcp.server_address[1]
        thread = threading.Thread(target=tcp.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield state
        finally:
            state.stop.set()
            tcp.shutdown()
            thread.join()
