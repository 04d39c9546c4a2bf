"""What a decision changes, as statements within a tenant's transaction: by sets of registers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.audit_log import write_audit
from cloud.database.schema import desired_states, rollout_members
from cloud.database.timeline import CONTROLLER, Happened, write_events
from cloud.rollout.desk_rows import add_members, change_rollout, evidence_to
from cloud.rollout.outbox import BELIEVED
from cloud.rollout.values import (
    Action,
    Evidence,
    Mark,
    Member,
    MemberState,
    Move,
    Rollout,
    Shadow,
    State,
    Tell,
)
from cloud.rollout.words import many

_CHUNK: Final = 500
_TOLD_OF: Final = 20
"""Registers that failed, of which one decision tells in the timeline; the members' list has all."""
_ENDED: Final = frozenset({State.DONE, State.RETURNED})


@dataclass(frozen=True, slots=True)
class Decided:
    """What shall become of one rollout; nothing of it is written yet.

    Attributes:
        rollout: As it was read.
        actions: Of `decide`.
        joined: Registers that were enrolled since the start.
        evidence: As it was decided on.
    """

    rollout: Rollout
    actions: Sequence[Action]
    joined: Sequence[Member]
    evidence: Mapping[str, Evidence]


def write_decision(connection: Connection, decided: Decided, digests: Mapping[int, str], now_ms: int) -> None:
    """Everything that a decision says: rollout, orders, members, timeline.

    Args:
        connection: Of the tenant.
        decided: On what was read before.
        digests: Release -> its network's.
        now_ms: Now.

    Raises:
        RolloutChanged: Somebody changed it since; roll back.
    """
    rollout, actions = decided.rollout, decided.actions
    moves = [action for action in actions if isinstance(action, Move)]
    change_rollout(connection, rollout, **_moved(moves, now_ms))
    _write_orders(connection, decided, digests, now_ms)
    _write_marks(connection, rollout, actions, now_ms)
    _write_timeline(connection, rollout, actions, moves, now_ms)


def write_joined(connection: Connection, rollout: Rollout, joined: Sequence[Member], now_ms: int) -> None:
    """Registers that were enrolled since the start. Raises RolloutChanged."""
    change_rollout(connection, rollout)
    add_members(connection, rollout, joined, now_ms)
    some = ", ".join(member.register for member in joined[:3]) + (", …" if len(joined) > 3 else "")
    happened = Happened(CONTROLLER, "joined", rollout.stage, f"{len(joined)} joined: {some}")
    write_events(connection, rollout.tenant, rollout.rollout, now_ms, [happened])


def _moved(moves: Sequence[Move], now_ms: int) -> dict[str, object]:
    values: dict[str, object] = {}
    for move in moves:
        values |= {"state": move.state.value, "stage": move.stage, "stage_at_ms": now_ms}
        if move.kind == "failed":
            values["reason"] = move.words[:500]
        if move.state in _ENDED:
            values["ended_at_ms"] = now_ms
    return values


# ---- orders -----------------------------------------------------------------------------------------------


def _write_orders(connection: Connection, decided: Decided, digests: Mapping[int, str], now_ms: int) -> None:
    """The outbox: newer than what the register knows, also after a backup was restored."""
    rollout, evidence = decided.rollout, decided.evidence
    common = {
        "tenant": rollout.tenant,
        "rollout": rollout.rollout,
        "set_at_ms": now_ms,
        "published_generation": 0,
    }
    told, shadowed = [], []
    for action in decided.actions:
        if isinstance(action, Tell):
            known = _known(evidence, action.register)
            release = action.release
            digest = None if release is None else digests[release]
            told.append(
                {
                    **common,
                    "register": action.register,
                    "generation": known,
                    "release": release,
                    "digest": digest,
                    "settings": {},
                }
            )
        elif isinstance(action, Shadow):
            known = _known(evidence, action.register)
            settings = {"shadow": rollout.release}
            shadowed.append(
                {**common, "register": action.register, "generation": known, "settings": settings}
            )
    for some in _pieces(told):
        _upsert(connection, some, ("release", "digest", "settings", "rollout", "set_at_ms"))
    for some in _pieces(shadowed):  # release and digest stay
        _upsert(connection, some, ("settings", "rollout", "set_at_ms"))


