"""Letting registers in, over both databases; the broker and the vault are in memory."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from cloud.database.schema import audit, enrolment_codes, metadata, register_keys
from cloud.enrolment import code_rows, register_rows, registers
from cloud.enrolment.certificates import (
    DAY_MS,
    Authority,
    common_name_of,
    life_of,
    new_authority,
    serial_text,
)
from cloud.enrolment.enrol import EnrolmentOffice, Granted
from cloud.enrolment.errors import (
    BadEnrolmentRequest,
    CodeRefused,
    RegisterExists,
    RegisterRevoked,
    RenewalRefused,
    UnknownRegister,
)
from cloud.enrolment.register_rows import KEY_OVERLAP_MS, RegisterState
from cloud.enrolment.registers import CodeTerms
from cloud.enrolment.request import parse_enrolment, parse_renewal
from cloud.errors import UnknownTenant
from cloud.releases.rows import write_root
from tests.builders.applicant import PaperApplicant
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.memory_broker import MemoryBroker
from wire_protocol import enrolment_code
from wire_protocol.errors import TopscoopError
from wire_protocol.keys import Algorithm, SigningKey
from wire_protocol.topics import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.database.engine import Database
    from tests.builders.postgres import PostgresDatabase

TILL = Identity("gelato", "till-1")
MINUTE_MS = 60_000


class FewBlanks:
    """`FirstBlanks`; `away` makes the vault unreachable."""

    away = False

    def issue(self, identity: Identity, now_ms: int) -> list[bytes]:
        if self.away:
            raise TopscoopError("the vault is away")
        return [f"{identity} {now_ms}".encode()]


class Office:
    """An office with all that it needs, and one register that was invited."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.authority: Authority = new_authority("registers", _key(), NOW_MS)
        self.services: Authority = new_authority("services", _key(), NOW_MS)
        self.broker = MemoryBroker()
        self.blanks = FewBlanks()
        self.office = EnrolmentOffice(database, self.authority, self.broker, self.blanks, certificate_days=90)
        self.terms = CodeTerms(self.services, minutes=15, tries=5)
        add_tenants(database, "gelato", "ghiaccio")

    def add(self, identity: Identity = TILL, now_ms: int = NOW_MS) -> str:
        made = registers.add_register(self.database, identity, "north", self.terms, now_ms, actor="test")
        return made.code

    def code(self, now_ms: int = NOW_MS) -> str:
        return registers.new_code(self.database, TILL, self.terms, now_ms, actor="test").code

    def enrol(self, code: str, applicant: PaperApplicant | None = None, now_ms: int = NOW_MS) -> Granted:
        body = (applicant or PaperApplicant()).enrolment(code)
        return self.office.enrol(parse_enrolment(body), now_ms)

    def renew(
        self, granted: Granted, present: PaperApplicant, following: PaperApplicant, now_ms: int
    ) -> Granted:
        body = following.renewal(granted.certificate, present.tls)
        return self.office.renew(parse_renewal(body, self.authority, now_ms), now_ms)

    def wrong_code(self, code: str) -> str:
        """A code of the same invitation with another secret."""
        secret = enrolment_code.parse(code).secret
        other = secret[: enrolment_code.INVITATION_BYTES] + secrets.token_bytes(10)
        return enrolment_code.make(other, bytes(32))

    def rows(self, statement: Any) -> list[Any]:
        with self.database.tenant("gelato", read_only=True) as connection:
            return list(connection.execute(statement))


