"""Sales over HTTP."""

import pytest

from edge_agent.errors import JournalError
from tests.builders.local_api import LocalApi

SALE = {"receipt_id": "2026/42", "lines": [{"flavour": "mango", "quantity": 2}]}
KEY = {"Idempotency-Key": "till-1/42"}


def opened(api: LocalApi) -> str:
    return str(api.client.post("/v1/interactions").json()["interaction_id"])


def test_a_sale_is_stored_and_its_repetition_gets_the_same_answer(api: LocalApi) -> None:
    """201 when it is durable, 200 for the same key and content."""
    path = f"/v1/interactions/{opened(api)}/outcome"
    first, second = (api.client.post(path, json=SALE, headers=KEY) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.content == second.content
    assert len(api.register.journal.outcomes) == 1


def test_the_receipt_id_is_recorded_only_as_an_hmac(api: LocalApi) -> None:
    """The till's number appears in no record."""
    api.client.post("/v1/outcomes", json=SALE, headers=KEY)
    ((outcome, _),) = api.register.journal.outcomes.values()
    assert "2026/42" not in repr(outcome)
    assert len(outcome.receipt_hmac) == 64


def test_the_same_key_with_another_sale_is_a_conflict(api: LocalApi) -> None:
    """409, and the first sale stays."""
    api.client.post("/v1/outcomes", json=SALE, headers=KEY)
    other = SALE | {"lines": [{"flavour": "mint", "quantity": 1}]}
    answer = api.client.post("/v1/outcomes", json=other, headers=KEY)
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("conflict")


def test_a_sale_needs_no_interaction(api: LocalApi) -> None:
    """The denominator of every measurement."""
    answer = api.client.post("/v1/outcomes", json=SALE, headers=KEY)
    assert answer.status_code == 201
    assert answer.json()["interaction_id"] is None
    assert answer.json()["stored_at"].endswith("Z")


def test_a_sale_for_a_forgotten_interaction_is_accepted(api: LocalApi) -> None:
    """Its record may have been lost with the power; the sale was not."""
    path = "/v1/interactions/01a203a7-2ca9-7f85-b2d2-1fbd4bb9502b/outcome"
    assert api.client.post(path, json=SALE, headers=KEY).status_code == 201


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lines": []}, "1 to 50 lines"),
        ({"lines": [{"flavour": "mango", "quantity": 0}]}, "quantity 0"),
        ({"lines": [{"flavour": "mango", "quantity": "2"}]}, "`lines.0.quantity`"),
        ({"lines": [{"flavour": "mango"}]}, "`lines.0.quantity` is missing"),
        ({"lines": [{"flavour": "bubblegum", "quantity": 1}]}, "bubblegum"),
        ({"receipt_id": ""}, "receipt_id"),
        ({"receipt_id": 42}, "`receipt_id`"),
        ({"customer": "Anna"}, "`customer` is not known here"),
    ],
)
def test_an_impossible_sale_is_refused(still_api: LocalApi, change: dict[str, object], told: str) -> None:
    """422 names what is wrong; nothing is stored."""
    answer = still_api.client.post("/v1/outcomes", json=SALE | change, headers=KEY)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert still_api.register.journal.outcomes == {}


def test_the_key_is_asked_for(still_api: LocalApi) -> None:
    """Without it a repetition could not be told from a second sale."""
    answer = still_api.client.post("/v1/outcomes", json=SALE)
    assert answer.status_code == 422
    assert "`Idempotency-Key` is missing" in answer.json()["detail"]


def test_a_refusing_disk_is_503_and_says_try_again(api: LocalApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is acknowledged that is not durable."""

    def refuse(_: object) -> None:
        raise JournalError("the disk refused", remedy="Send it again.")

    monkeypatch.setattr(api.register.journal, "outcome", refuse)
    answer = api.client.post("/v1/outcomes", json=SALE, headers=KEY)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("journal-unavailable")
