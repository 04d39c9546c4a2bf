"""Rollouts: all of them, one of them, and what people do with them."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from cloud.console.adapters.rollout_figures import read_attested, read_choices
from cloud.console.charts.values import size_of
from cloud.console.desk import AtDesk, Desk
from cloud.console.errors import NotFound
from cloud.console.ids import id_from
from cloud.console.live import Parts
from cloud.console.live_pages import LivePage
from cloud.console.pages.rollout_charts import read_charts
from cloud.console.rendering import fragment, show_live
from cloud.console.scopes import Admin, Operator, Viewer
from cloud.console.views import rollout_view as views
from cloud.console.views import rollout_words as words
from cloud.principal import Principal
from cloud.rollout.desk import Desk as RolloutDesk
from cloud.rollout.errors import UnknownRollout
from cloud.rollout.values import MemberState, State
from cloud.rollout.views import RolloutView

router = APIRouter()
_PARTS: Final = "rollout_parts.html"
_ACTIONS: Final[Mapping[str, Callable[[RolloutDesk, Principal, bytes, str], None]]] = {
    "start": RolloutDesk.start,
    "approve": RolloutDesk.approve,
    "promote": RolloutDesk.promote,
    "pause": RolloutDesk.pause,
    "resume": RolloutDesk.resume,
    "return": RolloutDesk.return_,
}
_POLICIES: Final[Mapping[str, Callable[[RolloutDesk, Principal, str], None]]] = {
    "freeze": RolloutDesk.freeze,
    "unfreeze": RolloutDesk.unfreeze,
    "stop": RolloutDesk.stop,
    "unstop": RolloutDesk.unstop,
}


@router.get("/rollouts")
def rollouts_page(request: Request, principal: Annotated[Principal, Viewer], desk: AtDesk) -> Response:
    """Every rollout, those that are open first."""
    parts = _list_parts(desk, principal, {}, {})
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        releases = read_choices(connection, principal.tenant)
    return show_live(
        request,
        "rollouts.html",
        parts,
        policy=desk.rollouts.policy(principal),
        releases=releases,
    )


@router.post("/rollouts/policy/approval")
def approval(
    principal: Annotated[Principal, Admin], desk: AtDesk, wanted: Annotated[str, Form()]
) -> Response:
    """Whether a second person approves each rollout."""
    desk.rollouts.require_approval(principal, wanted=wanted == "yes")
    return RedirectResponse("/rollouts", 303)


@router.post("/rollouts/policy/{what}")
def policy(
    principal: Annotated[Principal, Admin], desk: AtDesk, what: str, reason: Annotated[str, Form()] = ""
) -> Response:
    """Freeze or stop everything, or end that."""
    if what not in _POLICIES:
        raise NotFound("there is no such order", remedy="Use the buttons of the page.")
    _POLICIES[what](desk.rollouts, principal, reason)
    return RedirectResponse("/rollouts", 303)


@router.get("/rollouts/{rollout}")
def rollout_page(
    request: Request, principal: Annotated[Principal, Viewer], desk: AtDesk, rollout: str
) -> Response:
    """One rollout."""
    query = dict(request.query_params)
    key = id_from(rollout, "rollout")
    view = _view(desk, principal, key)
    parts = _parts(desk, principal, view, query)
    found = view.rollout
    _, members, pages = _members(view, query)
    return show_live(
        request,
        "rollout.html",
        parts,
        view=view,
        rollout=found,
        offers=words.offers(
            state=found.state,
            role=principal.role,
            may_approve=view.may_approve(principal.operator),
            approved=found.approved_by is not None,
            policy=view.policy,
            last_stage=found.stage + 1 == len(found.plan.stages),
        ),
        plan_words=words.plan_words(found.plan),
        size_of=size_of,
        charts=read_charts(desk, principal, key) if found.state is not State.DRAFT else {},
        states=[(one.value, words.member_badge(one, found.state)[0]) for one in MemberState],
        chosen=query.get("state", ""),
        page=min(_page(query), pages),
        pages=pages,
        count=members,
    )


@router.post("/rollouts/{rollout}/{action}")
def act(
    principal: Annotated[Principal, Operator],
    desk: AtDesk,
    rollout: str,
    action: str,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Do what its button says, and show the rollout again."""
    if action not in _ACTIONS:
        raise NotFound("there is no such order", remedy="Use the buttons of the page.")
    key = id_from(rollout, "rollout")
    try:
        _ACTIONS[action](desk.rollouts, principal, key, reason)
    except UnknownRollout as error:
        raise NotFound(str(error)) from error
    return RedirectResponse(f"/rollouts/{key.hex()}", 303)


