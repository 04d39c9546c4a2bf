from pathlib import Path

import pytest

from tests.unit.model_registry.commands.conftest import Model


@pytest.fixture
def phrase(folder: Path) -> Path:
    path = folder / "phrase"
    path.write_text("six words are easy to keep\n")
    return path


def test_a_key_is_made_and_shown(model: Model, phrase: Path) -> None:
    made = model("keys make targets --out new/targets.pem --passphrase-file phrase")
    assert model("keys show new/targets.pub") == {"new/targets.pub": made["keyid"]}


def test_a_key_is_never_overwritten(model: Model, phrase: Path, folder: Path) -> None:
    model("keys make root --out root.pem --passphrase-file phrase")
    before = (folder / "root.pem").read_bytes()
    assert "a key is never overwritten" in model("keys make root --out root.pem --passphrase-file phrase")
    assert (folder / "root.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("keys make root", "which key, and where to?"),
        ("keys make root --out r.pem --development --folder f", "--development makes all keys"),
        ("keys show keys/missing.pub", "cannot read the public key"),
        ("keys make root --out r.pem", "nobody can be asked here"),
    ],
    ids=["no-file", "both", "missing", "no-terminal"],
)
def test_wrong_use_is_told(words: str, said: str, model: Model) -> None:
    assert said in model(words)


def test_a_short_passphrase_is_refused(model: Model, phrase: Path) -> None:
    phrase.write_text("short")
    assert "12 characters" in model("keys make root --out r.pem --passphrase-file phrase")
