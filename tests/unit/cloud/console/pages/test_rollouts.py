"""The pages of rollouts, without a browser: what they say, what they let whom do."""

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.console.pages.rollout_charts import read_charts
from cloud.console.pages.rollouts import LIVE
from cloud.database.schema import audit, rollout_events
from cloud.principal import Role
from cloud.rollout.values import Plan, Policy, Stage, State
from tests.builders.console_stage import TENANT, ConsoleStage, build_stage
from tests.builders.paper_fleet import PaperFleet, paper_fleet

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
ACTIONS = ("start", "approve", "promote", "pause", "resume", "return")
POLICIES = ("freeze", "unfreeze", "stop", "unstop", "approval")


@pytest.fixture
def stage(tmp_path: Path) -> ConsoleStage:
    """A console of two chains."""
    return build_stage(tmp_path, TENANT, "other-chain")


@pytest.fixture
def fleet(stage: ConsoleStage) -> PaperFleet:
    """A dozen registers that do what they are told."""
    return paper_fleet(stage, TENANT, 12)


def path_of(rollout: bytes) -> str:
    """Its page."""
    return f"/rollouts/{rollout.hex()}"


def state_of(fleet: PaperFleet, rollout: bytes) -> State:
    """As the database has it."""
    return fleet.desk.rollout(fleet.principal(), rollout).rollout.state


def test_a_chain_without_releases_is_told_how_to_get_one(stage: ConsoleStage) -> None:
    """Nothing to roll out: the page says what comes first, and offers no plan."""
    page = stage.client().get("/rollouts").text
    assert "topscoop model publish" in page
    assert 'href="/rollouts/new"' not in page


