import json
import shutil
from pathlib import Path

import pytest

from tests.builders.release_repository import chain_model
from tests.unit.model_registry.commands.conftest import CHAIN, MODEL, Model


@pytest.fixture
def copied(folder: Path) -> Path:
    """A model directory that may be spoiled."""
    return chain_model(CHAIN).noted("another").write(folder / "model", golden_of=CHAIN)


def test_a_draft_waits_for_its_key(model: Model, copied: Path) -> None:
    made = model("sign model --store store --release 6 --out draft")
    assert made["missing"] == {"targets": 1}
    assert "release 6 is published" in made["changes"][0]
    signed = model("sign draft --key keys/targets.pem --yes")
    assert signed == {"changes": made["changes"], "signed": ["targets"], "missing": {}}


def test_a_draft_takes_no_other_ones_place(model: Model, copied: Path) -> None:
    """It may hold signatures that somebody travelled for."""
    model("sign model --store store --release 6 --out draft")
    assert "draft holds a draft" in model("sign model --store store --release 7 --out draft")


def test_nothing_is_signed_unseen(model: Model, copied: Path) -> None:
    """Without a terminal somebody has to say --yes; what would be signed was told."""
    model("sign model --store store --release 6 --out draft")
    said = model("sign draft --key keys/targets.pem")
    assert "release 6 is published" in said
    assert "afterwards listed: 5, 6; withdrawn: none; minimum 0" in said
    assert "targets 3, which follow 2" in said
    assert "nobody can be asked here" in said


def test_the_gate_says_every_reason(model: Model, copied: Path) -> None:
    report = json.loads((copied / "report.json").read_bytes())
    report["unchanged"]["skin"] = 0.5
    report["int8_loss_points"] = 4
    (copied / "report.json").write_text(json.dumps(report))
    said = model("sign model --store store --release 6 --out draft")
    assert "the release gate refuses model" in said
    assert "- skin changes the three flavours of 50.0%" in said
    assert "- int8 loses 4.00 points" in said
    assert not Path("draft").exists()


def test_a_model_without_a_report_is_refused(model: Model, copied: Path) -> None:
    (copied / "report.json").unlink()
    assert "there is no report.json" in model("sign model --store store --release 6 --out draft")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--release 5 --store store --out d", "release 5 exists: a number is never used twice"),
        ("--release 4 --store store --out d", "release 4 is below 5: numbers grow"),
        ("--release 0 --store store --out d", "0 is no release"),
        ("--store store --out d", "a model needs a number"),
        ("--release 6 --store store", "nothing was done"),
        ("--release 6 --store elsewhere --out d", "there is no release repository"),
    ],
    ids=["again", "below", "zero", "none", "nowhere", "elsewhere"],
)
def test_an_impossible_release_is_told(words: str, said: str, model: Model) -> None:
    assert said in model(f"sign {MODEL} {words}")


def test_a_model_of_another_chain_goes_to_its_own_repository(model: Model, folder: Path) -> None:
    other = MODEL.parent / "gelateria-sole"
    assert "there is no release repository" in model(f"sign {other} --store store --release 6 --out d")


def test_a_half_copied_draft_is_refused(model: Model, copied: Path, folder: Path) -> None:
    model("sign model --store store --release 6 --out draft")
    shutil.rmtree(folder / "draft" / "targets")
    assert "is no draft, or incomplete" in model("sign draft --key keys/targets.pem --yes")


@pytest.mark.parametrize("part", ["../../evil", "targets/../../evil", "/etc/passwd", "metadata/x.json"])
def test_a_draft_reaches_nothing_outside(part: str, model: Model, copied: Path, folder: Path) -> None:
    model("sign model --store store --release 6 --out draft")
    note = json.loads((folder / "draft" / "draft.json").read_bytes())
    note["parts"].append(part)
    (folder / "draft" / "draft.json").write_text(json.dumps(note))
    assert "names a part" in model("sign draft --key keys/targets.pem --yes")


def test_a_key_that_others_may_read_is_refused(model: Model, copied: Path, folder: Path) -> None:
    model("sign model --store store --release 6 --out draft")
    (folder / "keys" / "targets.pem").chmod(0o644)
    assert "others may read" in model("sign draft --key keys/targets.pem --yes")