@pytest.fixture(scope="module")
def postgres(request: pytest.FixtureRequest) -> Iterator[tuple[Database, PostgresDatabase]]:
    """One database for the module; each test empties it, which is faster than another one."""
    with request.getfixturevalue("postgres_cluster").fresh_database() as made:
        service = postgres_service(made)
        yield service, made
        service.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    if request.param == "sqlite":
        database = sqlite_database(tmp_path)
        yield Office(database)
        database.close()
        return
    service, made = request.getfixturevalue("postgres")
    with made.cluster.connect(made.name) as connection:
        connection.execute(f"TRUNCATE {', '.join(metadata.tables)}")
    yield Office(service)


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_a_good_code_lets_a_register_in(office: Office) -> None:
    """Certificate, rights and blanks; the subject is the server's to say, whatever the request wishes."""
    applicant = PaperApplicant(subject="ghiaccio/till-1")
    granted = office.enrol(office.add(), applicant)
    certificate = granted.certificate
    assert (granted.identity, granted.store) == (TILL, "north")
    assert common_name_of(certificate) == str(TILL)
    assert certificate.public_key() == applicant.tls.public_key()
    assert life_of(certificate).not_after_ms == NOW_MS + 90 * DAY_MS
    certificate.verify_directly_issued_by(office.authority.certificate)
    assert str(TILL) in office.broker.rights.clients
    assert granted.blanks == (f"{TILL} {NOW_MS}".encode(),)
    found, listed = registers.show_register(office.database, TILL)
    assert found.state == RegisterState.ENROLLED
    assert [row.serial for row in listed] == [serial_text(certificate)]
    [key] = office.rows(select(register_keys))
    assert (key.kid, key.public) == (applicant.signing.kid, applicant.signing.verification_key.public)
    actions = {row.action for row in office.rows(select(audit.c.action))}
    assert actions == {"register.added", "register.enrolled"}


def test_only_a_hash_of_the_code_is_kept(office: Office) -> None:
    """T1: whoever reads the database learns no code."""
    secret = enrolment_code.parse(office.add()).secret
    [row] = office.rows(select(enrolment_codes))
    assert secret not in row.code_hash
    assert secret[enrolment_code.INVITATION_BYTES :] not in row.code_hash


def test_a_code_is_used_once(office: Office) -> None:
    """Another register with the same code gets nothing, and the first one keeps its certificate."""
    code = office.add()
    office.enrol(code)
    with pytest.raises(CodeRefused) as caught:
        office.enrol(code)
    assert caught.value.problem == "code-used"
    assert len(registers.show_register(office.database, TILL)[1]) == 1


def test_of_many_at_once_one_uses_the_code(office: Office) -> None:
    """One atomic statement decides."""
    code, results, gate = office.add(), [], threading.Barrier(8)

    def attempt() -> None:
        applicant = PaperApplicant()
        gate.wait()
        try:
            results.append(office.enrol(code, applicant).identity)
        except CodeRefused as error:
            results.append(error.problem)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["code-used"] * 7 + [str(TILL)]


def test_a_lost_answer_is_given_again_to_the_same_keys(office: Office) -> None:
    """The certificate of the first answer, which nobody got, is worth nothing."""
    code, applicant = office.add(), PaperApplicant()
    first = office.enrol(code, applicant)
    again = office.enrol(code, applicant, NOW_MS + MINUTE_MS)
    assert again.identity == first.identity
    revoked = {row.serial: row.revoked_at_ms for row in registers.show_register(office.database, TILL)[1]}
    assert revoked == {
        serial_text(first.certificate): NOW_MS + MINUTE_MS,
        serial_text(again.certificate): None,
    }
    with pytest.raises(CodeRefused):
        office.enrol(code, applicant, NOW_MS + 16 * MINUTE_MS)


def test_a_code_ends_after_its_time(office: Office) -> None:
    """Fifteen minutes, to the millisecond."""
    code = office.add()
    with pytest.raises(CodeRefused) as caught:
        office.enrol(code, now_ms=NOW_MS + 15 * MINUTE_MS)
    assert caught.value.problem == "code-expired"
    office.enrol(code, now_ms=NOW_MS + 15 * MINUTE_MS - 1)


def test_five_wrong_tries_lock_a_code(office: Office) -> None:
    """Then the right one is refused too; a new code lets the register in."""
    code = office.add()
    for _ in range(5):
        with pytest.raises(CodeRefused) as caught:
            office.enrol(office.wrong_code(code))
        assert caught.value.problem == "code-unknown"
    with pytest.raises(CodeRefused) as caught:
        office.enrol(code)
    assert caught.value.problem == "code-locked"
    assert office.enrol(office.code()).identity == TILL


def test_four_wrong_tries_do_not(office: Office) -> None:
    """Somebody may mistype."""
    code = office.add()
    for _ in range(4):
        with pytest.raises(CodeRefused):
            office.enrol(office.wrong_code(code))
    assert office.enrol(code).identity == TILL


