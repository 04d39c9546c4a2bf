"""What operators do with rollouts, from the console and the command line.

Each method is one transaction: it asks for the role, changes what it changes, and writes timeline and audit.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection

from cloud.database.engine import Database
from cloud.database.timeline import Happened
from cloud.principal import Principal, Role
from cloud.rollout import desk_rows, rows
from cloud.rollout.decide import waits_for
from cloud.rollout.desk_checks import (
    check_newest,
    check_policy,
    check_release,
    chosen_members,
    conflicts_with,
    found_rollout,
    preview_of,
)
from cloud.rollout.desk_notes import audit, happened, need, note, reason_of
from cloud.rollout.errors import (
    RolloutConflict,
    SecondPersonNeeded,
)
from cloud.rollout.figures import stage_figures
from cloud.rollout.gates import count, judge
from cloud.rollout.plan_values import plan_from, plan_to
from cloud.rollout.states import Event, after
from cloud.rollout.values import (
    Outcome,
    Plan,
    Policy,
    Rollout,
    State,
    Surroundings,
)
from cloud.rollout.views import (
    Preview,
    RolloutSummary,
    RolloutView,
    stages_of,
    summary_of,
)
from cloud.rollout.windows import needs_clock
from cloud.rollout.words import many

TIMELINE_MAX: Final = 500


class Desk:
    """Where operators are served; the console's pages and `topscoop rollout` call it and nothing else.

    Args:
        database: The cloud's.
        clock: Milliseconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    # ---- looking ------------------------------------------------------------------------------------------

    def preview(self, principal: Principal, release: int, plan: Plan) -> Preview:
        """What the plan would do, if it were started now; changes nothing.

        Raises:
            NotAllowed: Less than an operator.
            UnknownRelease: Not listed, withdrawn or below the floor.
            PlanError: A group or a store that nobody knows.
        """
        principal.require(Role.OPERATOR)
        with self._database.tenant(principal.tenant, read_only=True) as connection:
            return preview_of(connection, principal.tenant, release, plan, self._clock())

    def rollouts(self, principal: Principal, limit: int = 200) -> tuple[RolloutSummary, ...]:
        """The chain's rollouts, newest first. Raises NotAllowed."""
        principal.require(Role.VIEWER)
        tenant = principal.tenant
        with self._database.tenant(tenant, read_only=True) as connection:
            found = rows.read_rollouts(connection, tenant, limit=limit)
            counts = desk_rows.read_counts(connection, tenant, [one.rollout for one in found])
            names = desk_rows.read_release_names(connection, tenant)
        return tuple(summary_of(one, names[one.release], counts.get(one.rollout, {})) for one in found)

    def rollout(self, principal: Principal, rollout: bytes) -> RolloutView:
        """All of one rollout.

        Raises:
            NotAllowed: No viewer.
            UnknownRollout: Not in this chain.
        """
        principal.require(Role.VIEWER)
        tenant, now_ms = principal.tenant, self._clock()
        with self._database.tenant(tenant, read_only=True) as connection:
            found = found_rollout(connection, tenant, rollout)
            members, evidence = rows.read_members(connection, tenant, rollout)
            timeline = desk_rows.read_timeline(connection, tenant, rollout, TIMELINE_MAX)
            spoken = desk_rows.read_verdicts(connection, tenant, rollout)
            policy = rows.read_policy(connection, tenant)
            may_run = rows.read_may_run(connection, tenant)
            clocks = rows.read_clocks(connection, tenant, now_ms) if needs_clock(found.plan) else {}
            name, version = desk_rows.read_release_names(connection, tenant)[found.release]
            planner = desk_rows.read_planner(connection, tenant, rollout)
        gates = spoken
        if found.state in {State.RUNNING, State.PAUSED}:
            gates = judge(found, count(found, members, evidence))
        around = Surroundings(now_ms, may_run, policy, clocks)
        return RolloutView(
            rollout=found,
            name=name,
            version=version,
            stages=stages_of(found, members),
            members=tuple(members),
            gates=gates,
            waiting=waits_for(found, members, evidence, around, gates),
            timeline=tuple(timeline),
            policy=policy,
            planner=planner,
        )

    def policy(self, principal: Principal) -> Policy:
        """What the chain wants of every rollout. Raises NotAllowed."""
        principal.require(Role.VIEWER)
        with self._database.tenant(principal.tenant, read_only=True) as connection:
            return rows.read_policy(connection, principal.tenant)

    # ---- one rollout --------------------------------------------------------------------------------------

    def plan(self, principal: Principal, release: int, plan: Plan) -> bytes:
        """Keep a plan as a draft; returns the rollout's id.

        Raises:
            NotAllowed, UnknownRelease, PlanError: As `preview`.
        """
        principal.require(Role.OPERATOR)
        tenant, now_ms = principal.tenant, self._clock()
        with self._database.tenant(tenant) as connection:
            preview = preview_of(connection, tenant, release, plan_from(plan_to(plan)), now_ms)
            rollout = desk_rows.add_rollout(
                connection, tenant, release, plan, now_ms, created_by=principal.name
            )
            detail = {"operator": principal.operator.hex()}
            words = f"planned release {release}: {preview.words}"
            note(
                connection, principal, rollout, Happened(principal.name, "planned", 0, words, detail), now_ms
            )
        return rollout

    def approve(self, principal: Principal, rollout: bytes, reason: str) -> None:
        """A second person agrees with a draft.

        Raises:
            NotAllowed: Less than an operator.
            SecondPersonNeeded: Who planned it cannot approve it.
            NotNow: It is no draft any more.
        """
        with self._change(principal, rollout) as (connection, found, now_ms):
            need(found.state is State.DRAFT, f"it is {found.state}; only a draft is approved")
            # By id: two people may have one name. A planner whom nothing names could be anybody.
            if desk_rows.read_planner(connection, principal.tenant, rollout) in {
                None,
                principal.operator.hex(),
            }:
                raise SecondPersonNeeded(
                    f"{principal.name} planned this rollout and cannot approve it, too",
                    remedy="Ask another operator of your chain.",
                )
            desk_rows.change_rollout(connection, found, approved_by=principal.name)
            note(connection, principal, rollout, happened(principal, "approved", found, reason), now_ms)

    def start(self, principal: Principal, rollout: bytes, reason: str = "") -> None:
        """Begin: its registers are chosen, and the controller tells the first stage.

        Raises:
            NotAllowed: Less than an operator.
            UnknownRelease: It may not run any more.
            RolloutConflict: Another rollout holds registers that this one wants.
            SecondPersonNeeded: The chain wants an approval, and there is none.
            NotNow: It is no draft, the chain is frozen or stopped, or no register would be reached.
        """
        tenant = principal.tenant
        with self._change(principal, rollout, lock=True) as (connection, found, now_ms):
            state = after(found.state, Event.START)
            check_release(connection, tenant, found.release)
            check_policy(rows.read_policy(connection, tenant), found)
            members = chosen_members(connection, tenant, found.release, found.plan)
            need(bool(members), "it would reach no register", "Enrol registers, or widen the plan.")
            conflicts = conflicts_with(connection, tenant, members, but=rollout)
            if conflicts:
                raise RolloutConflict(
                    f"rollout {rollout.hex()} of release {found.release} wants registers that another one"
                    f" holds: {'; '.join(one.words for one in conflicts)}",
                    remedy="Wait until that one is done, or return it; or leave its stores out of the plan.",
                )
            names = [member.register for member in members]
            baseline, previous = desk_rows.read_baseline(connection, tenant, names, found.release)
            desk_rows.change_rollout(
                connection,
                found,
                state=state.value,
                started_at_ms=now_ms,
                stage_at_ms=now_ms,
                baseline=baseline,
                previous=previous,
            )
            desk_rows.add_members(connection, found, members, now_ms)
            words = f"started with {many(len(members), 'register')}" + (
                f": {reason_of(reason)}" if reason else ""
            )
            note(connection, principal, rollout, Happened(principal.name, "started", 0, words), now_ms)

    def promote(self, principal: Principal, rollout: bytes, reason: str) -> None:
        """Move on to the next stage by a person's word, although gates still wait; never past one that fails.

        Raises:
            NotAllowed: Less than an operator.
            NotNow: It does not run, the chain is frozen or stopped, or a gate fails.
        """
        tenant = principal.tenant
        with self._change(principal, rollout, lock=True) as (connection, found, now_ms):
            after(found.state, Event.PROMOTE)
            policy = rows.read_policy(connection, tenant)
            need(policy.stopped is None, f"the chain is stopped by {policy.stopped}")
            need(policy.frozen is None, f"the chain is frozen by {policy.frozen}")
            members, evidence = rows.read_members(connection, tenant, rollout)
            gates = judge(found, count(found, members, evidence))
            failing = [gate.words for gate in gates if gate.outcome is Outcome.FAIL]
            need(not failing, f"a gate fails: {'; '.join(failing)}", "It returns by itself.")
            last = found.stage + 1 == len(found.plan.stages)
            state = after(found.state, Event.COMPLETE) if last else found.state
            values: dict[str, object] = {"stage_at_ms": now_ms, "state": state.value}
            values |= {"ended_at_ms": now_ms} if last else {"stage": found.stage + 1}
            desk_rows.change_rollout(connection, found, **values)
            detail = desk_rows.evidence_to(gates, stage_figures(found, members, evidence))
            entry = happened(principal, "promoted", found, reason, detail)
            note(connection, principal, rollout, entry, now_ms)

    def pause(self, principal: Principal, rollout: bytes, reason: str) -> None:
        """Tell nobody else for now; what fails returns all the same. Raises NotAllowed, NotNow."""
        self._to(principal, rollout, Event.PAUSE, "paused", reason)

    def resume(self, principal: Principal, rollout: bytes, reason: str) -> None:
        """Go on; nothing else ends a pause. Raises NotAllowed, NotNow."""
        self._to(principal, rollout, Event.RESUME, "resumed", reason)

    def return_(self, principal: Principal, rollout: bytes, reason: str) -> None:
        """Bring every register that was told back to the release that it ran before; a draft is given up.

        Raises:
            NotAllowed: Less than an operator.
            NotNow: It returns or returned already.
            RolloutConflict: It was done, and a later rollout holds its registers.
        """
        with self._change(principal, rollout, lock=True) as (connection, found, now_ms):
            state = after(found.state, Event.RETURN)
            if found.state is State.DONE:
                check_newest(connection, found)
            ended = {"ended_at_ms": now_ms if state is State.RETURNED else None}
            desk_rows.change_rollout(
                connection, found, state=state.value, reason=reason_of(reason), stage_at_ms=now_ms, **ended
            )
            entry = happened(principal, "return", found, reason, _evidence(connection, found))
            note(connection, principal, rollout, entry, now_ms)

    # ---- the chain ----------------------------------------------------------------------------------------

    def freeze(self, principal: Principal, reason: str) -> None:
        """Tell no register anything new, in every rollout; returning goes on. Raises NotAllowed, NotNow."""
        self._policy(principal, "frozen", reason)

    def unfreeze(self, principal: Principal, reason: str) -> None:
        """End a freeze. Raises NotAllowed, NotNow."""
        self._policy(principal, "frozen", reason, end=True)

    def stop(self, principal: Principal, reason: str) -> None:
        """The emergency stop: every running rollout returns, none starts. Raises NotAllowed, NotNow."""
        self._policy(principal, "stopped", reason)

    def unstop(self, principal: Principal, reason: str) -> None:
        """End an emergency stop; what returned stays returned. Raises NotAllowed, NotNow."""
        self._policy(principal, "stopped", reason, end=True)

    def require_approval(self, principal: Principal, *, wanted: bool) -> None:
        """Whether every rollout of the chain needs a second person. Raises NotAllowed."""
        principal.require(Role.ADMIN)
        with self._database.tenant(principal.tenant) as connection:
            desk_rows.lock_policy(connection, principal.tenant)
            desk_rows.change_policy(connection, principal.tenant, approval=wanted)
            audit(connection, principal, "rollouts.approval", {"wanted": wanted}, self._clock())

    # ---- inside -------------------------------------------------------------------------------------------

    def _to(self, principal: Principal, rollout: bytes, event: Event, kind: str, reason: str) -> None:
        with self._change(principal, rollout) as (connection, found, now_ms):
            state = after(found.state, event)
            desk_rows.change_rollout(connection, found, state=state.value, reason=reason_of(reason))
            note(connection, principal, rollout, happened(principal, kind, found, reason), now_ms)

    def _policy(self, principal: Principal, what: str, reason: str, *, end: bool = False) -> None:
        principal.require(Role.ADMIN)
        tenant, now_ms, words = principal.tenant, self._clock(), reason_of(reason)
        with self._database.tenant(tenant) as connection:
            desk_rows.lock_policy(connection, tenant)
            present = getattr(rows.read_policy(connection, tenant), what)
            need(end or present is None, f"the chain is {what} already, by {present}")
            need(not end or present is not None, f"the chain is not {what}")
            values: Mapping[str, object] = {
                f"{what}_at_ms": None if end else now_ms,
                f"{what}_by": None if end else principal.name[:200],
                f"{what}_reason": None if end else words,
            }
            desk_rows.change_policy(connection, tenant, **values)
            action = f"rollouts.{'un' if end else ''}{what}"
            audit(connection, principal, action, {"reason": words}, now_ms)

    @contextmanager
    def _change(
        self, principal: Principal, rollout: bytes, *, lock: bool = False
    ) -> Iterator[tuple[Connection, Rollout, int]]:
        principal.require(Role.OPERATOR)
        with self._database.tenant(principal.tenant) as connection:
            if lock:
                desk_rows.lock_policy(connection, principal.tenant)
            yield connection, found_rollout(connection, principal.tenant, rollout), self._clock()


def _evidence(connection: Connection, found: Rollout) -> Mapping[str, object]:
    """What a person's return ends, as its registers report it at that moment; of a draft nothing."""
    if found.state is State.DRAFT:
        return {}
    members, evidence = rows.read_members(connection, found.tenant, found.rollout)
    figures = stage_figures(found, members, evidence)
    # One that is done is judged no more; what its gates said last stands further down in the timeline.
    if found.state is State.DONE:
        return {"stages": desk_rows.evidence_to((), figures)["stages"]}
    return desk_rows.evidence_to(judge(found, count(found, members, evidence)), figures)
