"""What the routes refuse: codes of nobody, of another chain, and yeses to what was not read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.builders.handover_shop import OTHER, PATH, YES, HandoverShop, code
from tests.builders.wire_messages import CONSENT_KEY, HANDOVER_CODE, TENANT


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[HandoverShop]:
    made = HandoverShop(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    "wrong",
    [
        HANDOVER_CODE[:-2] + "AA",
        "7",
        code(CONSENT_KEY),
        code(tenant=OTHER),
        code(register="till-unknown"),
    ],
    ids=["flipped", "no code", "forged", "other chain", "unknown register"],
)
def test_what_no_register_of_this_chain_made_is_no_code_t5(shop: HandoverShop, wrong: str) -> None:
    """T5, T7: the same 404 whatever is wrong, for reading and for answering."""
    phone = shop.phone()
    for answer in (phone.get(f"/v1/handovers/{wrong}"), phone.post(f"/v1/handovers/{wrong}", json=YES)):
        assert answer.status_code == 404, answer.text
        assert answer.json()["type"].endswith("#not-found")
    assert shop.given() == 0


def test_another_chains_host_knows_no_code_and_nobody_answers_unseen_t7(shop: HandoverShop) -> None:
    """T7: the code counts on its own chain's host alone, and only for who is logged in there."""
    assert shop.phone("anna", OTHER).get(PATH).status_code == 404
    stranger = TestClient(shop.api.app, base_url=shop.api.desk.origin(TENANT))
    assert stranger.get(PATH).status_code == 401
    assert stranger.post(PATH, json=YES).status_code == 401


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"notice_sha256": "00" * 32}, "notice-unknown"),
        ({"language": "de"}, "notice-unknown"),
        ({"purposes": ["training", "training"]}, "notice-unknown"),
        ({"purposes": ["sale"]}, "notice-unknown"),
        ({"purposes": []}, "consent-missing"),
        ({"notice_sha256": None}, "consent-missing"),
        ({"language": None}, "consent-missing"),
        ({"notice_sha256": "x"}, "invalid"),
        ({"more": 1}, "invalid"),
    ],
)
def test_a_yes_names_what_was_read(shop: HandoverShop, changes: dict[str, object], slug: str) -> None:
    """A text of this register, in its language, and purposes out of it."""
    answer = shop.phone().post(PATH, json=YES | changes)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith(f"#{slug}")
    assert shop.given() == 0
