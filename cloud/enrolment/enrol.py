"""Letting a register in, and giving it its next certificate; each a page, each step in its order."""

import logging
from dataclasses import dataclass, replace

from cryptography import x509
from sqlalchemy import Connection

from cloud.broker.ports import BrokerRights
from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.tenancy import ServiceKey, read_service_keys, trusted_root
from cloud.enrolment import code_rows, register_rows
from cloud.enrolment.certificates import Authority, client_certificate, life_of, serial_text
from cloud.enrolment.code_rows import CodeState, Presented
from cloud.enrolment.errors import BadEnrolmentRequest, CodeRefused, RenewalRefused
from cloud.enrolment.ports import FirstBlanks
from cloud.enrolment.request import Applicant, EnrolmentRequest, RenewalRequest
from cloud.service_keys import FOR_REGISTERS
from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError
from wire_protocol.topics import Identity

log = logging.getLogger(__name__)

_REFUSALS = {
    CodeState.UNKNOWN: "the code is unknown, or wrong codes were tried too often",
    CodeState.EXPIRED: "the code's time is over",
    CodeState.USED: "the code was used before",
    CodeState.LOCKED: "the code is locked: wrong codes were tried too often",
}


@dataclass(frozen=True, slots=True)
class Granted:
    """What a register gets.

    Attributes:
        blanks: Signed; empty at a renewal.
        release_root: The chain's trusted root of releases; None where no root is trusted yet.
    """

    identity: Identity
    store: str
    certificate: x509.Certificate
    anchors: tuple[ServiceKey, ...]
    blanks: tuple[bytes, ...]
    release_root: bytes | None


