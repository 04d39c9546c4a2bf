"""The process that tries models: its limits, and what its end means (T10)."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from edge_agent.updater.adapters import preflight_process
from edge_agent.updater.adapters.preflight_process import ProcessPreflight
from edge_agent.updater.refusal import Refusal
from edge_agent.updates.errand import PreflightLimits
from tests.builders import bad_models
from tests.builders.tiny_model import build_onnx
from wire_protocol.fleet_messages import UpdateReason

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = PreflightLimits(memory_bytes=96 << 20, cpu_s=2, wall_s=30)


def refused(folder: Path, limits: PreflightLimits = LIMITS) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ProcessPreflight(limits).try_model(str(folder))
    return caught.value


def test_a_good_model_passes(tmp_path: Path) -> None:
    """With the process that was started beforehand."""
    preflight = ProcessPreflight(LIMITS)
    preflight.prepare()
    tried = preflight.try_model(str(bad_models.stage(tmp_path, build_onnx())))
    assert 0 < tried.p50_ms <= tried.p99_ms
    assert tried.took_ms > 0


def test_a_huge_tensor_is_too_large(tmp_path: Path) -> None:
    """T10: the kernel's limit on memory, not the till's memory, is what it meets."""
    refusal = refused(bad_models.stage(tmp_path, bad_models.huge_tensor()))
    assert refusal.reason is UpdateReason.TOO_LARGE
    assert not refusal.passing


def test_a_network_without_end_is_too_slow(tmp_path: Path) -> None:
    """T10: the kernel's limit on processor time ends it."""
    limits = PreflightLimits(memory_bytes=96 << 20, cpu_s=1, wall_s=30)
    refusal = refused(bad_models.stage(tmp_path, bad_models.endless_loop()), limits)
    assert refusal.reason is UpdateReason.TOO_SLOW
    assert not refusal.passing


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.kill(os.getpid(), 11)", UpdateReason.CRASHED),
        ("import os; os.kill(os.getpid(), 9)", UpdateReason.TOO_LARGE),
        ("raise SystemExit(7)", UpdateReason.CRASHED),
        ("sys.stdout.buffer.write(b'\\xff' * 8)", UpdateReason.CRASHED),
        ("say({'reason': None, 'p50_ms': 'x'})", UpdateReason.CRASHED),
        ("say({'reason': 'not-a-model', 'words': 'because'})", UpdateReason.NOT_A_MODEL),
    ],
    ids=["segmentation fault", "killed", "exit", "noise", "nonsense", "reason"],
)
def test_what_its_end_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: UpdateReason
) -> None:
    """T10: a model that takes its process along is refused; what a ruined process says is not believed."""
    beginning = (
        "import json, struct, sys\n"
        "def say(value):\n"
        "    data = json.dumps(value).encode()\n"
        "    sys.stdout.buffer.write(struct.pack('<I', len(data)) + data)\n"
        "    sys.stdout.buffer.flush()\n"
        "say({'ready': True})\n"
        "sys.stdin.buffer.read(struct.unpack('<I', sys.stdin.buffer.read(4))[0])\n"
    )
    script = tmp_path / "worker.py"
    script.write_text(beginning + code + "\n")
    monkeypatch.setattr(preflight_process, "COMMAND", [sys.executable, str(script)])
    refusal = refused(tmp_path)
    assert refusal.reason is reason
    assert not refusal.passing


def test_a_process_that_does_not_start_is_no_word_about_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same release may be tried again."""
    monkeypatch.setattr(preflight_process, "COMMAND", [str(tmp_path / "missing")])
    refusal = refused(tmp_path)
    assert refusal.reason is UpdateReason.CRASHED
    assert refusal.passing


def test_it_is_confined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T10: no other descriptor than its pipes, no file it can write, no process it can start, no network."""
    probe = (
        "import json, os, resource, socket\n"
        "from edge_agent.updater.adapters import preflight_worker as w\n"
        "def report(directory):\n"
        "    descriptors = {}\n"
        "    for one in os.listdir('/proc/self/fd'):\n"
        "        if os.path.exists(f'/proc/self/fd/{one}'):\n"
        "            descriptors[one] = os.readlink(f'/proc/self/fd/{one}')\n"
        "    tried = {'descriptors': descriptors, 'environment': sorted(os.environ)}\n"
        "    for name in ('FSIZE', 'NPROC', 'CORE'):\n"
        "        tried[name] = resource.getrlimit(getattr(resource, 'RLIMIT_' + name))\n"
        "    tried['interfaces'] = [one[1] for one in socket.if_nameindex()]\n"
        "    return {'reason': 'crashed', 'words': json.dumps(tried)}\n"
        "w.report = report\n"
        "os.environ.clear()\n"
        "w.main()\n"
    )
    script = tmp_path / "probe.py"
    script.write_text(probe)
    monkeypatch.setattr(preflight_process, "COMMAND", [sys.executable, "-s", str(script)])
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003 - it takes no keyword
        seen = json.loads(str(refused(tmp_path)))
    assert set(seen["descriptors"]) == {"0", "1", "2"}
    assert seen["FSIZE"] == seen["NPROC"] == seen["CORE"] == [0, 0]
    assert "HOME" not in seen["environment"]
    if os.geteuid() == 0:  # others are not let go by every kernel
        assert seen["interfaces"] == ["lo"]
