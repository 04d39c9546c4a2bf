"""Telling the service manager that we are ready and alive (the protocol of sd_notify, a datagram each)."""

import socket
from collections.abc import Mapping


class ServiceManager:
    """Speaks to systemd when it started us, and to nobody otherwise.

    Args:
        environ: The process environment; `NOTIFY_SOCKET` and `WATCHDOG_USEC` are read.
        pid: Our process id: a watchdog that is meant for another process is ignored.
    """

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # "@" stands for the NUL byte that begins the name of an abstract socket.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_interval_s = _watchdog_interval_s(environ, pid) if address else None
        """How often to call `alive`: half of what systemd tolerates; None where it does not watch us."""

    def ready(self, status: str) -> None:
        """Start-up is over; `status` is what `systemctl status` shows."""
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """Feed the watchdog; to be called only after proof that the agent still works."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Shutdown began."""
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(1)
            sock.sendto(state.encode(), self._address)


def _watchdog_interval_s(environ: Mapping[str, str], pid: int) -> float | None:
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 2e6 if microseconds.isdigit() and int(microseconds) > 0 else None
