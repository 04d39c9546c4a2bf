"""A network camera: a process of its own that sends MJPEG over HTTP at a steady rate.

Every picture is encoded before the first client comes, so the camera costs the machine only the sending.
"""

import argparse
import contextlib
import json
import socket
import threading
import time
from pathlib import Path

from benchmarks.pictures import as_jpeg, camera_frames

_PICTURES = 32
_BOUNDARY = "frame"
_HEAD = (
    "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-store\r\n"
    f"Content-Type: multipart/x-mixed-replace; boundary={_BOUNDARY}\r\n\r\n"
).encode()


def main() -> None:
    """Announce the port in `--announce`, then serve every client until killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("--fps", type=float, required=True)
    parser.add_argument("--announce", type=Path, required=True)
    args = parser.parse_args()
    pictures = [as_jpeg(frame) for frame in camera_frames(args.model, args.width, args.height, _PICTURES)]
    parts = [_part(picture) for picture in pictures]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        mean_bytes = sum(map(len, pictures)) // len(pictures)
        args.announce.write_text(json.dumps({"port": port, "mean_jpeg_bytes": mean_bytes}), encoding="utf-8")
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, parts, 1 / args.fps), daemon=True).start()


def _part(picture: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture + b"\r\n"


def _serve(client: socket.socket, parts: list[bytes], period_s: float) -> None:
    """One client; a client that leaves ends its thread."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client, contextlib.suppress(ConnectionError):
        client.recv(65536)
        client.sendall(_HEAD)
        due = time.monotonic()
        number = 0
        while True:
            client.sendall(parts[number % len(parts)])
            number += 1
            due = max(due + period_s, time.monotonic() - period_s)
            time.sleep(max(due - time.monotonic(), 0.0))


if __name__ == "__main__":
    main()
