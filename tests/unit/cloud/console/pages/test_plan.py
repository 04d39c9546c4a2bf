"""The page that plans a rollout, without a browser and without a script."""

import html
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import insert

from cloud.console.views.wizard_fields import default_fields
from cloud.database.schema import register_groups
from cloud.principal import Role
from cloud.rollout.values import Plan, Stage, State
from tests.builders.console_stage import TENANT, ConsoleStage, StageClient, build_stage
from tests.builders.paper_fleet import PaperFleet, paper_fleet

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def stage(tmp_path: Path) -> ConsoleStage:
    """A console of two chains."""
    return build_stage(tmp_path, TENANT, "other-chain")


@pytest.fixture
def fleet(stage: ConsoleStage) -> PaperFleet:
    """A dozen registers in three stores."""
    return paper_fleet(stage, TENANT, 12)


def fields(**changes: str) -> dict[str, list[str]]:
    """The usual plan of release 8, with some fields changed."""
    usual = {name: list(values) for name, values in default_fields().items()}
    return usual | {"release": ["8"]} | {name: [value] for name, value in changes.items()}


def show(client: StageClient, step: str, came_from: str, **changes: str) -> str:
    """The page after a click on the button of `step`."""
    query = fields(**changes) | {"step": [step], "from": [came_from]}
    answer = client.get("/rollouts/new?" + urlencode(query, doseq=True))
    assert answer.status_code == 200
    return str(answer.text)


def inputs(page: str) -> list[tuple[str, str]]:
    """The hidden fields of the page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return [(name, html.unescape(value)) for name, value in found if name not in {"csrf", "goal", "from"}]


def test_from_the_release_to_the_draft(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Five steps by form alone; the dry run names registers and stores, the last button keeps a draft."""
    client = stage.client(Role.OPERATOR)
    first = client.get("/rollouts/new").text
    assert all(f"Release {release}" in first for release in (7, 8, 9))
    assert "alert" not in first, "nothing was tried yet, nothing is wrong"
    page = show(client, "check", "times")
    assert "would reach 12 registers in 3 stores" in page
    assert "Dry run: nothing was changed" in page
    assert fleet.desk.rollouts(fleet.principal()) == ()
    answer = client.send_form("/rollouts/new", dict(inputs(page)))
    assert answer.status_code == 303
    rollout = bytes.fromhex(answer.headers["location"].rpartition("/")[2])
    kept = fleet.desk.rollout(fleet.principal(), rollout).rollout
    assert (kept.state, kept.release) == (State.DRAFT, 8)
    assert kept.plan.stages[0] == Stage("one register", count=1)


def test_what_was_typed_stays_and_the_problem_stands_beside_it(
    stage: ConsoleStage, fleet: PaperFleet
) -> None:
    """An unparsable threshold keeps the step, names the field, and loses nothing of the other steps."""
    page = show(stage.client(), "times", "limits", g_failed_share="lots", s0_name="our pilots")
    assert 'aria-current="step"><span class="dot">3</span>Limits' in page
    assert 'value="lots"' in page
    field = page[page.index('id="g_failed_share"') :]
    assert 'aria-invalid="true"' in field[:300]
    assert "Write a number from 0 to 100." in field[:900]
    assert ("s0_name", "our pilots") in inputs(page)
    assert "Please correct 1 field" in page


def test_the_way_back_is_always_open(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Also with a problem on the page."""
    page = show(stage.client(), "release", "stages", s0_size="many")
    assert "Which release?" in page
    assert ("s0_size", "many") in inputs(page)


def test_conflicts_are_shown_before_the_start(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Two rollouts that want the same register: the dry run names the other one and its registers."""
    running = fleet.begin(9)
    page = show(stage.client(), "check", "times")
    assert f'href="/rollouts/{running.hex()}"' in page
    assert "It cannot start now" in page
    assert "till-00001" in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"s1_kind": "group", "s1_size": "nobody"}, "there is no group &#39;nobody&#39;"),
        ({"stores": "atlantis"}, "there is no store &#39;atlantis&#39;"),
        ({"release": "77"}, "there is no release 77"),
        ({"release": "6"}, "withdrawn: wrong labels"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(
    stage: ConsoleStage, changes: dict[str, str], says: str
) -> None:
    """Unknown names, a release that may not run: on the page and by direct POST, and nothing is kept."""
    fleet = paper_fleet(stage, TENANT, 4, releases=(6, 7, 8), withdrawn=6)
    client = stage.client()
    page = show(client, "check", "times", **changes)
    assert says in page
    assert "Keep this plan" not in page
    assert client.send_form("/rollouts/new", fields(**changes)).status_code == 409
    assert fleet.desk.rollouts(fleet.principal()) == ()


def test_a_form_that_is_no_plan_is_refused(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Somebody who skips the steps gets nothing kept."""
    client = stage.client()
    for wrong in (fields(s0_size="-1"), fields(g_error_share="nan"), {"release": ["8"], "stores": ["x"]}):
        assert client.send_form("/rollouts/new", wrong).status_code == 400
    assert fleet.desk.rollouts(fleet.principal()) == ()


def test_a_viewer_plans_nothing(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Neither by page nor by POST."""
    client = stage.client(Role.VIEWER)
    assert client.get("/rollouts/new?release=8").status_code == 403
    assert client.send_form("/rollouts/new", fields()).status_code == 403
    assert fleet.desk.rollouts(fleet.principal()) == ()


def test_groups_are_suggested(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """Those of this chain, and of no other."""
    row = {"register": "till-x", "group": "secret-tests", "tenant": "other-chain"}
    with stage.desk.database.tenant("other-chain") as connection:
        connection.execute(insert(register_groups).values(row))
    page = show(stage.client(), "stages", "release")
    assert '<option value="pilot">' in page
    assert "secret-tests" not in page


def test_a_chain_without_releases_is_told_the_next_step(stage: ConsoleStage) -> None:
    """And no button leads on."""
    page = stage.client().get("/rollouts/new").text
    assert "topscoop model publish" in page
    assert 'value="stages"' not in page


def test_hostile_words_in_the_address_stay_text(stage: ConsoleStage, fleet: PaperFleet) -> None:
    """T24: whatever field carries it, on every step."""
    client = stage.client()
    for step in ("release", "stages", "limits", "times", "check"):
        changes = dict.fromkeys(
            ("s0_name", "s0_size", "stores", "g_error_share", "w0_from", "release"), HOSTILE
        )
        page = show(client, step, step, **changes)
        assert "<script>alert" not in page
    plan = Plan((Stage(HOSTILE, share=1.0),))
    assert fleet.desk.plan(fleet.principal(), 8, plan)
    assert "<script>alert" not in show(client, "check", "times", s0_name=HOSTILE)
