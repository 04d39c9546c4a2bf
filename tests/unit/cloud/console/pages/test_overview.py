"""The first page."""

from pathlib import Path

from sqlalchemy import insert, update

from cloud.database.schema import register_health, registers, repositories
from cloud.principal import Role
from cloud.rollout.values import Gates, Plan, Stage
from tests.builders.console_stage import TENANT, build_stage
from tests.builders.paper_fleet import paper_fleet


def test_a_fresh_chain_is_led_step_by_step(tmp_path: Path) -> None:
    """No registers; then no keys; each with the command that comes next."""
    stage = build_stage(tmp_path)
    client = stage.client(Role.VIEWER)
    assert f"topscoop cloud register add --tenant {TENANT}" in client.get("/overview").text
    with stage.desk.database.tenant(TENANT) as connection:
        connection.execute(
            insert(registers).values(
                tenant=TENANT, register="till-1", store="s", state="invited", created_at_ms=1
            )
        )
    assert f"topscoop cloud tenant trust {TENANT}" in client.get("/overview").text


def test_a_calm_chain_is_said_to_be_calm(tmp_path: Path) -> None:
    """Nothing to do, but a first rollout to plan."""
    stage = build_stage(tmp_path)
    paper_fleet(stage, TENANT, 8)
    page = stage.client(Role.OPERATOR).get("/overview").text
    assert "Nothing needs attention" in page
    assert 'href="/rollouts/new"' in page


def test_what_needs_somebody_has_its_sentence(tmp_path: Path) -> None:
    """Silent registers, expiring metadata, a rollout that waits for a person: each with its link."""
    stage = build_stage(tmp_path)
    fleet = paper_fleet(stage, TENANT, 12)
    plan = Plan((Stage("pilot", count=2, hold_s=0, approval=True), Stage("all", share=1.0)), Gates())
    fleet.begin(8, plan)
    fleet.turn(ticks=3)
    now_ms = stage.clock[0]
    with stage.desk.database.tenant(TENANT) as connection:
        row = register_health.c
        connection.execute(update(register_health).where(row.tenant == TENANT).values(received_at_ms=now_ms))
        connection.execute(
            update(register_health)
            .where(row.tenant == TENANT, row.register == "till-00004")
            .values(received_at_ms=now_ms - 3_600_000)
        )
        connection.execute(
            update(repositories)
            .where(repositories.c.tenant == TENANT)
            .values(expires_at_ms=now_ms + 86_400_000)
        )
    page = stage.client(Role.VIEWER).get("/overview").text
    for words in (
        "1 register silent for more than 15 minutes",
        'href="/fleet?attention=silent"',
        "Signed metadata expires in 1 day",
        "Release 8 has passed stage 1 of 2 and waits for a person",
    ):
        assert words in page
    assert stage.client(Role.VIEWER).get("/fleet?attention=silent").text.count("till-00004") >= 1


def test_the_first_page_is_the_first_page(tmp_path: Path) -> None:
    """Who comes to the console comes here."""
    client = build_stage(tmp_path).client(Role.VIEWER)
    assert client.get("/").headers["location"] == "/overview"
