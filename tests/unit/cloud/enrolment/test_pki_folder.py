"""The folder of authorities: made once, renewed in time, closed to others."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.enrolment.certificates import DAY_MS
from cloud.enrolment.errors import PkiError
from cloud.enrolment.expiry import Expiring, alarms
from cloud.enrolment.pki_folder import SERVICE_NAMES, PkiFolder

NOW_MS = 1_795_000_000_000
HOSTS = ["localhost", "127.0.0.1"]


@pytest.fixture
def pki(tmp_path: Path) -> PkiFolder:
    folder = PkiFolder(tmp_path)
    folder.prepare(HOSTS, NOW_MS)
    return folder


def test_nobody_else_reads_it(pki: PkiFolder) -> None:
    """T1: folders 0700, files 0600, from the first moment."""
    modes = {path: path.stat().st_mode & 0o777 for path in [pki.path, *pki.path.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert len(modes) == 9 + 2 * len(SERVICE_NAMES)


def test_a_second_run_changes_nothing(pki: PkiFolder) -> None:
    """It may run every day."""
    assert pki.prepare(HOSTS, NOW_MS + DAY_MS) == []


def test_what_lived_two_thirds_is_renewed_and_authorities_are_kept(pki: PkiFolder) -> None:
    """T20: registers go on trusting the same authority."""
    before = pki.services.der
    written = pki.prepare(HOSTS, NOW_MS + 250 * DAY_MS)
    names = ["server", *(f"services/{name}" for name in SERVICE_NAMES)]
    assert written == [f"{name}.{kind}" for name in names for kind in ("key", "crt")]
    assert pki.services.der == before


def test_another_host_makes_another_server_certificate(pki: PkiFolder) -> None:
    """The configuration changed."""
    assert pki.prepare([*HOSTS, "shop.example"], NOW_MS) == ["server.key", "server.crt"]
    assert pki.prepare(HOSTS, NOW_MS) == []


def test_a_crash_between_key_and_certificate_is_mended(pki: PkiFolder) -> None:
    """A key that fits no certificate is made anew, with it."""
    (pki.path / "server.key").write_bytes((pki.path / "services" / "admin.key").read_bytes())
    assert pki.prepare(HOSTS, NOW_MS) == ["server.key", "server.crt"]


def test_revoked_registers_are_listed(pki: PkiFolder) -> None:
    """As they were written."""
    assert pki.revoked_serials() == set()
    pki.write_revocation_list([("abc", NOW_MS), ("1", NOW_MS)], NOW_MS)
    assert pki.revoked_serials() == {"abc", "1"}


def test_everything_that_ends_is_watched(pki: PkiFolder) -> None:
    """T20: authorities, server, services and the list."""
    endings = pki.endings()
    assert {ending.kind for ending in endings} == set(Expiring) - {Expiring.REGISTER}
    assert alarms(endings, NOW_MS) == []
    assert len(alarms(endings, NOW_MS + 3650 * DAY_MS)) == len(endings)


def test_a_key_that_others_may_read_is_refused(pki: PkiFolder) -> None:
    """T1: it may have been copied."""
    (pki.path / "services-ca.key").chmod(0o644)
    with pytest.raises(PkiError, match="others may read"):
        _ = pki.services


def test_what_is_missing_or_broken_is_named(pki: PkiFolder) -> None:
    """With what to do."""
    (pki.path / "registers-ca.key").write_text("nonsense")
    with pytest.raises(PkiError, match=r"registers-ca\.key cannot be read"):
        _ = pki.registers
    (pki.path / "registers-ca.key").unlink()
    with pytest.raises(PkiError, match="missing") as caught:
        _ = pki.registers
    assert "setup" in caught.value.remedy


def test_keys_are_on_p256(pki: PkiFolder) -> None:
    """What every till's TLS library knows."""
    assert isinstance(pki.registers.key.curve, ec.SECP256R1)


def test_a_folder_of_an_older_version_gets_the_services_that_are_new(pki: PkiFolder) -> None:
    """Setting up again makes what lacks and touches nothing else; until then the missing one is named."""
    for kind in ("key", "crt"):
        (pki.path / "services" / f"files.{kind}").unlink()
    before = {path: path.read_bytes() for path in pki.path.rglob("*") if path.is_file()}
    with pytest.raises(PkiError, match="files"):
        pki.service_files("files")
    assert pki.prepare(HOSTS, NOW_MS) == ["services/files.key", "services/files.crt"]
    assert pki.service_files("files").certificate.exists()
    assert {path: path.read_bytes() for path in before} == before


def test_the_gateway_has_a_certificate_of_its_own(pki: PkiFolder) -> None:
    """Under its own names, from the services' authority; made again for a new name, and it is watched."""
    assert Expiring.SERVER not in {one.kind for one in pki.endings() if one.name == "gateway"}
    hosts = ["sole.localhost", "s3.localhost"]
    assert pki.prepare_gateway(hosts, NOW_MS) == ["gateway.key", "gateway.crt"]
    assert pki.prepare_gateway(hosts, NOW_MS + DAY_MS) == []
    assert pki.prepare_gateway([*hosts, "polar.localhost"], NOW_MS) == ["gateway.key", "gateway.crt"]
    assert pki.gateway_files().ca == pki.services_certificate
    assert [one.name for one in pki.endings()].count("gateway") == 1
