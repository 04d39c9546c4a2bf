"""The broker's folder, ready to run: `mosquitto.conf`, certificates, revoked registers, first rights."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloud.broker.dynamic_security import file_text
from cloud.broker.errors import BrokerFolderError
from cloud.broker.rights import desired
from cloud.enrolment.files import write_file
from cloud.enrolment.pki_folder import REVOCATION_LIST, PkiFolder
from wire_protocol.topics import Identity

FOLDER_NAME: Final = "broker"
"""In `state_dir`; `topscoop cloud register revoke` renews the list of revoked registers there."""
RIGHTS_FILE: Final = "dynamic-security.json"
CONFIGURATION_FILE: Final = "mosquitto.conf"
RUN_FILE: Final = "run"

_PACKAGE: Final = Path(__file__).parent
_TEMPLATES: Final = (_PACKAGE / "_mosquitto", _PACKAGE.parents[1] / "mosquitto")
"""In an installed wheel, and in a checkout."""
_PLUGIN: Final = "mosquitto_dynamic_security.so"
_PLUGIN_FOLDERS: Final = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")


@dataclass(frozen=True, slots=True)
class Listeners:
    """Where the broker listens.

    Attributes:
        registers: Port for registers.
        services: Port for services.
        address: One address, or every one of the machine where empty.
    """

    registers: int = 8883
    services: int = 8884
    address: str = ""


def find_plugin() -> Path:
    """The dynamic security plugin of this machine's mosquitto.

    Raises:
        BrokerFolderError: It is nowhere.
    """
    for folder in _PLUGIN_FOLDERS:
        for found in (Path(folder) / _PLUGIN, *sorted(Path(folder).glob(f"*/{_PLUGIN}"))):
            if found.exists():
                return found
    raise BrokerFolderError(
        f"{_PLUGIN} is nowhere on this machine",
        remedy="Install mosquitto 2.0 or later, or say where the broker's machine has it: --plugin FILE.",
    )


def configuration(listeners: Listeners, plugin: str, seen_as: str, user: str = "") -> str:
    """The text of `mosquitto.conf`.

    Args:
        listeners: Ports and address.
        plugin: Path of the plugin as the broker sees it.
        seen_as: The folder as the broker sees it.
        user: Whom a broker that is started by root becomes; empty: its own choice, `mosquitto`.
    """
    address = f" {listeners.address}" if listeners.address else ""
    values = {
        "@USER@": f"user {user}\n" if user else "",
        "@PLUGIN@": plugin,
        "@FOLDER@": seen_as,
        "@REGISTERS_PORT@": str(listeners.registers),
        "@SERVICES_PORT@": str(listeners.services),
        "@REGISTERS_ADDRESS@": address,
        "@SERVICES_ADDRESS@": address,
    }
    text = _template("mosquitto.conf.in").read_text("utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def write_folder(
    folder: Path, pki: PkiFolder, text: str, identities: Iterable[Identity], *, owner: int | None = None
) -> list[str]:
    """Write all that the broker reads; the file of rights only where there is none, for it is the broker's.

    Args:
        folder: Made where it is missing, 0700.
        pki: Whence the certificates come.
        text: Of `mosquitto.conf`.
        identities: Registers that have rights from the start.
        owner: User id that the broker runs as; None: ours.

    Returns:
        The files that were written.

    Raises:
        BrokerFolderError: It cannot be written.
        PkiError: A certificate is missing.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BrokerFolderError(f"{folder} cannot be made: {error.strerror}") from error
    written = copy_certificates(folder, pki, owner=owner)
    files = {
        CONFIGURATION_FILE: (text.encode(), 0o600),
        RUN_FILE: (_template(RUN_FILE).read_bytes(), 0o700),
    }
    if not (folder / RIGHTS_FILE).exists():
        files[RIGHTS_FILE] = (file_text(desired(identities)).encode(), 0o600)
    for name, (data, mode) in files.items():
        write_file(folder / name, data, mode)
    if owner is not None:
        _give(folder, ["", *files], owner)
    return [*written, *files]


def copy_certificates(folder: Path, pki: PkiFolder, *, owner: int | None = None) -> list[str]:
    """Bring certificates and the list of revoked registers up to date; returns what changed.

    The script `run` has the broker read them again.
    """
    server = pki.server_files()
    sources = {
        "registers-ca.crt": pki.registers_certificate,
        "services-ca.crt": pki.services_certificate,
        "server.key": server.key,  # before its certificate: `run` looks at certificates, then both are there
        "server.crt": server.certificate,
        REVOCATION_LIST: pki.revocation_list,
    }
    if owner is None and folder.exists():
        owner = folder.stat().st_uid
    written = []
    for name, source in sources.items():
        data = source.read_bytes()
        if not (folder / name).exists() or (folder / name).read_bytes() != data:
            write_file(folder / name, data)
            written.append(name)
    if owner is not None and owner != os.geteuid():
        _give(folder, written, owner)
    return written


def _give(folder: Path, names: Iterable[str], owner: int) -> None:
    try:
        for name in names:
            os.chown(folder / name, owner, -1)
    except OSError as error:
        raise BrokerFolderError(
            f"{folder} cannot be given to user {owner}: {error.strerror}", remedy="Run this as root."
        ) from error


def _template(name: str) -> Path:
    for folder in _TEMPLATES:
        if (folder / name).is_file():
            return folder / name
    raise BrokerFolderError(f"Topscoop came without {name}", remedy="Install it again.")
