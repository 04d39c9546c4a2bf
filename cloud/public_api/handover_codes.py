"""Whether a register's code may be answered, and what its page says: rules over values. Pure."""

from enum import StrEnum
from typing import Final

from cloud.privacy.handover_values import GivenState
from cloud.public_api.adapters.handovers import CodeRegister, Given
from cloud.public_api.problems import problem
from wire_protocol import handover
from wire_protocol.errors import RefusedMessage
from wire_protocol.handover import Handover, UnverifiedCode
from wire_protocol.notices import Notice

CLOCK_AHEAD_MS: Final = 120_000
"""A register's clock may be wrong by so much; a code from further ahead would live too long."""


class CodeState(StrEnum):
    """What a code's page shows."""

    OPEN = "open"  # nobody has answered
    REFUSED = "refused"  # the answer was no: nothing is written down
    GIVEN = "given"  # yes; the register hears of it in a moment
    SENT = "sent"  # yes; the register was told
    KEPT = "kept"  # the register sealed its picture, and the consent is here
    OVER = "over"  # nothing was kept: the code's time was over
    WITHDRAWN = "withdrawn"  # taken back


def read_code(code: str) -> UnverifiedCode:
    """A code's form. Raises Problem `not-found`: it is none."""
    try:
        return handover.parse_code(code)
    except RefusedMessage as error:
        raise problem("not-found", "this is no code of a register") from error


def verified(unverified: UnverifiedCode, tenant: str, register: CodeRegister | None) -> Handover:
    """What a code says, if an active register of this chain made it.

    Raises:
        Problem: `not-found`; the same whatever is wrong with it.
    """
    if register is None:
        raise problem("not-found", "this is no code of a register")
    try:
        return handover.verify_code(unverified, tenant, register.keys).handover
    except RefusedMessage as error:
        raise problem("not-found", "this is no code of a register") from error


def check_time(said: Handover, now_ms: int) -> None:
    """Whether a code can still be answered. Raises Problem `handover-over`."""
    if now_ms >= said.expires_at_ms:
        raise problem("handover-over", "the code's time is over: the register has forgotten the picture")
    if said.issued_at_ms > now_ms + CLOCK_AHEAD_MS:
        raise problem("handover-over", "the register's clock is wrong: its codes cannot be answered")


def state_of(given: Given, now_ms: int) -> CodeState:
    """Where a yes is."""
    if given.state is GivenState.WITHDRAWN:
        return CodeState.WITHDRAWN
    if given.kept:
        return CodeState.KEPT
    if now_ms >= given.expires_at_ms:
        return CodeState.OVER
    return CodeState.SENT if given.state is GivenState.SENT else CodeState.GIVEN


def agreed_notice(register: CodeRegister, language: str, sha256: bytes, purposes: list[str]) -> Notice:
    """The notice that somebody says yes to: one that this register shows.

    Raises:
        Problem: `notice-unknown`.
    """
    for notice in register.notices:
        if notice.language == language.lower() and notice.sha256 == sha256:
            if purposes and {*purposes} <= {*notice.purposes} and len({*purposes}) == len(purposes):
                return notice
            raise problem("notice-unknown", "the notice names other purposes")
    raise problem("notice-unknown", "the register shows another text")
