import json
from pathlib import Path

from tests.unit.model_registry.commands.conftest import CHAIN, Model

PLACE = f"--store store --chain {CHAIN} --keys keys"
PRINTED = {
    "tenant": CHAIN,
    "name": "Polar Scoop",
    "service_keys": [
        {
            "purpose": "receipts",
            "algorithm": "EDDSA",
            "kid": "00" * 16,
            "public": "11" * 32,
            "valid_from_ms": 1,
            "valid_until_ms": None,
        }
    ],
}


def test_they_become_a_signed_target(model: Model, folder: Path) -> None:
    (folder / "keys.json").write_text(json.dumps(PRINTED))
    assert model(f"service-keys keys.json {PLACE}")["changes"] == ["service-keys.json is new or another"]
    root = folder / "keys" / f"{CHAIN}.root.json"
    found = model(f"verify --store store --chain {CHAIN} --root {root} --no-models")
    assert found["files"] == 3


def test_something_else_is_told(model: Model, folder: Path) -> None:
    (folder / "keys.json").write_text(json.dumps({**PRINTED, "tenant": "gelateria-sole"}))
    assert f"are not those of {CHAIN}" in model(f"service-keys keys.json {PLACE}")
    assert "cannot read" in model(f"service-keys missing.json {PLACE}")