def test_wrong_tries_count_for_their_invitation_alone(office: Office) -> None:
    """Nobody locks another register's code."""
    code, other = office.add(), office.add(Identity("gelato", "till-2"))
    for _ in range(5):
        with pytest.raises(CodeRefused):
            office.enrol(office.wrong_code(code))
    assert office.enrol(other).identity.register == "till-2"


def test_a_new_code_ends_the_one_before(office: Office) -> None:
    """There is one way in at a time."""
    first, second = office.add(), office.code()
    with pytest.raises(CodeRefused) as caught:
        office.enrol(first)
    assert caught.value.problem == "code-unknown"
    assert office.enrol(second).identity == TILL


def test_a_request_that_is_wrong_uses_no_code(office: Office) -> None:
    """A proof that fails leaves the code as it was."""
    code, applicant = office.add(), PaperApplicant()
    body = applicant.enrolment(code)
    body["signing_key"]["proof"] = PaperApplicant().enrolment(code)["signing_key"]["proof"]
    with pytest.raises(BadEnrolmentRequest):
        parse_enrolment(body)
    assert office.enrol(code, applicant).identity == TILL


def test_enrolling_again_ends_what_was_handed_out_before(office: Office) -> None:
    """T20: after expiry, or on a new machine: a new code, new keys; the old key still verifies the past."""
    old, new = PaperApplicant(), PaperApplicant(signing=SigningKey.generate(Algorithm.ES256))
    first = office.enrol(office.add(), old)
    later_ms = NOW_MS + 100 * DAY_MS
    granted = office.enrol(office.code(later_ms), new, later_ms)
    revoked = registers.all_revoked(office.database, NOW_MS)
    assert revoked == [(serial_text(first.certificate), later_ms)]
    assert life_of(granted.certificate).not_after_ms == later_ms + 90 * DAY_MS
    ends = {row.kid: row.valid_until_ms for row in office.rows(select(register_keys))}
    assert ends == {old.signing.kid: later_ms + KEY_OVERLAP_MS, new.signing.kid: None}


def test_a_key_that_ended_never_comes_back(office: Office) -> None:
    """T1: a copied key finds no second life; the code stays good for other keys."""
    old = PaperApplicant()
    office.enrol(office.add(), old)
    office.enrol(office.code())
    code = office.code()
    with pytest.raises(BadEnrolmentRequest, match="ended"):
        office.enrol(code, PaperApplicant(signing=old.signing))
    assert office.enrol(code).identity == TILL


def test_a_register_is_told_its_own_chains_root_of_releases(office: Office) -> None:
    """T7, T9: at the first certificate, and at the next where it was trusted later; never another chain's."""
    present = PaperApplicant()
    with office.database.tenant("ghiaccio") as connection:
        write_root(connection, "ghiaccio", b"root of ghiaccio", NOW_MS)
    granted = office.enrol(office.add(), present)
    assert granted.release_root is None
    with office.database.tenant("gelato") as connection:
        write_root(connection, "gelato", b"root of gelato", NOW_MS)
    following = PaperApplicant(signing=present.signing)
    renewed = office.renew(granted, present, following, NOW_MS + 60 * DAY_MS)
    assert renewed.release_root == b"root of gelato"
    assert office.enrol(office.code()).release_root == b"root of gelato"


def test_a_renewal_gives_the_next_certificate(office: Office) -> None:
    """T20: with a new TLS key and the same signing key; the present one is good until its end."""
    present = PaperApplicant()
    granted = office.enrol(office.add(), present)
    following = PaperApplicant(signing=present.signing)
    later_ms = NOW_MS + 60 * DAY_MS
    renewed = office.renew(granted, present, following, later_ms)
    assert common_name_of(renewed.certificate) == str(TILL)
    assert renewed.certificate.public_key() == following.tls.public_key()
    assert life_of(renewed.certificate).not_after_ms == later_ms + 90 * DAY_MS
    assert renewed.blanks == ()
    assert registers.all_revoked(office.database, later_ms) == []
    assert len(office.rows(select(register_keys))) == 1
    assert office.renew(renewed, following, PaperApplicant(), later_ms + 60 * DAY_MS).identity == TILL


