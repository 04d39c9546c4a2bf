import asyncio
import threading
from pathlib import Path

import pytest

from edge_agent.errors import ModelRefusedError
from edge_agent.model_slot import ModelSlot
from inference import FlavourModel
from tests.builders.tiny_model import build_model_dir


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return build_model_dir(tmp_path / "model", golden=False)


def test_loading_does_not_use(model_dir: Path) -> None:
    slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
    model = slot.load(model_dir)
    assert slot.current is None
    assert slot.put(model, model_dir) is None
    assert (slot.current, slot.directory) == (model, model_dir)


@pytest.mark.parametrize("damage", ["missing", "digest", "manifest", "tenant", "not-a-model"])
def test_what_is_no_model_of_this_chain_is_refused(model_dir: Path, damage: str) -> None:
    network = model_dir / "model.onnx"
    match damage:
        case "missing":
            network.unlink()
        case "digest":
            network.write_bytes(network.read_bytes() + b"\0")
        case "manifest":
            (model_dir / "manifest.json").write_text("{}")
        case "tenant":
            build_model_dir(model_dir, tenant="polar-scoop", golden=False)
        case "not-a-model":
            model_dir = network
    with pytest.raises(ModelRefusedError) as refusal:
        ModelSlot(FlavourModel.load, tenant="gelateria-sole").load(model_dir)
    assert str(model_dir) in str(refusal.value)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("way", "told"), [("nan_scores", "no finite numbers"), ("fails", "fails while it runs")]
)
def test_a_model_without_a_first_answer_is_refused(tmp_path: Path, way: str, told: str) -> None:
    """It loads and keeps its contract; only an answer shows that it is of no use."""
    directory = build_model_dir(tmp_path, golden=False, **{way: True})
    with pytest.raises(ModelRefusedError, match=told) as refusal:
        ModelSlot(FlavourModel.load, tenant="gelateria-sole").load(directory)
    assert refusal.value.remedy


async def test_the_model_before_serves_until_the_new_one_is_ready(model_dir: Path, tmp_path: Path) -> None:
    """Loading happens in a thread; the loop goes on, and two swaps do not mix."""
    gate, loading, threads = threading.Event(), asyncio.Event(), []
    loop = asyncio.get_running_loop()

    def slow_load(directory: Path) -> FlavourModel:
        threads.append(threading.current_thread())
        loop.call_soon_threadsafe(loading.set)
        assert gate.wait(10)
        return FlavourModel.load(directory)

    slot = ModelSlot(slow_load, tenant="gelateria-sole")
    first = FlavourModel.load(model_dir)
    slot.put(first, model_dir)
    other = build_model_dir(tmp_path / "other", version="2", golden=False)
    swaps = [asyncio.create_task(slot.swap(one)) for one in (other, model_dir)]
    await loading.wait()
    assert slot.current is first
    gate.set()
    models = await asyncio.gather(*swaps)
    assert [model.manifest.version for model in models] == ["2", "2026.11.22"]
    assert slot.current is models[1]
    assert threading.current_thread() not in threads


def test_a_slot_can_be_emptied(model_dir: Path) -> None:
    """Then there is no model, and no directory of one."""
    slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
    model = slot.load(model_dir)
    slot.put(model, model_dir)
    assert slot.clear() is model
    assert (slot.current, slot.directory, slot.clear()) == (None, None, None)
