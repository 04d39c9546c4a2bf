"""What the desk asks before it changes anything: what a plan would do, and whether it may."""

from collections.abc import Sequence

from sqlalchemy import Connection

from cloud.rollout import desk_rows, rows
from cloud.rollout.desk_notes import need
from cloud.rollout.errors import (
    PlanError,
    RolloutConflict,
    SecondPersonNeeded,
    UnknownRelease,
    UnknownRollout,
)
from cloud.rollout.membership import covered, members_of
from cloud.rollout.values import Member, Plan, Policy, Rollout
from cloud.rollout.views import Conflict, Preview, StagePreview
from cloud.rollout.windows import needs_clock
from cloud.rollout.words import many


def found_rollout(connection: Connection, tenant: str, rollout: bytes) -> Rollout:
    """One of the chain's rollouts. Raises UnknownRollout."""
    found = rows.read_rollout(connection, tenant, rollout)
    if found is None:
        raise UnknownRollout(
            f"there is no rollout {rollout.hex()[:64]} in {tenant}",
            remedy="`topscoop rollout list` shows them.",
        )
    return found


def preview_of(connection: Connection, tenant: str, release: int, plan: Plan, now_ms: int) -> Preview:
    """What the plan would do, if it were started now.

    Raises:
        UnknownRelease: Not listed, withdrawn or below the floor.
        PlanError: A group or a store that nobody knows.
    """
    listed = check_release(connection, tenant, release)
    _check_names(connection, tenant, plan)
    members = chosen_members(connection, tenant, release, plan)
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
        conflicts=tuple(conflicts_with(connection, tenant, members, but=b"")),
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


def chosen_members(connection: Connection, tenant: str, release: int, plan: Plan) -> list[Member]:
    """The registers that a start takes, each with its stage."""
    tills = rows.read_tills(connection, tenant)
    return members_of(plan, tenant, release, covered(plan, tills), rows.read_groups(connection, tenant))


def check_release(connection: Connection, tenant: str, release: int) -> desk_rows.ReleaseRow:
    """The release, where it may be rolled out. Raises UnknownRelease."""
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


def check_policy(policy: Policy, found: Rollout) -> None:
    """Whether the chain lets this draft start. Raises NotNow, SecondPersonNeeded."""
    need(policy.stopped is None, f"the chain is stopped by {policy.stopped}", "An admin ends the stop.")
    need(policy.frozen is None, f"the chain is frozen by {policy.frozen}", "An admin ends the freeze.")
    if policy.approval and found.approved_by is None:
        raise SecondPersonNeeded(
            "this chain wants a second person to approve each rollout",
            remedy="Ask another operator to approve it, in the console or with `topscoop rollout approve`.",
        )


def check_newest(connection: Connection, found: Rollout) -> None:
    """Whether a rollout that is done may be taken back. Raises RolloutConflict."""
    held = rows.read_held(connection, found.tenant, but=found.rollout, later_than_ms=found.started_at_ms or 0)
    members, _ = rows.read_members(connection, found.tenant, found.rollout)
    later = sorted({held[member.register] for member in members if member.register in held})
    if later:
        raise RolloutConflict(
            f"rollout {later[-1].hex()} came after this one and holds its registers",
            remedy="Return that one; its registers then run this release again.",
        )


def conflicts_with(
    connection: Connection, tenant: str, members: Sequence[Member], *, but: bytes
) -> list[Conflict]:
    """Open rollouts, but for one, that hold registers of these members."""
    held = rows.read_held(connection, tenant, but=but)
    wanted: dict[bytes, list[str]] = {}
    for member in members:
        if member.register in held:
            wanted.setdefault(held[member.register], []).append(member.register)
    return [
        Conflict(rollout, found_rollout(connection, tenant, rollout).release, tuple(sorted(registers)))
        for rollout, registers in sorted(wanted.items())
    ]