def _known(evidence: Mapping[str, Evidence], register: str) -> int:
    said = evidence.get(register)
    return 1 if said is None or said.generation >= BELIEVED else said.generation + 1


def _upsert(connection: Connection, rows: Sequence[Mapping[str, Any]], changed: Sequence[str]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(desired_states).values(list(rows))
    present, new = desired_states.c.generation, statement.excluded.generation
    ahead = new > present
    values: dict[str, Any] = {name: statement.excluded[name] for name in changed}
    values["generation"] = case((ahead, new), else_=present + 1)
    key = [desired_states.c.tenant, desired_states.c.register]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


# ---- members ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Change:
    """What is written for a set of members alike."""

    state: MemberState
    reason: str | None
    previous: int | None
    told: bool
    ordered: bool


def _write_marks(connection: Connection, rollout: Rollout, actions: Sequence[Action], now_ms: int) -> None:
    ordered = {action.register for action in actions if isinstance(action, Tell | Shadow)}
    last = {action.register: action for action in actions if isinstance(action, Mark)}
    alike: dict[_Change, list[str]] = {}
    for register, mark in last.items():
        change = _Change(mark.state, mark.reason, mark.previous, mark.told, register in ordered)
        alike.setdefault(change, []).append(register)
    member = rollout_members.c
    for change, registers in alike.items():
        values: dict[str, Any] = {
            "state": change.state.value,
            "reason": change.reason,
            "changed_at_ms": now_ms,
        }
        if change.told:
            values |= {"told_at_ms": now_ms, "previous": change.previous}
        if change.ordered:
            values["generation"] = (
                select(desired_states.c.generation)
                .where(desired_states.c.tenant == member.tenant, desired_states.c.register == member.register)
                .scalar_subquery()
            )
        for some in _pieces(registers):
            connection.execute(
                update(rollout_members)
                .where(
                    member.tenant == rollout.tenant,
                    member.rollout == rollout.rollout,
                    member.register.in_(some),
                )
                .values(values)
            )


# ---- timeline ---------------------------------------------------------------------------------------------


def _write_timeline(
    connection: Connection,
    rollout: Rollout,
    actions: Sequence[Action],
    moves: Sequence[Move],
    now_ms: int,
) -> None:
    failed = [mark for mark in actions if isinstance(mark, Mark) and mark.state is MemberState.FAILED]
    told = sum(isinstance(action, Mark) and action.told for action in actions)
    shadows = sum(isinstance(action, Shadow) for action in actions)
    back = sum(isinstance(action, Mark) and action.state is MemberState.RETURNING for action in actions)
    happened = [
        Happened(CONTROLLER, "register-failed", rollout.stage, f"{mark.register} {mark.reason}")
        for mark in failed[:_TOLD_OF]
    ]
    for move in moves:
        # A return that ended has nothing new to tell: whoever was stopped runs something else by now.
        detail = {} if move.kind == "returned" else evidence_to(move.gates, move.figures)
        happened.append(Happened(CONTROLLER, move.kind, move.stage, move.words, detail))
        write_audit(
            connection,
            rollout.tenant,
            now_ms,
            actor=CONTROLLER,
            action=f"rollout.{move.kind}",
            subject=rollout.rollout.hex(),
            detail={"words": move.words[:500], "state": move.state.value},
        )
    happened += [
        Happened(CONTROLLER, "told", rollout.stage, f"{many(number, 'register')} {words}")
        for number, words in (
            (told, "told the release"),
            (shadows, "told to run it as a shadow"),
            (back, "told to go back"),
        )
        if number
    ]
    write_events(connection, rollout.tenant, rollout.rollout, now_ms, happened)


def _pieces(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _CHUNK):
        yield list(items[start : start + _CHUNK])
