from pathlib import Path

import pytest

from tests.unit.model_registry.commands.conftest import CHAIN, Model

VERIFY = f"verify --store store --chain {CHAIN} --root keys/{CHAIN}.root.json"


def _one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(f"store/tuf/{CHAIN}/{pattern}")
    return found


def test_all_is_well(model: Model) -> None:
    found = model(VERIFY)
    assert found["versions"] == {"root": 1, "targets": 2, "snapshot": 2, "timestamp": 2}
    assert found["releases"] == [5]
    assert found["files"] == 2


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("targets/releases/5/*.model.onnx", "releases/5/model.onnx is not what is signed"),
        ("targets/releases/5/*.golden.cbor", "releases/5/golden.cbor is not what is signed"),
        ("metadata/timestamp.json", "a register would refuse this metadata"),
        ("metadata/2.snapshot.json", "a register would refuse this metadata"),
        ("metadata/2.targets.json", "a register would refuse this metadata"),
    ],
    ids=["network", "golden", "timestamp", "snapshot", "targets"],
)
def test_a_changed_file_is_found(pattern: str, said: str, model: Model, folder: Path) -> None:
    """T8: whatever is changed in the store, no register takes it."""
    path = _one(folder, pattern)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert said in model(VERIFY)


@pytest.mark.parametrize("pattern", ["targets/releases/5/*.model.onnx", "metadata/2.targets.json"])
def test_a_missing_file_is_found(pattern: str, model: Model, folder: Path) -> None:
    _one(folder, pattern).unlink()
    assert model(VERIFY).startswith("1: ")


def test_another_chains_root_is_no_root(model: Model, folder: Path) -> None:
    """T8: metadata from another chain."""
    other = model("init --development --no-model-signing --chain gelateria-sole --store s2 --keys keys2")
    assert "a register would refuse" in model(f"verify --store store --chain {CHAIN} --root {other['root']}")
    assert "cannot read" in model(f"verify --store store --chain {CHAIN} --root missing.json")
