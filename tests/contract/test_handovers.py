"""A register's code, from the page to the register and back again; on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from cloud.database.schema import handovers, register_notices, registers, stores, withdrawals
from cloud.privacy.downlink import Downlink
from cloud.privacy.erasure_plan import Source
from cloud.privacy.errors import OpeningRefused
from cloud.privacy.handover_keeper import HandoverKeeper
from cloud.privacy.handover_values import NOTICES_MAX, REMEMBERED_MS, SEND_AGAIN_MS
from cloud.privacy.opening import Reader
from cloud.public_api.handover_codes import CLOCK_AHEAD_MS
from tests.builders.cloud_database import postgres_service
from tests.builders.handover_shop import ENGLISH, GERMAN, OTHER, PATH, YES, HandoverShop, code
from tests.builders.query_plans import rows_thrown_away
from tests.builders.wire_messages import CONSENT_KEY, HANDOVER, IDENTITY, INTERACTION, TENANT
from wire_protocol.handover_messages import HandoverDown
from wire_protocol.purposes import Purpose


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HandoverShop]:
    database = None
    if request.param == "postgres":
        database = postgres_service(request.getfixturevalue("postgres_database"))
    made = HandoverShop(tmp_path, database)
    yield made
    made.close()


def test_a_yes_goes_from_the_phone_to_the_register_and_comes_back_as_kept(shop: HandoverShop) -> None:
    """The page shows shop and text of that register; the register hears the yes as its code has it."""
    with shop.stage.database.tenant(TENANT) as connection:
        connection.execute(
            insert(stores).values(tenant=TENANT, store="harbour", name="Hafen", timezone="UTC", opening=[])
        )
    phone = shop.phone()
    asked = phone.get(PATH, params={"language": "de-AT"}).json()
    assert asked["handover_id"] == HANDOVER.handover.hex()
    assert (asked["state"], asked["store"]) == ("open", "Hafen")
    assert asked["chain"]
    assert asked["notice"] == {
        "language": "de",
        "sha256": GERMAN.sha256.hex(),
        "text": GERMAN.text,
        "purposes": ["training", "evaluation"],
        "valid_days": 365,
        "languages": ["de", "en"],
    }
    assert shop.keeper.send(TENANT) == 0
    answer = phone.post(PATH, json=YES)
    assert (answer.status_code, answer.json()["state"]) == (201, "given")
    granted_at_ms = shop.stage.time()
    shop.later(400)
    assert shop.keeper.send(TENANT) == 1
    assert shop.stage.link.payloads() == [
        HandoverDown(
            handover=HANDOVER.handover,
            interaction=INTERACTION,
            purposes=(Purpose.TRAINING,),
            notice=ENGLISH.sha256,
            language="en",
            granted_at=granted_at_ms,
            expires_at=HANDOVER.expires_at_ms,
        )
    ]
    assert shop.state(phone) == "sent"
    shop.stage.receive(shop.stage.consent(interaction=INTERACTION), method="phone")
    assert shop.state(phone) == "kept"
    shop.now(HANDOVER.expires_at_ms + 1)
    assert shop.state(phone) == "kept"


def test_a_lost_message_goes_again_until_the_consent_came(shop: HandoverShop) -> None:
    """Every three seconds, by whichever keeper looks first; then never again."""
    shop.phone().post(PATH, json=YES)
    assert shop.keeper.send(TENANT) == 1
    assert shop.keeper.send(TENANT) == 0
    shop.later(SEND_AGAIN_MS)
    other = HandoverKeeper(
        shop.rows, Downlink(shop.stage.link, lambda _: CONSENT_KEY, shop.stage.time), shop.stage.time
    )
    assert other.send(TENANT) + shop.keeper.send(TENANT) == 1
    assert len(shop.stage.link.payloads()) == 2
    shop.stage.receive(shop.stage.consent(interaction=INTERACTION), frame=False, method="phone")
    shop.later(SEND_AGAIN_MS)
    assert shop.keeper.send(TENANT) == 0


def test_nothing_is_sent_when_the_code_is_over(shop: HandoverShop) -> None:
    """The page says that nothing was kept."""
    phone = shop.phone()
    phone.post(PATH, json=YES)
    shop.now(HANDOVER.expires_at_ms)
    assert shop.keeper.send(TENANT) == 0
    assert shop.state(phone) == "over"


def test_a_code_takes_one_yes(shop: HandoverShop) -> None:
    """Whoever is first; the same person again learns where it is, everybody else that it is over."""
    anna, bert = shop.phone("anna"), shop.phone("bert")
    assert bert.post(PATH, json={"granted": False}).json()["state"] == "refused"
    assert shop.given() == 0, "a no leaves nothing"
    assert anna.post(PATH, json=YES).status_code == 201
    again = anna.post(PATH, json=YES | {"purposes": ["training", "evaluation"]})
    assert (again.status_code, again.json()["state"]) == (200, "given")
    for answer in (bert.post(PATH, json=YES), bert.get(PATH)):
        assert answer.status_code == 410
        assert answer.json()["type"].endswith("#handover-over")
    assert shop.given() == 1
    with shop.stage.database.tenant(TENANT, read_only=True) as connection:
        row = connection.execute(select(handovers)).one()
    assert row.purposes == ["training"]


def test_a_revoked_register_has_no_codes_and_time_ends_them(shop: HandoverShop) -> None:
    """Revoked: 404. Over, or made by a clock that is far ahead: 410."""
    phone = shop.phone()
    shop.now(HANDOVER.issued_at_ms - CLOCK_AHEAD_MS - 1)
    assert shop.phone("carla").get(PATH).status_code == 410
    shop.now(HANDOVER.expires_at_ms)
    for answer in (phone.get(PATH), phone.post(PATH, json=YES)):
        assert answer.status_code == 410
    shop.now(HANDOVER.expires_at_ms - 1)
    assert phone.get(PATH).status_code == 200
    with shop.stage.database.tenant(TENANT) as connection:
        connection.execute(update(registers).values(state="revoked"))
    assert phone.get(PATH).status_code == 404
    assert shop.given() == 0


def test_what_is_taken_back_is_erased(shop: HandoverShop) -> None:
    """T25: from that answer on nobody opens the frame; the keeper destroys key and versions."""
    phone = shop.phone()
    phone.post(PATH, json=YES)
    shop.keeper.send(TENANT)
    given = shop.stage.consent(interaction=INTERACTION)
    shop.stage.receive(given, method="phone")
    frame = shop.stage.frame(given)
    assert shop.stage.opener.open(frame, Reader("trainer", "test"))
    address = f"/v1/handovers/{HANDOVER.handover.hex()}"
    assert shop.phone("bert").delete(address).status_code == 404
    assert shop.phone("anna", OTHER).delete(address).status_code == 404
    assert phone.delete(address).status_code == 204
    assert phone.delete(address).status_code == 204
    assert shop.state(phone) == "withdrawn"
    with pytest.raises(OpeningRefused):
        shop.stage.opener.open(frame, Reader("trainer", "test"))
    row = shop.stage.records.withdrawal(TENANT, given.consent)
    assert row is not None
    assert row.source is Source.CUSTOMER
    assert shop.stage.keeper.erase(TENANT) == 1
    assert shop.stage.versions(given) == []


def test_a_withdrawal_wins_when_its_consent_comes_later(shop: HandoverShop) -> None:
    """T25: refused from the moment it arrives, before the keeper has looked, and erased by the keeper."""
    phone = shop.phone()
    phone.post(PATH, json=YES)
    shop.keeper.send(TENANT)
    shop.stage.link.payloads()
    assert phone.delete(f"/v1/handovers/{HANDOVER.handover.hex()}").status_code == 204
    shop.later(SEND_AGAIN_MS)
    assert shop.keeper.send(TENANT) == 0, "the register hears of it no more"
    given, touched = shop.stage.consent(interaction=INTERACTION), shop.stage.consent(interaction=INTERACTION)
    shop.stage.receive(given, method="phone")
    shop.stage.receive(touched)
    with pytest.raises(OpeningRefused, match="on a phone"):
        shop.stage.opener.open(shop.stage.frame(given), Reader("trainer", "test"))
    assert shop.care.erasures(TENANT) == 1
    assert shop.stage.keeper.erase(TENANT) == 1
    left = shop.stage.versions(touched)
    assert len(left) == 1, "what was touched at the till has a slip of its own"
    assert shop.stage.opener.open(shop.stage.frame(touched), Reader("trainer", "test"))
    with shop.stage.database.tenant(TENANT, read_only=True) as connection:
        assert connection.execute(select(withdrawals.c.consent)).scalars().all() == [given.consent]


def test_a_yes_that_came_to_nothing_is_forgotten(shop: HandoverShop) -> None:
    """After a month no register sends a frame for it; one whose consent lives stays, to be taken back."""
    phone = shop.phone()
    phone.post(PATH, json=YES)
    second = code(handover=bytes(16), interaction=bytes(16))
    assert phone.post(f"/v1/handovers/{second}", json=YES).status_code == 201
    shop.stage.receive(shop.stage.consent(interaction=INTERACTION), frame=False, method="phone")
    shop.now(HANDOVER.expires_at_ms + REMEMBERED_MS - 1)
    assert shop.keeper.forget(TENANT) == 0
    shop.later(1)
    assert shop.keeper.forget(TENANT) == 1
    assert shop.given() == 1


def test_what_was_answered_long_ago_costs_the_next_look_nothing(shop: HandoverShop) -> None:
    """T27: the keeper looks several times a second, and yeses stay as long as their consents: for years."""
    database, now_ms = shop.stage.database, shop.stage.time()
    if database.is_sqlite:
        pytest.skip("what PostgreSQL's planner makes of it")
    over = [
        {
            "tenant": TENANT,
            "handover": number.to_bytes(16),
            "register": IDENTITY.register,
            "interaction": number.to_bytes(16),
            "user": bytes(32),
            "state": "sent",
            "purposes": ["training"],
            "notice": bytes(32),
            "language": "en",
            "granted_at_ms": 0,
            "expires_at_ms": now_ms - number,
            "sent_at_ms": 0,
        }
        for number in range(1, 2001)
    ]
    with database.tenant(TENANT) as connection:
        connection.execute(insert(handovers), over)
    assert rows_thrown_away(database, TENANT, "handovers", lambda: shop.keeper.send(TENANT)) < 10


def test_the_newest_text_of_a_language_is_shown_and_few_are_kept(shop: HandoverShop) -> None:
    """A register that says more than is kept loses its oldest; without any, the page is asked to wait."""
    for number in range(NOTICES_MAX + 3):
        shop.later(1)
        shop.rows.keep_notice(IDENTITY, replace(ENGLISH, text=f"Text {number}?"), shop.stage.time())
    shop.later(1)
    shop.rows.keep_notice(IDENTITY, replace(ENGLISH, text="Text 5?", valid_days=7), shop.stage.time())
    notice = shop.phone().get(PATH).json()["notice"]
    assert (notice["text"], notice["valid_days"]) == ("Text 5?", 7)
    with shop.stage.database.tenant(TENANT) as connection:
        kept = connection.execute(select(func.count()).select_from(register_notices)).scalar_one()
        assert kept == NOTICES_MAX
        connection.execute(register_notices.delete())
    answer = shop.phone().get(PATH)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
