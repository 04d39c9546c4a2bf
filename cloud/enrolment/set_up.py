"""Certificates, as a step of `topscoop cloud setup`; safe to run again at any time."""

from urllib.parse import urlsplit

from cloud.config import CloudConfig
from cloud.enrolment.pki_folder import PkiFolder
from cloud.operations.setup import SetUp

_LOCAL = ("localhost", "127.0.0.1")


def certificates(setup: SetUp) -> str:
    """Make every certificate that is missing and renew what has lived two thirds of its life."""
    pki = PkiFolder(setup.config.state_dir)
    written = pki.prepare(server_hosts(setup.config), setup.now_ms)
    return f"{pki.path}: {', '.join(written)}" if written else f"{pki.path} is complete"


def server_hosts(config: CloudConfig) -> list[str]:
    """Every name that registers and services call broker and enrolment by."""
    public = urlsplit(config.enrolment.public_url).hostname or ""
    names = [public, config.enrolment.broker_host, config.mqtt.host, *_LOCAL]
    return [name for name in dict.fromkeys(names) if name]
