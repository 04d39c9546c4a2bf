"""A real MJPEG camera on loopback, and the ways in which such cameras misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
from numpy.typing import NDArray


def jpeg(pixels: NDArray[np.uint8], quality: int = 85) -> bytes:
    """A baseline JPEG of the picture."""
    ok, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return bytes(data)


def scene(step: int = 0, *, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
    """A picture with as much detail as a shop has, another one for each step."""
    small = np.random.default_rng(7).integers(0, 255, (height // 10, width // 10, 3), np.uint8)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.roll(large, 3 * step, axis=1), np.uint8)


@dataclass
class MjpegServer:
    """What the server sends; tests change it while it runs."""

    pictures: list[bytes] = field(default_factory=lambda: [jpeg(scene(step)) for step in range(8)])
    fps: float = 30.0
    content_length: bool = True
    content_type: str = "multipart/x-mixed-replace; boundary=frame"
    login: str | None = None
    """The exact Authorization header to ask for."""
    port: int = 0
    connections: int = 0
    authorizations: list[str] = field(default_factory=list)
    mute: threading.Event = field(default_factory=threading.Event)
    """Set: connections stay open and nothing is sent."""
    hang_up: threading.Event = field(default_factory=threading.Event)
    """Set: streams end."""

    @property
    def url(self) -> str:
        """Where the stream is."""
        return f"http://127.0.0.1:{self.port}/video.mjpg"


@contextmanager
def mjpeg_server(server: MjpegServer | None = None) -> Iterator[MjpegServer]:
    """Run the server in threads; it is gone, port and all, when the block ends."""
    state = server or MjpegServer()
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.connections += 1
            state.authorizations.append(self.headers.get("Authorization", ""))
            if state.login is not None and self.headers.get("Authorization") != state.login:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", state.content_type)
            self.end_headers()
            try:
                self._stream()
            except OSError:
                return  # the agent hung up

        def _stream(self) -> None:
            step = 0
            while not stop.is_set() and not state.hang_up.is_set():
                if not state.mute.is_set():
                    picture = state.pictures[step % len(state.pictures)]
                    length = f"Content-Length: {len(picture)}\r\n" if state.content_length else ""
                    head = f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n"
                    self.wfile.write(head.encode() + picture + b"\r\n")
                    step += 1
                stop.wait(1 / state.fps)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", state.port), Handler) as httpd:
        httpd.daemon_threads = True
        state.port = httpd.server_address[1]
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield state
        finally:
            stop.set()
            httpd.shutdown()
            thread.join()
