import sys
from pathlib import Path

import numpy as np
import pytest

from model_registry.adapters import simulator_process
from model_registry.adapters.simulator_process import SimulatorProcesses
from model_registry.errors import WorldFailed
from model_registry.orders import SplitPlan
from wire_protocol.errors import OperatorError

WORLD = """
import json, sys, time
import numpy as np
request = json.loads(sys.argv[2])
for first, count in request["chunks"]:
    if first == FAIL_AT:
        sys.exit("no more ice")
    rows = np.arange(first, first + count)
    part = f"{request['out']}/.{first}.part.npz"
    np.savez(part, order=rows, hour=rows, weekday=rows, temperature_c=rows * 1.0, purchase=rows,
             shop=np.array(["beach"] * count), frames=np.full((count, 2, 2, 3), first % 256, np.uint8))
    import os
    os.rename(part, f"{request['out']}/{first:08d}.npz")
"""


def use_world(monkeypatch: pytest.MonkeyPatch, folder: Path, fail_at: int) -> None:
    """Put a program in the simulator's place that sells without rendering."""
    program = folder / "world.py"
    program.write_text(WORLD.replace("FAIL_AT", str(fail_at)), "utf-8")
    monkeypatch.setattr(simulator_process, "_COMMAND", (sys.executable, str(program)))


@pytest.mark.parametrize("processes", [1, 3])
def test_every_wanted_chunk_comes_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, processes: int
) -> None:
    use_world(monkeypatch, tmp_path, fail_at=-1)
    split = SplitPlan("train", 1700)
    wanted = split.chunks()[1:]
    chunks = list(SimulatorProcesses(processes).chunks("test-chain", split, wanted, 2))
    assert sorted((chunk.first, len(chunk.orders)) for chunk in chunks) == wanted
    for chunk in chunks:
        assert chunk.orders.truth is None
        assert np.all(chunk.frames == chunk.first % 256)


def test_a_failing_world_says_why_and_what_came_before_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_world(monkeypatch, tmp_path, fail_at=500)
    split = SplitPlan("train", 1000)
    got = []
    with pytest.raises(WorldFailed, match="no more ice") as caught:
        got.extend(SimulatorProcesses(1).chunks("test-chain", split, split.chunks(), 2))
    assert "again" in caught.value.remedy


def test_nothing_wanted_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator_process, "_COMMAND", ("/nonexistent",))
    assert list(SimulatorProcesses(1).chunks("test-chain", SplitPlan("train", 9), [], 2)) == []


def test_a_chain_is_described_by_the_simulator() -> None:
    """The real program: catalogue, context and the attributes that carry no taste."""
    pytest.importorskip("dicebear")
    catalogue = SimulatorProcesses(1).catalogue("polar-scoop")
    assert catalogue.tenant == "polar-scoop"
    assert len(catalogue.flavours) == 12
    assert "skin" in catalogue.nuisances


def test_an_unknown_chain_is_an_operators_mistake() -> None:
    with pytest.raises(OperatorError, match="no-such-chain"):
        SimulatorProcesses(1).catalogue("no-such-chain")
