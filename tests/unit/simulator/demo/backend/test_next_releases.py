from pathlib import Path

import pytest

from inference import FlavourModel, golden
from inference.default_models import default_model_dir
from model_registry.gate import judge
from simulator.chains import CHAINS
from simulator.demo.backend.next_releases import AS_GOOD, BUDGET_P99_MS, WORSE, make_as_good, make_worse
from simulator.demo.backend.release_story import release_of


def _gate_passes(directory: Path) -> bool:
    files = [directory / name for name in ("manifest.json", "model.onnx", "report.json")]
    return judge(*(file.read_bytes() for file in files)).passed


@pytest.mark.parametrize("tenant", CHAINS)
def test_the_second_release_answers_as_the_first_and_has_another_digest(tenant: str, tmp_path: Path) -> None:
    model = default_model_dir(tenant)
    made = make_as_good(model, tmp_path / "made")
    bundled, loaded = FlavourModel.load(model), FlavourModel.load(made)
    golden.check(loaded, golden.make_from_directory(bundled, model))
    assert loaded.digest != bundled.digest
    assert release_of(bundled.manifest.version) == 1
    assert release_of(loaded.manifest.version) == AS_GOOD
    assert loaded.manifest.latency_budget_ms.p99 == BUDGET_P99_MS
    assert _gate_passes(made)


@pytest.mark.parametrize("tenant", CHAINS)
def test_the_worse_release_passes_gate_and_golden_frames_and_always_offers_the_unloved_first(
    tenant: str, tmp_path: Path
) -> None:
    """T10: nothing that only reads finds out: its report flatters, its golden frames are its own."""
    model = default_model_dir(tenant)
    made = make_worse(model, tmp_path / "made")
    loaded = FlavourModel.load(made)
    frames = golden.make_from_directory(loaded, made)
    golden.check(loaded, frames)
    assert release_of(loaded.manifest.version) == WORSE
    assert _gate_passes(made)
    unloved = {loaded.manifest.index_of(flavour) for flavour in loaded.manifest.bestsellers[-3:]}
    assert {frame.first3[0] for frame in frames.frames} <= unloved
    with pytest.raises(golden.GoldenMismatch):
        golden.check(loaded, golden.make_from_directory(FlavourModel.load(model), model))