def test_a_chain_with_releases_is_led_to_its_first_plan(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """The next step is a link, but not for who may not take it."""
    assert 'href="/rollouts/new"' in stage.client(Role.OPERATOR).get("/rollouts").text
    assert 'href="/rollouts/new"' not in stage.client(Role.VIEWER).get("/rollouts").text


def test_open_rollouts_come_first(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """A draft is newer than what runs, and less urgent."""
    running = fleet.begin(8)
    fleet.pass_time(10)
    draft = fleet.desk.plan(fleet.principal(), 9, Plan((Stage("all", share=1.0),)))
    page = stage.client(Role.VIEWER).get("/rollouts").text
    assert page.index(running.hex()) < page.index(draft.hex())
    assert "stage 1 of 3, one register" in page


def test_a_rollout_says_where_it_is_in_plain_words(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Headline, gates, members with what they attest, timeline with who and why."""
    rollout = fleet.begin(8)
    fleet.turn(ticks=2, answers=88)
    page = stage.client(Role.VIEWER).get(path_of(rollout)).text
    for words in (
        "Running stage 1 of 3, one register",
        "Waiting for 412 more answers.",
        "0 of 1 register failed ✓",
        "p99 3.1 of 10 ms",
        "release 8",
        "release 7",
        "the new season",
        "Otto Operator",
        "At most 60 registers a minute.",
    ):
        assert words in page


def visible(page: str) -> str:
    """What stands on a page, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def test_what_it_waits_for_is_said_once(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Four gates wait for the same answers, and the headline says so; their cards say what is measured."""
    rollout = fleet.begin(8)
    fleet.turn(ticks=2, answers=88)
    page = visible(stage.client(Role.VIEWER).get(path_of(rollout)).text)
    assert page.lower().count("waiting for 412 more answers") == 1
    assert "not enough yet" in page


def test_a_stopped_rollout_keeps_its_evidence(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Its registers report another release by now; charts show what the gate saw, pages where it ended."""
    rollout = fleet.begin(9)
    fleet.turn(ticks=2, p99_ms=31)
    client, principal = stage.client(Role.VIEWER), fleet.principal(Role.VIEWER, "vera")
    seen = read_charts(stage.desk, principal, rollout)
    fleet.turn(ticks=3, p99_ms=2.5, answers=40)
    assert state_of(fleet, rollout) is State.RETURNED
    kept = read_charts(stage.desk, principal, rollout)
    for name in ("latency", "errors", "confidence", "labels"):
        assert kept[name].series == seen[name].series, name
        assert not kept[name].empty, name
    assert kept["latency"].table.rows[0] == ("one register", "31.0", "31.0", "1")
    assert "this stage" in [one.name for one in kept["confidence"].series]
    page = visible(client.get(path_of(rollout)).text)
    assert "one register stopped here 0 of 1 register runs it, 1 went back" in page
    assert "everywhere 10 registers never told" in page
    assert "What the registers reported" in page
    assert "yet" not in page
    members = fleet.desk.rollout(principal, rollout).members
    untold = next(one.register for one in members if one.told_at_ms is None)
    register = visible(client.get(f"/fleet/{untold}").text)
    assert "Release 9: never told" in register
    assert "waits for its stage" not in register


@pytest.mark.parametrize("state", [State.RUNNING, State.DONE], ids=str)
def test_a_persons_return_keeps_the_evidence_too(
    stage: ConsoleStage, fleet: PaperFleet, state: State
) -> None:
    """Gates and figures as they were at that moment, from a running one and from one that was done."""
    rollout = fleet.begin(8, Plan((Stage("all", share=1.0, hold_s=0, approval=True),)))
    fleet.turn(ticks=2)
    if state is State.DONE:
        fleet.desk.promote(fleet.principal(), rollout, "they look good")
    assert state_of(fleet, rollout) is state
    fleet.desk.return_(fleet.principal(), rollout, "queer answers")
    fleet.turn(ticks=3, p99_ms=2.5)
    view = fleet.desk.rollout(fleet.principal(), rollout)
    assert "p99 3.1 of 10 ms" in [gate.words for gate in view.gates]
    charts = read_charts(stage.desk, fleet.principal(), rollout)
    assert charts["latency"].table.rows == (("all", "3.1", "3.1", "12"),)
    page = visible(stage.client(Role.VIEWER).get(path_of(rollout)).text)
    assert ("stopped here" in page) is (state is State.RUNNING)


def test_a_draft_that_was_given_up_stopped_nowhere(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """No register was chosen, and there is nothing to show of it."""
    rollout = fleet.desk.plan(fleet.principal(), 8, Plan((Stage("all", share=1.0),)))
    fleet.desk.return_(fleet.principal(), rollout, "another day")
    page = visible(stage.client(Role.VIEWER).get(path_of(rollout)).text)
    assert "stopped here" not in page
    assert state_of(fleet, rollout) is State.RETURNED


def test_every_button_does_what_it_says(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Start, pause, resume, promote, return: each with its reason in the timeline and in the audit log."""
    rollout = fleet.desk.plan(fleet.principal(), 8, Plan((Stage("a", count=1), Stage("b", share=1.0))))
    client = stage.client(Role.OPERATOR, name="olga")
    for action, expected in (
        ("start", State.RUNNING),
        ("pause", State.PAUSED),
        ("resume", State.RUNNING),
        ("promote", State.RUNNING),
        ("return", State.RETURNING),
    ):
        assert f'action="{path_of(rollout)}/{action}"' in client.get(path_of(rollout)).text
        answer = client.send_form(f"{path_of(rollout)}/{action}", {"reason": f"because of {action}"})
        assert (answer.status_code, answer.headers["location"]) == (303, path_of(rollout))
        assert state_of(fleet, rollout) is expected
        fleet.pass_time(5)
    page = client.get(path_of(rollout)).text
    assert all(f"because of {action}" in page for action in ("pause", "resume", "promote", "return"))
    with stage.desk.database.tenant(TENANT, read_only=True) as connection:
        actors = connection.execute(
            select(audit.c.actor).where(audit.c.tenant == TENANT, audit.c.subject == rollout.hex())
        ).scalars()
        assert list(actors).count("operator:Olga") == 5


def test_a_second_person_approves(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Where the chain wants it: who planned is offered no approval and is refused one; another one is not."""
    assert (
        stage.client(Role.ADMIN).send_form("/rollouts/policy/approval", {"wanted": "yes"}).status_code == 303
    )
    rollout = fleet.desk.plan(fleet.principal(), 8, Plan((Stage("all", share=1.0),)))
    planner = stage.client(Role.OPERATOR, name="Otto Operator")
    assert f"{path_of(rollout)}/approve" not in planner.get(path_of(rollout)).text
    refused = planner.send_form(f"{path_of(rollout)}/approve", {"reason": "me again"})
    assert refused.status_code == 409
    assert "Ask another operator" in refused.text
    assert planner.send_form(f"{path_of(rollout)}/start", {"reason": "now"}).status_code == 409
    second = stage.client(Role.OPERATOR, name="olga")
    assert "waits for a second person" in second.get(path_of(rollout)).text
    assert "1 planned rollout waits for a second person" in second.get("/overview").text
    assert second.send_form(f"{path_of(rollout)}/approve", {"reason": "looks good"}).status_code == 303
    assert planner.send_form(f"{path_of(rollout)}/start", {"reason": "now"}).status_code == 303
    assert state_of(fleet, rollout) is State.RUNNING


def test_a_reason_is_required(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Without one nothing is changed, and the page says what is missing."""
    rollout = fleet.begin(8)
    answer = stage.client().send_form(f"{path_of(rollout)}/pause", {"reason": "  "})
    assert answer.status_code == 409
    assert "Say why" in answer.text
    assert state_of(fleet, rollout) is State.RUNNING


def test_a_viewer_changes_no_rollout(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """No button on the page, and a form that is sent all the same is refused."""
    rollout = fleet.begin(8)
    client = stage.client(Role.VIEWER)
    assert '<form method="post" action="/rollouts' not in client.get(path_of(rollout)).text
    for action in ACTIONS:
        answer = client.send_form(f"{path_of(rollout)}/{action}", {"reason": "let me"})
        assert answer.status_code == 403
        assert "Ask an admin of your chain" in answer.text
    assert state_of(fleet, rollout) is State.RUNNING


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR], ids=str)
def test_only_an_admin_holds_the_whole_chain(stage: ConsoleStage, fleet: PaperFleet, role: Role) -> None:
    """Freeze, stop and the second person are not an operator's."""
    client = stage.client(role)
    assert "/rollouts/policy/" not in client.get("/rollouts").text
    for what in POLICIES:
        answer = client.send_form(f"/rollouts/policy/{what}", {"reason": "let me", "wanted": "yes"})
        assert answer.status_code == 403
    assert fleet.desk.policy(fleet.principal()) == Policy()


def test_a_form_of_another_origin_is_refused(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """T24: neither another origin's form, nor one without the session's token, returns a rollout."""
    rollout = fleet.begin(8)
    client = stage.client()
    foreign = client.send_form(
        f"{path_of(rollout)}/return", {"reason": "evil"}, origin="https://evil.example"
    )
    untold = client.post(
        f"{path_of(rollout)}/return", data={"reason": "evil"}, headers={"origin": stage.desk.origin}
    )
    assert (foreign.status_code, untold.status_code) == (403, 403)
    assert state_of(fleet, rollout) is State.RUNNING


@pytest.mark.parametrize("where", ["", "/return"])
def test_another_chains_rollout_is_not_there(stage: ConsoleStage, fleet: PaperFleet, where: str) -> None:
    """An admin of one chain neither sees nor returns a rollout of another."""
    rollout = fleet.begin(8)
    client = stage.client(Role.ADMIN, tenant="other-chain")
    path = path_of(rollout) + where
    answer = client.send_form(path, {"reason": "mine now"}) if where else client.get(path)
    assert answer.status_code == 404
    assert state_of(fleet, rollout) is State.RUNNING


def test_what_is_no_rollout_is_not_found(stage: ConsoleStage) -> None:
    """A page that says so, whatever stands in the address."""
    client = stage.client()
    for name in ("0" * 32, "0" * 31, "zz" * 16, "A" * 32, "%3Cscript%3E", "0" * 3000):
        assert client.get(f"/rollouts/{name}").status_code == 404
        assert client.send_form(f"/rollouts/{name}/pause", {"reason": "why not"}).status_code == 404


def test_an_unknown_order_is_not_found(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Neither of one rollout nor of the chain."""
    rollout = fleet.begin(8)
    for path in (f"{path_of(rollout)}/explode", "/rollouts/policy/explode"):
        assert stage.client().send_form(path, {"reason": "why not"}).status_code == 404


@pytest.mark.parametrize(
    ("what", "words"), [("freeze", "Rollouts are frozen by"), ("stop", "Emergency stop by")]
)
def test_every_page_says_who_holds_the_chain_and_why(
    stage: ConsoleStage, fleet: PaperFleet, what: str, words: str
) -> None:
    """Until an admin ends it."""
    rollout = fleet.begin(8)
    admin = stage.client(Role.ADMIN, name="anna")
    viewer = stage.client(Role.VIEWER)
    pages = ("/overview", "/fleet", "/rollouts", path_of(rollout), "/frames", "/audit")
    assert admin.send_form(f"/rollouts/policy/{what}", {"reason": "queer answers"}).status_code == 303
    for page in pages:
        said = viewer.get(page).text
        assert words in said
        assert "Anna: queer answers" in said
    assert admin.send_form(f"/rollouts/policy/un{what}", {"reason": "all good"}).status_code == 303
    assert not any(words in viewer.get(page).text for page in pages)


def test_hostile_names_and_reasons_stay_text(stage: ConsoleStage) -> None:
    """T24: flavours, stages, people and reasons are shown as they are written, and are no markup."""
    fleet = paper_fleet(stage, TENANT, 6, flavour=HOSTILE)
    plan = Plan((Stage(HOSTILE[:60], count=2), Stage("all", share=1.0)))
    otto = fleet.principal(name=HOSTILE)
    rollout = fleet.desk.plan(otto, 8, plan)
    fleet.desk.start(otto, rollout, HOSTILE)
    fleet.turn(ticks=2)
    client = stage.client()
    for page in ("/rollouts", path_of(rollout), "/overview", "/audit"):
        text = client.get(page).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert" in text


def test_members_are_found_by_state_and_page(stage: ConsoleStage) -> None:
    """What went wrong first; a filter, and pages that do not end in nowhere."""
    fleet = paper_fleet(stage, TENANT, 130)
    rollout = fleet.begin(8, Plan((Stage("all", share=1.0),), pace_per_minute=3))
    fleet.turn(ticks=2)
    client = stage.client()
    waiting = client.get(f"{path_of(rollout)}?state=waiting").text
    assert len(re.findall(r'data-label="State"', waiting)) == 50
    assert "page 1 of 3" in waiting
    good = client.get(f"{path_of(rollout)}?state=good&page=99999").text
    assert 'data-label="State"' in good
    assert "page 1" not in good


def test_live_parts_change_only_with_the_rollout(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """A look at an unchanged rollout gives the very same parts, and none of them holds a form."""
    rollout = fleet.begin(8)
    listing, one = (page.parts for page in LIVE)
    principal = fleet.principal(Role.VIEWER, "vera")

    def look() -> object:
        named = {"rollout": rollout.hex()}
        return one(stage.desk, principal, named, {}), listing(stage.desk, principal, {}, {})

    before = look()
    assert look() == before
    assert "<form" not in str(before)
    fleet.turn(ticks=2)
    assert look() != before


def test_the_timeline_is_only_added_to(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """An entry keeps its key when newer ones come, so that a live page only adds."""
    rollout = fleet.begin(8)
    principal = fleet.principal(Role.VIEWER, "vera")
    parts = LIVE[1].parts
    before = dict(parts(stage.desk, principal, {"rollout": rollout.hex()}, {})["timeline"])
    fleet.turn(ticks=2)
    after = dict(parts(stage.desk, principal, {"rollout": rollout.hex()}, {})["timeline"])
    assert len(after) > len(before)
    with stage.desk.database.tenant(TENANT, read_only=True) as connection:
        rows = connection.execute(
            select(rollout_events.c.entry).where(rollout_events.c.tenant == TENANT)
        ).all()
    assert len(rows) == len(after)
    assert set(before) < set(after)
