"""What the desk writes down of everything it does: timeline and audit log, with a reason people can read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from cloud.database.audit_log import write_audit
from cloud.database.timeline import Happened, write_events
from cloud.principal import Principal
from cloud.rollout.errors import NotNow
from cloud.rollout.values import Rollout

REASON_MAX: Final = 300


def happened(
    principal: Principal,
    kind: str,
    found: Rollout,
    reason: str,
    detail: Mapping[str, object] = MappingProxyType({}),
) -> Happened:
    """What an operator did with a rollout, and why; `detail` is the timeline's alone. Raises NotNow."""
    return Happened(principal.name, kind, found.stage, f"{kind}: {reason_of(reason)}", detail)


def note(
    connection: Connection, principal: Principal, rollout: bytes, happened: Happened, now_ms: int
) -> None:
    """Timeline and audit log, within the transaction of what they tell."""
    write_events(connection, principal.tenant, rollout, now_ms, [happened])
    write_audit(
        connection,
        principal.tenant,
        now_ms,
        actor=f"operator:{principal.name}",
        action=f"rollout.{happened.kind}",
        subject=rollout.hex(),
        detail={"words": happened.words, "operator": principal.operator.hex()},
    )


def audit(
    connection: Connection, principal: Principal, action: str, detail: Mapping[str, object], now_ms: int
) -> None:
    """What an operator did for the whole chain."""
    write_audit(
        connection,
        principal.tenant,
        now_ms,
        actor=f"operator:{principal.name}",
        action=action,
        subject=principal.tenant,
        detail={**detail, "operator": principal.operator.hex()},
    )


def reason_of(text: str) -> str:
    """A reason as it is kept: one line. Raises NotNow where there is none that people can read."""
    words = " ".join(text.split())
    need(bool(words), "a reason is missing", "Say why, in a few words; the timeline shows it.")
    need(
        len(words) <= REASON_MAX and words.isprintable(),
        f"the reason is longer than {REASON_MAX} characters, or holds what cannot be printed",
    )
    return words


def need(good: bool, words: str, remedy: str = "") -> None:  # noqa: FBT001 - reads like an assertion
    """Raise NotNow with these words unless it is good."""
    if not good:
        raise NotNow(words, remedy=remedy)
