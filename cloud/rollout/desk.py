"""What operators do with rollouts, from the console and the command line.

Each method is one transaction: it asks for the role, changes what it changes, and writes timeline and audit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.timeline import Happened, write_events
from cloud.principal import Principal, Role
from cloud.rollout import desk_rows, rows
from cloud.rollout.decide import waits_for
from cloud.rollout.errors import (
    NotNow,
    PlanError,
    RolloutConflict,
    SecondPersonNeeded,
    UnknownRelease,
    UnknownRollout,
)
from cloud.rollout.gates import count, judge
from cloud.rollout.membership import covered, members_of
from cloud.rollout.plan_values import plan_from, plan_to
from cloud.rollout.states import Event, after
from cloud.rollout.values import (
    Member,
    MemberState,
    Outcome,
    Plan,
    Policy,
    Rollout,
    State,
    Surroundings,
)
from cloud.rollout.views import (
    Conflict,
    Preview,
    RolloutSummary,
    RolloutView,
    StagePreview,
    StageView,
)
from cloud.rollout.windows import needs_clock
from cloud.rollout.words import many

REASON_MAX: Final = 300
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
            return _preview(connection, principal.tenant, release, plan, self._clock())

    def rollouts(self, principal: Principal, limit: int = 200) -> tuple[RolloutSummary, ...]:
        """The chain's rollouts, newest first. Raises NotAllowed."""
        principal.require(Role.VIEWER)
        tenant = principal.tenant
        with self._database.tenant(tenant, read_only=True) as connection:
            found = rows.read_rollouts(connection, tenant, limit=limit)
            counts = desk_rows.read_counts(connection, tenant, [one.rollout for one in found])
            names = desk_rows.read_release_names(connection, tenant)
        return tuple(_summary(one, names[one.release], counts.get(one.rollout, {})) for one in found)

    def rollout(self, principal: Principal, rollout: bytes) -> RolloutView:
        """All of one rollout.

        Raises:
            NotAllowed: No viewer.
            UnknownRollout: Not in this chain.
        """
        principal.require(Role.VIEWER)
        tenant, now_ms = principal.tenant, self._clock()
        with self._database.tenant(tenant, read_only=True) as connection:
            found = _read(connection, tenant, rollout)
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
            stages=_stages(found, members),
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
            preview = _preview(connection, tenant, release, plan_from(plan_to(plan)), now_ms)
            rollout = desk_rows.add_rollout(
                connection, tenant, release, plan, now_ms, created_by=principal.name
            )
            detail = {"operator": principal.operator.hex()}
            words = f"planned release {release}: {preview.words}"
            _note(
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
            _need(found.state is State.DRAFT, f"it is {found.state}; only a draft is approved")
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
            _note(connection, principal, rollout, _happened(principal, "approved", found, reason), now_ms)

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
            _check_release(connection, tenant, found.release)
            _check_policy(rows.read_policy(connection, tenant), found)
            members = _members(connection, tenant, found.release, found.plan)
            _need(bool(members), "it would reach no register", "Enrol registers, or widen the plan.")
            conflicts = _conflicts(connection, tenant, members, but=rollout)
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
            words = f"started with {len(members)} registers" + (f": {_reason(reason)}" if reason else "")
            _note(connection, principal, rollout, Happened(principal.name, "started", 0, words), now_ms)

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
            _need(policy.stopped is None, f"the chain is stopped by {policy.stopped}")
            _need(policy.frozen is None, f"the chain is frozen by {policy.frozen}")
            members, evidence = rows.read_members(connection, tenant, rollout)
            gates = judge(found, count(found, members, evidence))
            failing = [gate.words for gate in gates if gate.outcome is Outcome.FAIL]
            _need(not failing, f"a gate fails: {'; '.join(failing)}", "It returns by itself.")
            last = found.stage + 1 == len(found.plan.stages)
            state = after(found.state, Event.COMPLETE) if last else found.state
            values: dict[str, object] = {"stage_at_ms": now_ms, "state": state.value}
            values |= {"ended_at_ms": now_ms} if last else {"stage": found.stage + 1}
            desk_rows.change_rollout(connection, found, **values)
            _note(connection, principal, rollout, _happened(principal, "promoted", found, reason), now_ms)

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
                _check_newest(connection, found)
            ended = {"ended_at_ms": now_ms if state is State.RETURNED else None}
            desk_rows.change_rollout(
                connection, found, state=state.value, reason=_reason(reason), stage_at_ms=now_ms, **ended
            )
            _note(connection, principal, rollout, _happened(principal, "return", found, reason), now_ms)

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
            _audit(connection, principal, "rollouts.approval", {"wanted": wanted}, self._clock())

    # ---- inside -------------------------------------------------------------------------------------------

    def _to(self, principal: Principal, rollout: bytes, event: Event, kind: str, reason: str) -> None:
        with self._change(principal, rollout) as (connection, found, now_ms):
            state = after(found.state, event)
            desk_rows.change_rollout(connection, found, state=state.value, reason=_reason(reason))
            _note(connection, principal, rollout, _happened(principal, kind, found, reason), now_ms)

    def _policy(self, principal: Principal, what: str, reason: str, *, end: bool = False) -> None:
        principal.require(Role.ADMIN)
        tenant, now_ms, words = principal.tenant, self._clock(), _reason(reason)
        with self._database.tenant(tenant) as connection:
            desk_rows.lock_policy(connection, tenant)
            present = getattr(rows.read_policy(connection, tenant), what)
            _need(end or present is None, f"the chain is {what} already, by {present}")
            _need(not end or present is not None, f"the chain is not {what}")
            values: Mapping[str, object] = {
                f"{what}_at_ms": None if end else now_ms,
                f"{what}_by": None if end else principal.name[:200],
                f"{what}_reason": None if end else words,
            }
            desk_rows.change_policy(connection, tenant, **values)
            action = f"rollouts.{'un' if end else ''}{what}"
            _audit(connection, principal, action, {"reason": words}, now_ms)

    @contextmanager
    def _change(
        self, principal: Principal, rollout: bytes, *, lock: bool = False
    ) -> Iterator[tuple[Connection, Rollout, int]]:
        principal.require(Role.OPERATOR)
        with self._database.tenant(principal.tenant) as connection:
            if lock:
                desk_rows.lock_policy(connection, principal.tenant)
            yield connection, _read(connection, principal.tenant, rollout), self._clock()


def _read(connection: Connection, tenant: str, rollout: bytes) -> Rollout:
    found = rows.read_rollout(connection, tenant, rollout)
    if found is None:
        raise UnknownRollout(
            f"there is no rollout {rollout.hex()[:64]} in {tenant}",
            remedy="`topscoop rollout list` shows them.",
        )
    return found


def _preview(connection: Connection, tenant: str, release: int, plan: Plan, now_ms: int) -> Preview:
    listed = _check_release(connection, tenant, release)
    _check_names(connection, tenant, plan)
    members = _members(connection, tenant, release, plan)
    stages = tuple(
        StagePreview(stage.name, len(inside), len({member.store for member in inside}))
        for index, stage in enumerate(plan.stages)
        for inside in [[member for member in members if member.stage == index]]
    )
    stores = len({member.store for member in members})
    return Preview(
        release=release,
        name=listed.name,
        stages=stages,
        registers=len(members),
        stores=stores,
        conflicts=tuple(_conflicts(connection, tenant, members, but=b"")),
        warnings=tuple(_warnings(connection, tenant, plan, members, release, now_ms)),
        words=f"would reach {many(len(members), 'register')} in {many(stores, 'store')}",
    )


def _warnings(  # noqa: PLR0917 - what a warning may be about
    connection: Connection, tenant: str, plan: Plan, members: Sequence[Member], release: int, now_ms: int
) -> list[str]:
    words = []
    baseline, _ = desk_rows.read_baseline(
        connection, tenant, [member.register for member in members], release
    )
    minimum = plan.gates.minimum_recommendations
    for kind, limit in (("confidence", plan.gates.confidence_drift), ("labels", plan.gates.label_drift)):
        if limit is not None and sum(baseline[kind]) < minimum:
            words.append(
                f"drift of {kind} has nothing to be compared with: only {sum(baseline[kind])} answers are"
                f" known, {minimum} are needed; each stage would wait for a person to promote it"
            )
    if needs_clock(plan):
        known = rows.read_clocks(connection, tenant, now_ms)
        unknown = sorted({member.store for member in members} - set(known))
        if unknown:
            words.append(
                f"the time in {many(len(unknown), 'store')} is not known ({', '.join(unknown[:3])}):"
                " their registers would wait; `topscoop cloud store set` says it"
            )
    return words


def _members(connection: Connection, tenant: str, release: int, plan: Plan) -> list[Member]:
    tills = rows.read_tills(connection, tenant)
    return members_of(plan, tenant, release, covered(plan, tills), rows.read_groups(connection, tenant))


def _check_release(connection: Connection, tenant: str, release: int) -> desk_rows.ReleaseRow:
    listed = desk_rows.read_release(connection, tenant, release)
    if listed.withdrawn is not None:
        raise UnknownRelease(
            f"release {release} was withdrawn: {listed.withdrawn}", remedy="Roll out another release."
        )
    if release not in rows.read_may_run(connection, tenant):
        raise UnknownRelease(
            f"release {release} is below the chain's signed minimum", remedy="Roll out a newer release."
        )
    return listed


def _check_names(connection: Connection, tenant: str, plan: Plan) -> None:
    groups, problems = rows.read_groups(connection, tenant), []
    problems += [
        f"there is no group {stage.group!r}; `topscoop cloud group set` makes it"
        for stage in plan.stages
        if stage.group is not None and stage.group not in groups
    ]
    if plan.stores:
        unknown = sorted(set(plan.stores) - desk_rows.read_known_stores(connection, tenant))
        problems += [f"there is no store {store!r}" for store in unknown]
    if problems:
        raise PlanError(tuple(problems))


def _check_policy(policy: Policy, found: Rollout) -> None:
    _need(policy.stopped is None, f"the chain is stopped by {policy.stopped}", "An admin ends the stop.")
    _need(policy.frozen is None, f"the chain is frozen by {policy.frozen}", "An admin ends the freeze.")
    if policy.approval and found.approved_by is None:
        raise SecondPersonNeeded(
            "this chain wants a second person to approve each rollout",
            remedy="Ask another operator to approve it, in the console or with `topscoop rollout approve`.",
        )


def _check_newest(connection: Connection, found: Rollout) -> None:
    held = rows.read_held(connection, found.tenant, but=found.rollout, later_than_ms=found.started_at_ms or 0)
    members, _ = rows.read_members(connection, found.tenant, found.rollout)
    later = sorted({held[member.register] for member in members if member.register in held})
    if later:
        raise RolloutConflict(
            f"rollout {later[-1].hex()} came after this one and holds its registers",
            remedy="Return that one; its registers then run this release again.",
        )


def _conflicts(
    connection: Connection, tenant: str, members: Sequence[Member], *, but: bytes
) -> list[Conflict]:
    held = rows.read_held(connection, tenant, but=but)
    wanted: dict[bytes, list[str]] = {}
    for member in members:
        if member.register in held:
            wanted.setdefault(held[member.register], []).append(member.register)
    return [
        Conflict(rollout, _read(connection, tenant, rollout).release, tuple(sorted(registers)))
        for rollout, registers in sorted(wanted.items())
    ]


def _summary(rollout: Rollout, name: tuple[str, str], counts: Mapping[MemberState, int]) -> RolloutSummary:
    return RolloutSummary(
        rollout=rollout.rollout,
        release=rollout.release,
        name=name[0],
        version=name[1],
        state=rollout.state,
        stage=rollout.stage,
        stages=tuple(stage.name for stage in rollout.plan.stages),
        counts=counts,
        reason=rollout.reason,
        created_by=rollout.created_by,
        created_at_ms=rollout.created_at_ms,
        started_at_ms=rollout.started_at_ms,
        ended_at_ms=rollout.ended_at_ms,
    )


def _stages(rollout: Rollout, members: Sequence[Member]) -> tuple[StageView, ...]:
    views = []
    for index, stage in enumerate(rollout.plan.stages):
        counts: dict[MemberState, int] = {}
        for member in members:
            if member.stage == index:
                counts[member.state] = counts.get(member.state, 0) + 1
        views.append(StageView(stage.name, sum(counts.values()), counts))
    return tuple(views)


def _happened(principal: Principal, kind: str, found: Rollout, reason: str) -> Happened:
    return Happened(principal.name, kind, found.stage, f"{kind}: {_reason(reason)}")


def _note(
    connection: Connection, principal: Principal, rollout: bytes, happened: Happened, now_ms: int
) -> None:
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


def _audit(
    connection: Connection, principal: Principal, action: str, detail: Mapping[str, object], now_ms: int
) -> None:
    write_audit(
        connection,
        principal.tenant,
        now_ms,
        actor=f"operator:{principal.name}",
        action=action,
        subject=principal.tenant,
        detail={**detail, "operator": principal.operator.hex()},
    )


def _reason(text: str) -> str:
    words = " ".join(text.split())
    _need(bool(words), "a reason is missing", "Say why, in a few words; the timeline shows it.")
    _need(
        len(words) <= REASON_MAX and words.isprintable(),
        f"the reason is longer than {REASON_MAX} characters, or holds what cannot be printed",
    )
    return words


def _need(good: bool, words: str, remedy: str = "") -> None:  # noqa: FBT001 - reads like an assertion
    if not good:
        raise NotNow(words, remedy=remedy)