def test_a_renewal_may_bring_a_new_signing_key(office: Office) -> None:
    """The one before ends a day later: what it signed by a clock that is ahead is still on its way."""
    present, following = PaperApplicant(), PaperApplicant()
    granted = office.enrol(office.add(), present)
    office.renew(granted, present, following, NOW_MS + DAY_MS)
    ends = {row.kid: row.valid_until_ms for row in office.rows(select(register_keys))}
    assert ends == {present.signing.kid: NOW_MS + DAY_MS + KEY_OVERLAP_MS, following.signing.kid: None}


def test_a_revoked_register_renews_nothing(office: Office) -> None:
    """T1: its certificate is still young, its key still in a thief's hands."""
    present = PaperApplicant()
    granted = office.enrol(office.add(), present)
    assert registers.revoke_register(office.database, TILL, NOW_MS, actor="test")
    with pytest.raises(RenewalRefused) as caught:
        office.renew(granted, present, PaperApplicant(), NOW_MS)
    assert caught.value.problem == "register-revoked"


def test_a_certificate_that_was_replaced_by_enrolling_again_renews_nothing(office: Office) -> None:
    """T1: the stolen machine's certificate, once its register was enrolled on a new one."""
    present = PaperApplicant()
    granted = office.enrol(office.add(), present)
    office.enrol(office.code())
    with pytest.raises(RenewalRefused) as caught:
        office.renew(granted, present, PaperApplicant(), NOW_MS)
    assert caught.value.problem == "certificate-revoked"


def test_a_revoked_name_is_never_given_again(office: Office) -> None:
    """T1: neither by a code from before, nor by a new one, nor by adding it again."""
    code = office.add()
    assert registers.revoke_register(office.database, TILL, NOW_MS, actor="test")
    assert not registers.revoke_register(office.database, TILL, NOW_MS, actor="test")
    with pytest.raises(CodeRefused):
        office.enrol(code)
    with pytest.raises(RegisterRevoked):
        office.code()
    with pytest.raises(RegisterExists):
        office.add()
    assert registers.all_enrolled(office.database) == []


def test_a_revocation_is_recorded_with_every_certificate(office: Office) -> None:
    """T1: for the list of revoked ones, until they would have expired anyway."""
    granted = office.enrol(office.add())
    registers.revoke_register(office.database, TILL, NOW_MS + 1, actor="operator:ada")
    serial = serial_text(granted.certificate)
    assert registers.all_revoked(office.database, NOW_MS + 2) == [(serial, NOW_MS + 1)]
    assert registers.all_revoked(office.database, NOW_MS + 91 * DAY_MS) == []
    [entry] = office.rows(select(audit).where(audit.c.action == "register.revoked"))
    assert (entry.actor, entry.subject) == ("operator:ada", str(TILL))


def test_a_broker_and_a_vault_that_are_away_keep_nobody_out(office: Office) -> None:
    """Rights come with the next comparison, blanks after the first report."""
    office.broker.away = office.blanks.away = True
    granted = office.enrol(office.add())
    assert granted.blanks == ()
    assert registers.all_enrolled(office.database) == [TILL]


def test_registers_of_chains_that_are_unknown(office: Office) -> None:
    """Clear errors instead of empty lists."""
    with pytest.raises(UnknownTenant):
        office.add(Identity("nobody", "till-1"))
    with pytest.raises(UnknownTenant):
        registers.list_registers(office.database, "nobody")
    with pytest.raises(UnknownRegister):
        office.code()
    with pytest.raises(UnknownRegister):
        registers.revoke_register(office.database, TILL, NOW_MS, actor="test")


def test_the_newest_certificate_of_each_register_is_watched(office: Office) -> None:
    """T20: of revoked registers none."""
    office.enrol(office.add())
    office.enrol(office.add(Identity("gelato", "till-2")))
    registers.revoke_register(office.database, TILL, NOW_MS, actor="test")
    with office.database.tenant("gelato", read_only=True) as connection:
        found = register_rows.newest_certificates(connection, "gelato")
    assert [(name, life.not_after_ms) for name, life in found] == [("till-2", NOW_MS + 90 * DAY_MS)]


def test_a_code_of_a_tenant_begins_with_its_hint() -> None:
    """So a server with many chains looks at one."""
    made = code_rows.make_secret("gelato", bytes(code_rows.RANDOM_BYTES))
    assert made.startswith(code_rows.tenant_hint("gelato"))
    with pytest.raises(ValueError, match="random bytes"):
        code_rows.make_secret("gelato", b"few")
