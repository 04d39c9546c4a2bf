"""What the demo's broker and cloud are told, as text. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simulator.demo.agent_process import Settings

HOST = "127.0.0.1"
BUCKET = "topscoop-demo"
INTAKE = "topscoop-demo-intake"
RELEASES = "releases"
"""Folder of the chains' signed repositories, beside the cloud's."""
NOBODY_LISTENS = 1
"""A TCP port that refuses at once: the embedded broker has no rights that enrolment could manage."""
WEB_BLANKS = 60
"""They are made again within a second; a thousand, as real chains have, would only slow the start down."""
_MESSAGE_MAX_BYTES = 262_144
_SEGMENT_BYTES = 4 << 20
"""The broker keeps a few segments of every topic filter in memory, delivered or not."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Of the broker (TLS for registers, none for services), console, identity provider, public API."""

    registers: int
    services: int
    console: int
    identity: int
    phones: int

    @property
    def console_url(self) -> str:
        """The console as a browser reaches it: under another name than the demo's page, for cookies' sake."""
        return f"http://localhost:{self.console}"

    @property
    def phones_url(self) -> str:
        """The public API, a name for each chain; browsers know such names as this machine, and as secure."""
        return f"http://{{tenant}}.localhost:{self.phones}"


def broker_toml(ports: Ports, pki: Path) -> str:
    """The embedded broker's configuration.

    Args:
        ports: Of its two listeners.
        pki: The folder of certificates that `topscoop cloud setup` made.
    """
    listeners = [
        _listener(1, "registers", ports.registers),
        "[v5.1.tls]",
        f'capath = "{pki / "registers-ca.crt"}"',
        f'certpath = "{pki / "server.crt"}"',
        f'keypath = "{pki / "server.key"}"',
        _listener(2, "services", ports.services),
    ]
    return "\n".join(
        [
            "id = 0",
            "[router]",
            "id = 0",
            "max_connections = 100",
            "max_outgoing_packet_count = 1000",
            f"max_segment_size = {_SEGMENT_BYTES}",
            "max_segment_count = 4",
            *listeners,
            "",
        ]
    )


def _listener(number: int, name: str, port: int) -> str:
    return "\n".join(
        [
            f"[v5.{number}]",
            f'name = "{name}"',
            f'listen = "{HOST}:{port}"',
            "next_connection_delay_ms = 1",
            f"[v5.{number}.connections]",
            "connection_timeout_ms = 60000",
            f"max_payload_size = {_MESSAGE_MAX_BYTES}",
            "max_inflight_count = 100",
            "dynamic_filters = true",
        ]
    )


def cloud_settings(state_dir: Path, s3_url: str, mqtt_port: int, ports: Ports) -> Settings:
    """The cloud's configuration: SQLite, and a stand-in wherever there is one; each is logged at the start.

    Args:
        state_dir: Of certificates, keys and databases.
        s3_url: Of the emulated store.
        mqtt_port: Of the broker's listener for services.
        ports: Where everything else listens.
    """
    return {
        "environment": "development",
        "state_dir": str(state_dir),
        "s3": {
            "endpoint_url": s3_url,
            "bucket": BUCKET,
            "access_key": "demo",
            "secret_key": "demo-demo",
            "emulated": True,
        },
        "mqtt": {"host": HOST, "port": mqtt_port, "tls": False},
        "master_key": {"kind": "file"},
        "enrolment": {
            "port": 0,
            "health_port": 0,
            "broker_host": HOST,
            "broker_port": ports.registers,
            "public_url": f"https://{HOST}",
        },
        # At level debug the collector's log names every message that it stored.
        "collector": {"health_port": 0},
        "keeper": {"health_port": 0, "poll_ms": 250, "web_blanks": WEB_BLANKS},
        "releases": {"folder": str(state_dir.with_name(RELEASES)), "look_every_s": 2.0},
        "files": {"health_port": 0},
        "rollout": {"health_port": 0, "tick_ms": 400},
        "console": {
            "port": ports.console,
            "health_port": 0,
            "public_url": ports.console_url,
            "oidc_issuer": f"http://localhost:{ports.identity}",
            "oidc_client_secret": "development",
        },
        "public_api": {
            "port": ports.phones,
            "public_url": ports.phones_url,
            "health_port": 0,
        },
        "intake": {"bucket": INTAKE},
        "log": {"format": "json", "level": "debug"},
    }
