import json
from typing import Any

import pytest

from model_registry.releases.service_keys import service_keys_file
from wire_protocol.errors import OperatorError

KEY = {
    "purpose": "fleet",
    "algorithm": "EDDSA",
    "kid": "00" * 16,
    "public": "11" * 32,
    "valid_from_ms": 1,
    "valid_until_ms": None,
}


def test_nothing_but_the_keys_is_signed() -> None:
    printed = {"tenant": "x", "name": "secret", "service_keys": [{**KEY, "more": 1}]}
    assert json.loads(service_keys_file(json.dumps(printed).encode(), "x")) == {
        "format": "topscoop.service-keys/1",
        "tenant": "x",
        "keys": [KEY],
    }


def test_their_order_does_not_matter() -> None:
    rows = [KEY, {**KEY, "purpose": "files"}]
    made = {
        service_keys_file(json.dumps({"tenant": "x", "service_keys": order}).encode(), "x")
        for order in (rows, rows[::-1])
    }
    assert len(made) == 1


@pytest.mark.parametrize(
    "keys",
    [
        None,
        [],
        [1],
        [{}],
        [{**KEY, "kid": "zz"}],
        [{**KEY, "public": 1}],
        [{**KEY, "purpose": "Fleet!"}],
        [{**KEY, "valid_from_ms": "1"}],
    ],
    ids=["none", "empty", "number", "bare", "kid", "public", "purpose", "time"],
)
def test_something_else_is_refused(keys: Any) -> None:
    with pytest.raises(OperatorError, match="service keys"):
        service_keys_file(json.dumps({"tenant": "x", "service_keys": keys}).encode(), "x")


def test_no_json_is_refused() -> None:
    with pytest.raises(OperatorError, match="cannot be read"):
        service_keys_file(b"topscoop: error", "x")
