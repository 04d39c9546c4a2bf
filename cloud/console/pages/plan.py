"""Planning a rollout, step by step: release, stages, limits, times, and what it would reach."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from cloud.console.adapters.rollout_figures import read_choices, read_group_names
from cloud.console.desk import AtDesk, Desk
from cloud.console.errors import BadQuery
from cloud.console.rendering import show
from cloud.console.scopes import Operator
from cloud.console.views import rollout_words as words
from cloud.console.views import wizard_fields as form
from cloud.console.views.wizard_form import Draft, carried, read_form, step_to_show
from cloud.principal import Principal
from cloud.rollout.views import Preview
from wire_protocol.errors import OperatorError

router = APIRouter()


@router.get("/rollouts/new")
def plan_page(request: Request, principal: Annotated[Principal, Operator], desk: AtDesk) -> Response:
    """One step of the form; all of it stands in the address, and nothing is changed."""
    query = request.query_params
    draft = read_form(query.multi_items())
    step = step_to_show(draft, query.get("step", ""))
    # What is wrong is said once somebody wanted to go on, not before they could type anything.
    tried = query.get("from") == step and query.get("step") != step
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        choices = read_choices(connection, principal.tenant)
        groups = read_group_names(connection, principal.tenant)
    preview, refusal = _preview(desk, principal, draft) if step == "check" else (None, None)
    return show(
        request,
        "plan.html",
        draft=draft,
        step=step,
        steps=form.STEP_NAMES,
        problems=draft.problems_of(step) if tried else {},
        choices=choices,
        groups=groups,
        form=form,
        hidden=carried(draft, step),
        preview=preview,
        refusal=refusal,
        plan=draft.plan,
        stage_words=words.stage_words,
        plan_words=words.plan_words(draft.plan) if draft.plan else [],
    )


@router.post("/rollouts/new")
async def keep_plan(request: Request, principal: Annotated[Principal, Operator], desk: AtDesk) -> Response:
    """Keep the plan as a draft; nothing is told to any register before somebody starts it."""
    sent = await request.form()
    draft = read_form([(name, value) for name, value in sent.multi_items() if isinstance(value, str)])
    if draft.plan is None or draft.release is None:
        said = "; ".join(draft.problems.values())
        raise BadQuery(f"the plan cannot be read: {said}", remedy="Go back and correct it there.")
    rollout = await asyncio.to_thread(desk.rollouts.plan, principal, draft.release, draft.plan)
    return RedirectResponse(f"/rollouts/{rollout.hex()}", 303)


def _preview(desk: Desk, principal: Principal, draft: Draft) -> tuple[Preview | None, OperatorError | None]:
    """What it would do, or why it cannot be planned."""
    assert draft.plan is not None, "the last step is shown to nobody who has problems"
    assert draft.release is not None
    try:
        return desk.rollouts.preview(principal, draft.release, draft.plan), None
    except OperatorError as error:
        return None, error
