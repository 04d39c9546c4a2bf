import json
from pathlib import Path

import pytest

from edge_agent.adapters.checks import model
from edge_agent.adapters.checks.model import check_model
from edge_agent.checkup import Finding, Verdict
from edge_agent.config import EdgeConfig
from tests.builders.tiny_model import build_model_dir


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_RUNS", 2)


def findings(model_dir: Path, *, shop_kind: str | None = None) -> dict[str, Finding]:
    config = EdgeConfig(
        tenant="gelateria-sole", store="s", register="r", model_dir=model_dir, shop_kind=shop_kind
    )
    return {finding.check: finding for finding in check_model(config)}


def test_a_good_model_is_named_compared_and_timed(tmp_path: Path) -> None:
    found = findings(build_model_dir(tmp_path))
    assert found.keys() == {"model", "golden", "latency"}
    assert found["model"].verdict is found["golden"].verdict is Verdict.OK
    assert "gelateria-sole-tiny 2026.11.22, 16 flavours" in found["model"].said


def test_a_model_with_another_digest_fails(tmp_path: Path) -> None:
    build_model_dir(tmp_path)
    with (tmp_path / "model.onnx").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    found = findings(tmp_path)
    assert found.keys() == {"model"}
    assert found["model"].verdict is Verdict.FAILED
    assert found["model"].remedy


def test_another_chains_model_fails(tmp_path: Path) -> None:
    found = findings(build_model_dir(tmp_path, tenant="polar-scoop"))
    assert found["model"].verdict is Verdict.FAILED
    assert "polar-scoop" in found["model"].said


@pytest.mark.parametrize("way", ["nan_scores", "fails"])
def test_a_model_that_loads_and_cannot_answer_fails(tmp_path: Path, way: str) -> None:
    """As a finding with its remedy, after which the other checks go on."""
    found = findings(build_model_dir(tmp_path, golden=False, **{way: True}))
    assert found.keys() == {"model"}
    assert found["model"].verdict is Verdict.FAILED
    assert found["model"].remedy


def test_a_kind_of_shop_that_the_model_does_not_know_is_a_warning(tmp_path: Path) -> None:
    """A typo would otherwise cost the context's share of the sales, unseen."""
    build_model_dir(tmp_path)
    assert findings(tmp_path, shop_kind="beach")["model"].verdict is Verdict.OK
    found = findings(tmp_path, shop_kind="beech")["model"]
    assert found.verdict is Verdict.WARNING
    assert "'beech'" in found.said
    assert "beach" in found.remedy


def test_a_golden_frame_with_another_answer_fails(tmp_path: Path) -> None:
    golden = build_model_dir(tmp_path) / "golden" / "golden.json"
    rows = json.loads(golden.read_text())
    rows["frames"][0]["top3"].reverse()
    golden.write_text(json.dumps(rows))
    assert findings(tmp_path)["golden"].verdict is Verdict.FAILED


@pytest.mark.parametrize("content", [None, "{}", "nonsense", '{"frames": [{"file": "gone.png"}]}'])
def test_golden_frames_that_cannot_be_compared_are_a_warning(tmp_path: Path, content: str | None) -> None:
    build_model_dir(tmp_path, golden=False)
    if content is not None:
        (tmp_path / "golden").mkdir()
        (tmp_path / "golden" / "golden.json").write_text(content)
    assert findings(tmp_path)["golden"].verdict is Verdict.WARNING
