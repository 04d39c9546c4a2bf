"""A real mosquitto in a folder, on ports that stay its own while it is killed and started again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.builders.daemon import Daemon, ReservedPort
from tests.services import require, require_program

if TYPE_CHECKING:
    from collections.abc import Sequence

_START_TIMEOUT_S = 20

ANONYMOUS = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location {folder}/
autosave_interval 1
"""
"""For simple tests; a SIGKILL loses what was acknowledged after the last save, about a second."""


class Mosquitto:
    """A broker with this configuration; it runs after `start()` or inside a `with` block.

    In the configuration `{folder}` stands for its folder, `{port}`, or `{ports[1]}` and so on, for its ports.
    Every other brace must be doubled.
    """

    def __init__(self, folder: Path, configuration: str = ANONYMOUS, *, listeners: int = 1) -> None:
        program = require_program("mosquitto")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._reserved = [ReservedPort() for _ in range(listeners)]
        self._daemon = Daemon(
            "mosquitto",
            [str(program), "-c", str(self.configuration_path)],
            folder / "mosquitto.log",
        )
        self.configure(configuration)

    @property
    def host(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        """The first listener's port."""
        return self.ports[0]

    @property
    def ports(self) -> Sequence[int]:
        return [port.number for port in self._reserved]

    @property
    def pid(self) -> int:
        return self._daemon.pid

    @property
    def configuration_path(self) -> Path:
        return self.folder / "mosquitto.conf"

    def configure(self, configuration: str) -> None:
        """Write the configuration; `reload()` or a new start reads it."""
        text = configuration.format(folder=self.folder, port=self.port, ports=self.ports)
        # As root it would change to a user who cannot read the folder; as anybody else the line is ignored.
        own_user = "user root\n" if os.geteuid() == 0 else ""
        self.configuration_path.write_text(f"{own_user}log_dest stderr\nlog_type all\n{text}")

    def start(self) -> None:
        """Start it, again too: same ports, same folder, so the same persistence."""
        self._daemon.start()
        self._daemon.wait_until(lambda: all(port.accepts() for port in self._reserved), _START_TIMEOUT_S)

    def kill(self) -> None:
        """SIGKILL: nothing is saved, no goodbye is sent."""
        self._daemon.kill()

    def terminate(self) -> None:
        """SIGTERM: it saves its persistence and ends; `start()` may follow."""
        self._daemon.stop()

    def reload(self) -> None:
        """SIGHUP: read the configuration, passwords, access lists and revoked certificates again."""
        before = self.log().count("Reloading config")
        self._daemon.send_signal(signal.SIGHUP)
        self._daemon.wait_until(lambda: self.log().count("Reloading config") > before, _START_TIMEOUT_S)

    def log(self) -> str:
        """All that it has said."""
        return self._daemon.log.read_text(errors="replace") if self._daemon.log.exists() else ""

    def stop(self) -> None:
        """End it for good and give its ports back."""
        self._daemon.stop()
        for port in self._reserved:
            port.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def dynamic_security_plugin() -> Path:
    """The library for a `plugin` line; Debian's mosquitto brings it, in a folder named after the machine."""
    found = sorted(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    require("mosquitto's dynamic security plugin", bool(found))
    return found[0]
