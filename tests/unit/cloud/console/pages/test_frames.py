"""The page of what arrives."""

import secrets
from pathlib import Path

from sqlalchemy import insert

from cloud.console.pages.frames import last_days
from cloud.database.schema import consents, frames, quarantine, refusals, usage, withdrawals
from cloud.principal import Role
from tests.builders.console_stage import TENANT, ConsoleStage, build_stage

DAY_MS = 86_400_000
HOSTILE = "<b>KeyError</b>"


def fill(stage: ConsoleStage, tenant: str, number: int) -> None:
    """Some of everything."""
    now_ms = stage.clock[0]
    today = last_days(now_ms)[-1]
    with stage.desk.database.tenant(tenant) as connection:
        connection.execute(insert(usage).values(tenant=tenant, day=today, frames=number, bytes=2_000_000))
        for reason, count in (("too-old", number), ("bad-signature", 3)):
            values = {"tenant": tenant, "register": f"{tenant}-till", "day": today}
            connection.execute(insert(refusals).values(**values, reason=reason, count=count))
        for index in range(3):
            consent = secrets.token_bytes(16)
            both = {
                "tenant": tenant,
                "register": f"{tenant}-till",
                "interaction": b"i" * 16,
                "consent": consent,
            }
            connection.execute(
                insert(frames).values(
                    **both,
                    message_id=secrets.token_bytes(16),
                    object_key="secret-key",
                    version="v",
                    size=30_000,
                    captured_at_ms=now_ms,
                    stored_at_ms=now_ms - index * 3_600_000,
                    expires_at_ms=now_ms + DAY_MS,
                )
            )
            connection.execute(
                insert(consents).values(
                    **both,
                    purposes=[],
                    notice=b"n",
                    language="en",
                    method="touch",
                    granted_at_ms=now_ms,
                    expires_at_ms=now_ms + DAY_MS,
                    withdrawal=b"w",
                    receipt=b"r",
                    received_at_ms=now_ms,
                )
            )
        connection.execute(
            insert(withdrawals).values(
                tenant=tenant,
                consent=consent,
                source="customer",
                withdrawn_at_ms=now_ms,
                received_at_ms=now_ms,
            )
        )
        connection.execute(
            insert(quarantine).values(
                tenant=tenant,
                register=f"{tenant}-till",
                message_id=b"q" * 16,
                sha256=b"s" * 32,
                at_ms=now_ms,
                error=HOSTILE,
                message=b"secret bytes of a message",
            )
        )


def test_counts_of_this_chain_and_of_no_other(tmp_path: Path) -> None:
    """Stored, refused by reason and register, quarantine, quota, consents; nothing of what was sent."""
    stage = build_stage(tmp_path, TENANT, "other-chain")
    fill(stage, TENANT, 321)
    fill(stage, "other-chain", 987)
    page = stage.client(Role.VIEWER).get("/frames").text
    for words in (
        '<span class="figure">321</span>',
        "of 1,000 a day",
        f"{TENANT}-till",
        "too-old",
        "bad-signature",
        "most often too-old (321)",
        "3 frames were stored",
        "customer",
        "of 3 given",
        "&lt;b&gt;KeyError&lt;/b&gt;",
    ):
        assert words in page
    assert "987" not in page
    assert "other-chain-till" not in page
    assert "secret" not in page


def test_a_quiet_chain_is_said_to_be_quiet(tmp_path: Path) -> None:
    """No chart of nothing, and words instead."""
    page = build_stage(tmp_path).client(Role.VIEWER).get("/frames").text
    assert "Nothing was refused in the last 14 days." in page
    assert "Empty, as it should be." in page
    assert "<picture" not in page


def test_pictures_that_there_are_not(tmp_path: Path) -> None:
    """An unknown chart, size or theme, or nothing to draw."""
    stage = build_stage(tmp_path)
    client = stage.client()
    for path in ("nothing.svg", "arrivals.svg", "arrivals.svg?width=9999", "arrivals.svg?theme=pink"):
        assert client.get(f"/frames/charts/{path}").status_code == 404


def test_days_are_those_of_the_counters() -> None:
    """UTC, two weeks, today last."""
    days = last_days(1_795_000_000_000)
    assert (len(days), days[-1]) == (14, "2026-11-18")
    assert days == sorted(days)
