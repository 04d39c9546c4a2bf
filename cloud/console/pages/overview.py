"""The first page: what needs attention now, and how the chain is."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.console.adapters import arrivals
from cloud.console.adapters.attention import read_facts
from cloud.console.desk import AtDesk, Desk
from cloud.console.pages.frames import last_days
from cloud.console.rendering import show
from cloud.console.scopes import Viewer
from cloud.console.views.attention import Facts, OpenRollout, attention, next_step
from cloud.console.views.rollout_view import lines
from cloud.principal import Principal
from cloud.rollout.rows import read_rollout
from cloud.rollout.values import OPEN, Outcome, State
from cloud.rollout.views import RolloutSummary

router = APIRouter()
_LOOKED_AT: Final = 20
"""Open rollouts whose gates are looked at for the first page; a chain has one or two."""
_RECENT: Final = 5


@router.get("/overview")
def overview(request: Request, principal: Annotated[Principal, Viewer], desk: AtDesk) -> Response:
    """Sentences, each with the way to where it is done."""
    tenant, now_ms = principal.tenant, desk.now_ms()
    today = last_days(now_ms)[-1]
    with desk.database.tenant(tenant, read_only=True) as connection:
        facts = read_facts(connection, tenant, now_ms, today)
        usage = arrivals.read_usage(connection, tenant, today)
    summaries = desk.rollouts.rollouts(principal)
    facts = _with_rollouts(desk, principal, facts, summaries)
    return show(
        request,
        "overview.html",
        facts=facts,
        items=attention(facts),
        step=next_step(facts, tenant),
        usage=usage,
        rollouts=lines(summaries)[:_RECENT],
    )


def _with_rollouts(
    desk: Desk, principal: Principal, facts: Facts, summaries: tuple[RolloutSummary, ...]
) -> Facts:
    drafts = [one for one in summaries if one.state is State.DRAFT]
    unapproved = 0
    if drafts and desk.rollouts.policy(principal).approval:
        views = [desk.rollouts.rollout(principal, one.rollout) for one in drafts[:_LOOKED_AT]]
        unapproved = sum(view.rollout.approved_by is None for view in views)
    found = tuple(
        OpenRollout(
            one.rollout,
            one.release,
            one.state,
            one.stage,
            len(one.stages),
            one.state is State.RUNNING and _waits_for_person(desk, principal, one.rollout),
            one.reason,
        )
        for one in [one for one in summaries if one.state in OPEN][:_LOOKED_AT]
    )
    return replace(facts, rollouts=found, unapproved=unapproved)


def _waits_for_person(desk: Desk, principal: Principal, rollout: bytes) -> bool:
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        found = read_rollout(connection, principal.tenant, rollout)
    # Its registers are only looked at where a person is asked for at all.
    if found is None or not found.plan.stages[found.stage].approval:
        return False
    gates = desk.rollouts.rollout(principal, rollout).gates
    return bool(gates) and all(one.outcome is Outcome.PASS for one in gates)