class EnrolmentOffice:
    """Decides who gets a certificate; may be used by several threads at once.

    Args:
        database: Of the cloud.
        authority: Of registers.
        broker: Gets the rights of who is let in.
        blanks: For who is let in.
        certificate_days: Life of a certificate.
    """

    def __init__(
        self,
        database: Database,
        authority: Authority,
        broker: BrokerRights,
        blanks: FirstBlanks,
        *,
        certificate_days: int,
    ) -> None:
        self._database = database
        self._authority = authority
        self._broker = broker
        self._blanks = blanks
        self._days = certificate_days

    def enrol(self, request: EnrolmentRequest, now_ms: int) -> Granted:
        """Let in who holds a good code.

        Raises:
            CodeRefused: It is none.
            DatabaseAway: The code was not used.
        """
        hint = request.code.secret[: code_rows.HINT_BYTES]
        state = CodeState.UNKNOWN
        for tenant in self._database.tenants():
            if code_rows.tenant_hint(tenant) != hint:
                continue
            # Code, key and certificate are one transaction: a code is used when what it bought is kept.
            with self._database.tenant(tenant) as connection:
                presented = code_rows.present_code(connection, tenant, request.code, now_ms)
                granted = self._accept(connection, tenant, presented, request.applicant, now_ms)
            if granted is not None:
                return self._with_blanks(granted, now_ms)
            state = presented.state if presented.state is not CodeState.UNKNOWN else state
        log.warning("enrolment.refused", extra=fields(problem=str(state), invitation=request.code.invitation))
        raise CodeRefused(str(state), _REFUSALS[state])

    def renew(self, request: RenewalRequest, now_ms: int) -> Granted:
        """The next certificate; the present one stays good until its end, should this answer be lost.

        Raises:
            RenewalRefused: The register or its certificate was revoked, or is unknown.
            BadEnrolmentRequest: The signing key is one that ended.
            DatabaseAway: Nothing was changed.
        """
        identity = request.identity
        with self._database.tenant(identity.tenant) as connection:
            register = register_rows.find_register(connection, identity)
            problem = _why_not(connection, register, serial_text(request.certificate))
            if problem is None and register is not None:
                granted = self._certify(connection, identity, register.store, request.applicant, now_ms)
                _audit(connection, "register.renewed", granted, request.applicant, now_ms)
                log.info("register.renewed", extra=_log_fields(granted))
                return granted
        log.warning("renewal.refused", extra=fields(problem=problem, register=str(identity)))
        raise RenewalRefused(problem or "register-revoked", "this certificate, or its register, was revoked")

    def _accept(
        self, connection: Connection, tenant: str, presented: Presented, applicant: Applicant, now_ms: int
    ) -> Granted | None:
        if presented.register is None:
            return None
        identity = Identity(tenant, presented.register)
        if presented.state is CodeState.USED:
            if not _is_repeated(connection, identity, presented, applicant):
                return None
        elif presented.state is not CodeState.ACCEPTED:
            return None
        used_at_ms = presented.used_at_ms or now_ms
        store = register_rows.mark_enrolled(connection, identity, used_at_ms)
        if store is None:  # revoked at this very moment; the code stays as it was
            raise CodeRefused(str(CodeState.UNKNOWN), _REFUSALS[CodeState.UNKNOWN])
        # A code is for a till that is new or made anew: what was handed out before is worth nothing now.
        register_rows.revoke_certificates(connection, identity, now_ms)
        granted = self._certify(connection, identity, store, applicant, now_ms)
        _audit(connection, "register.enrolled", granted, applicant, now_ms)
        return granted

    def _certify(
        self, connection: Connection, identity: Identity, store: str, applicant: Applicant, now_ms: int
    ) -> Granted:
        key = applicant.signing
        if register_rows.current_key(connection, identity) != key.kid:
            if register_rows.knows_key(connection, identity, key.kid):
                raise BadEnrolmentRequest("the signing key is one that ended", remedy="Make a new one.")
            register_rows.replace_signing_key(connection, identity, key, now_ms)
        made = client_certificate(self._authority, str(identity), applicant.tls, now_ms, self._days)
        register_rows.add_certificate(connection, identity, serial_text(made), life_of(made))
        anchors = tuple(
            key for key in read_service_keys(connection, identity.tenant) if key.purpose in FOR_REGISTERS
        )
        return Granted(identity, store, made, anchors, (), trusted_root(connection, identity.tenant))

    def _with_blanks(self, granted: Granted, now_ms: int) -> Granted:
        """Rights and blanks; without them the register is let in all the same, and gets them later."""
        identity = granted.identity
        log.info("register.enrolled", extra=_log_fields(granted))
        try:
            self._broker.admit(identity)
        except TopscoopError as error:
            log.warning("rights.delayed", extra=fields(register=str(identity), error=str(error)))
        try:
            blanks = tuple(self._blanks.issue(identity, now_ms))
        except TopscoopError as error:
            log.warning("blanks.delayed", extra=fields(register=str(identity), error=str(error)))
            blanks = ()
        return replace(granted, blanks=blanks)


def _is_repeated(
    connection: Connection, identity: Identity, presented: Presented, applicant: Applicant
) -> bool:
    """Whether who used this code asks again, because the answer was lost: same register, same signing key."""
    register = register_rows.find_register(connection, identity)
    return (
        register is not None
        and register.enrolled_at_ms == presented.used_at_ms
        and register_rows.current_key(connection, identity) == applicant.signing.kid
    )


def _why_not(connection: Connection, register: register_rows.Register | None, serial: str) -> str | None:
    if register is None or register.state != register_rows.RegisterState.ENROLLED:
        return "register-revoked"
    known = {row.serial: row for row in register_rows.list_certificates(connection, register.identity)}
    if serial not in known:
        return "certificate-foreign"
    return "certificate-revoked" if known[serial].revoked_at_ms is not None else None


def _audit(connection: Connection, action: str, granted: Granted, applicant: Applicant, now_ms: int) -> None:
    identity = granted.identity
    write_audit(
        connection,
        identity.tenant,
        now_ms,
        actor=f"register:{identity.register}",
        action=action,
        subject=str(identity),
        detail={
            "serial": serial_text(granted.certificate),
            "kid": applicant.signing.kid.hex(),
            "agent_version": applicant.agent_version,
        },
    )


def _log_fields(granted: Granted) -> dict[str, object]:
    return fields(register=str(granted.identity), serial=serial_text(granted.certificate))
