"""The broker's folder."""

import os
import re
from pathlib import Path

import pytest

from cloud.broker import configuration as module
from cloud.broker.configuration import Listeners, configuration, copy_certificates, write_folder
from cloud.broker.errors import BrokerFolderError
from cloud.enrolment.pki_folder import PkiFolder
from wire_protocol.limits import MESSAGE_MAX_BYTES
from wire_protocol.topics import Identity

NOW_MS = 1_795_000_000_000
TEXT = configuration(Listeners(8883, 8884, "127.0.0.1"), "/lib/plugin.so", "/broker")


@pytest.fixture
def pki(tmp_path: Path) -> PkiFolder:
    folder = PkiFolder(tmp_path)
    folder.prepare(["localhost"], NOW_MS)
    return folder


def _section(listener: int) -> str:
    return TEXT.split(f"listener {listener} 127.0.0.1")[1].split("\nlistener")[0]


def test_every_place_of_the_template_is_filled() -> None:
    """Nothing is left for the broker to stumble over."""
    assert "@" not in TEXT
    assert "plugin /lib/plugin.so" in TEXT
    assert "\nuser " not in TEXT
    assert "\nuser root\n" in configuration(Listeners(), "p", "f", "root")


def test_registers_are_who_their_certificate_says() -> None:
    """T7: user name and client id from the subject, and the list of revoked ones is read."""
    for line in (
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        "crlfile /broker/registers.crl",
        "cafile /broker/registers-ca.crt",
        "tls_version tlsv1.2",
    ):
        assert f"\n{line}\n" in _section(8883)


def test_services_come_in_by_another_door() -> None:
    """T7: of another authority, with free client ids."""
    section = _section(8884)
    assert "cafile /broker/services-ca.crt" in section
    assert "use_identity_as_username true" in section
    assert "use_username_as_clientid" not in section


def test_nobody_is_anonymous_and_nothing_is_kept() -> None:
    """T26: a broker's disk holds no frame."""
    assert "\nallow_anonymous false\n" in TEXT
    assert "\npersistence false\n" in TEXT
    assert "\nset_tcp_nodelay true\n" in TEXT


def test_the_largest_message_fits_and_little_more() -> None:
    """Payload, topic and properties."""
    found = re.search(r"^max_packet_size (\d+)$", TEXT, re.MULTILINE)
    assert found is not None
    assert MESSAGE_MAX_BYTES + 1024 <= int(found[1]) <= MESSAGE_MAX_BYTES + 8192


def test_the_template_uses_nothing_that_mosquitto_2_1_drops() -> None:
    """Valid on 2.0 and 2.1."""
    for word in ("acl_file", "password_file", "per_listener_settings", "auth_plugin", "message_size_limit"):
        assert not re.search(rf"^{word}\b", TEXT, re.MULTILINE)


def test_a_folder_is_complete_and_private(tmp_path: Path, pki: PkiFolder) -> None:
    """T1: with no authority's key in it."""
    folder = tmp_path / "broker"
    written = write_folder(folder, pki, TEXT, [Identity("gelato", "till-1")])
    assert {path.name for path in folder.iterdir()} == set(written)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600, 0o700}
    assert {path.name for path in folder.iterdir() if path.stat().st_mode & 0o100} == {"run"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in folder.glob("*.key")} == {"server.key"}
    assert "gelato/till-1" in (folder / "dynamic-security.json").read_text()


def test_rights_that_are_there_are_the_brokers_own(tmp_path: Path, pki: PkiFolder) -> None:
    """A second run keeps them, and brings the rest up to date."""
    folder = tmp_path / "broker"
    write_folder(folder, pki, TEXT, [Identity("gelato", "till-1")])
    rights = (folder / "dynamic-security.json").read_bytes()
    written = write_folder(folder, pki, "another\n", [])
    assert "dynamic-security.json" not in written
    assert (folder / "dynamic-security.json").read_bytes() == rights
    assert (folder / "mosquitto.conf").read_text() == "another\n"


def test_only_what_changed_is_copied(tmp_path: Path, pki: PkiFolder) -> None:
    """The broker is told to read again only then."""
    folder = tmp_path / "broker"
    folder.mkdir()
    assert len(copy_certificates(folder, pki)) == 5
    assert copy_certificates(folder, pki) == []
    pki.write_revocation_list([("ab", NOW_MS)], NOW_MS)
    assert copy_certificates(folder, pki) == ["registers.crl"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_belong_to_the_brokers_user(tmp_path: Path, pki: PkiFolder) -> None:
    """Also those that are copied later."""
    folder = tmp_path / "broker"
    write_folder(folder, pki, TEXT, [], owner=4711)
    pki.write_revocation_list([("ab", NOW_MS)], NOW_MS)
    copy_certificates(folder, pki)
    assert {path.stat().st_uid for path in [folder, *folder.iterdir()]} == {4711}


def test_a_machine_without_mosquitto_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to go on."""
    monkeypatch.setattr(module, "_PLUGIN_FOLDERS", ("/nowhere",))
    with pytest.raises(BrokerFolderError, match="nowhere") as caught:
        module.find_plugin()
    assert "--plugin" in caught.value.remedy