def _view(desk: Desk, principal: Principal, rollout: bytes) -> RolloutView:
    try:
        return desk.rollouts.rollout(principal, rollout)
    except UnknownRollout as error:
        raise NotFound(
            "there is no such rollout in this chain", remedy="Go on from the list of rollouts."
        ) from error


def _list_parts(desk: Desk, principal: Principal, _: Mapping[str, str], __: Mapping[str, str]) -> Parts:
    now_ms = desk.now_ms()
    lines = views.lines(desk.rollouts.rollouts(principal))
    return {"rollouts": [(line.key, fragment(_PARTS, "line", line, now_ms)) for line in lines]}


def _live_parts(
    desk: Desk, principal: Principal, params: Mapping[str, str], query: Mapping[str, str]
) -> Parts:
    key = id_from(params["rollout"], "rollout")
    view = desk.recent.get(
        ("rollout", principal.tenant, key), desk.now_ms(), _life_ms, lambda: _view(desk, principal, key)
    )
    return _parts(desk, principal, view, query)


def _life_ms(view: RolloutView) -> int:
    """A look at 10,000 registers costs a quarter of a second: every nine seconds, not every two."""
    return max(0, len(view.members) - 1000)


def _parts(desk: Desk, principal: Principal, view: RolloutView, query: Mapping[str, str]) -> Parts:
    now_ms, found = desk.now_ms(), view.rollout
    counts: dict[MemberState, int] = {}
    for stage in view.stages:
        for one, number in stage.counts.items():
            counts[one] = counts.get(one, 0) + number
    headline = words.headline(
        state=found.state,
        stage=found.stage,
        plan=found.plan,
        counts=counts,
        verdicts=view.gates,
        waiting=view.waiting,
        reason=found.reason,
        approved=found.approved_by is not None,
        policy=view.policy,
    )
    version = f"{found.state}-{found.stage}-{found.approved_by is not None}-{view.policy.frozen is not None}"
    members, *_ = _members(view, query)
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        attested = read_attested(connection, principal.tenant, [member.register for member in members])
    rows = views.member_rows(view, members, attested)
    badge = words.STATE_BADGES[found.state]
    return {
        "headline": [
            (
                "headline",
                fragment(
                    _PARTS, "headline", headline, badge, words.share_done(counts), version,
                    words.gate_line(view.gates), found, now_ms,
                ),
            )
        ],
        "stages": [(bar.key, fragment(_PARTS, "stage", bar)) for bar in views.stage_bars(view)],
        "gates": [
            (card.key, fragment(_PARTS, "gate", card)) for card in views.gate_cards(view.gates, found.state)
        ],
        "members": [(row.register, fragment(_PARTS, "member", row, now_ms)) for row in rows],
        "timeline": [
            (event.key, fragment(_PARTS, "event", event, now_ms)) for event in views.events(view.timeline)
        ],
    }  # fmt: skip


def _members(view: RolloutView, query: Mapping[str, str]) -> tuple[list[Any], int, int]:
    wanted = next((one for one in MemberState if one.value == query.get("state")), None)
    return views.members_page(view.members, wanted, _page(query))


def _page(query: Mapping[str, str]) -> int:
    text = query.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1


LIVE = (LivePage("/rollouts", _list_parts), LivePage("/rollouts/{rollout}", _live_parts))
