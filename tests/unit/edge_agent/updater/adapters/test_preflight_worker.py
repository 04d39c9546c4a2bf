"""What the preflight says of each kind of bad model (T10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_agent.updater.adapters.preflight_worker import ROUND_RUNS, report
from tests.builders import bad_models
from tests.builders.tiny_model import build_manifest, build_onnx
from wire_protocol.fleet_messages import UpdateReason

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_good_model_is_measured(tmp_path: Path) -> None:
    """No reason against it, and figures of this machine."""
    said = report(bad_models.stage(tmp_path, build_onnx()))
    assert said["reason"] is None
    assert 0 < said["p50_ms"] <= said["p99_ms"]
    assert said["runs"] == ROUND_RUNS
    assert said["memory_bytes"] > 1 << 20


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (bad_models.custom_operator, UpdateReason.NOT_A_MODEL),
        (bad_models.external_data, UpdateReason.NOT_A_MODEL),
        (lambda: b"\x08\x09 no network", UpdateReason.NOT_A_MODEL),
        (lambda: build_onnx(nan_scores=True), UpdateReason.BROKEN_ANSWER),
        (lambda: build_onnx(fails=True), UpdateReason.BROKEN_ANSWER),
        (lambda: build_onnx(flavours=8), UpdateReason.WRONG_CONTRACT),
        (bad_models.other_size, UpdateReason.WRONG_CONTRACT),
        (bad_models.permuted_labels, UpdateReason.GOLDEN_MISMATCH),
    ],
    ids=[
        "custom operator",
        "external data",
        "no network",
        "NaN",
        "fails while it runs",
        "other number of flavours",
        "other size",
        "other order of labels",
    ],
)
def test_a_bad_model_is_refused(tmp_path: Path, network: Callable[[], bytes], reason: UpdateReason) -> None:
    """T10: each way to be bad has its reason, and words for a person."""
    said = report(bad_models.stage(tmp_path, network()))
    assert said["reason"] == reason
    assert len(said["words"]) > 20


def test_a_model_over_its_budget_is_too_slow(tmp_path: Path) -> None:
    """T10: the budget of the manifest is held to on this till."""
    said = report(bad_models.stage(tmp_path, build_onnx(), budget_ms=0.001))
    assert said["reason"] == UpdateReason.TOO_SLOW
    assert "0.001 ms" in said["words"]


def test_another_catalogue_is_refused(tmp_path: Path) -> None:
    """T10: a manifest with fewer flavours than the network has is another model's."""
    fewer = build_manifest(build_onnx(), flavours=8)
    said = report(
        bad_models.stage(tmp_path, build_onnx(), flavours=fewer["flavours"], bestsellers=fewer["bestsellers"])
    )
    assert said["reason"] == UpdateReason.WRONG_CONTRACT


def test_other_bytes_than_the_manifests(tmp_path: Path) -> None:
    """The digest is looked at once more by who loads the bytes."""
    folder = bad_models.stage(tmp_path, build_onnx())
    (folder / "model.onnx").write_bytes(build_onnx(seed=1))
    assert report(folder)["reason"] == UpdateReason.DIGEST_MISMATCH


@pytest.mark.parametrize("content", [b"", b"\xa0", None], ids=["empty", "another map", "missing"])
def test_golden_frames_that_are_none(tmp_path: Path, content: bytes | None) -> None:
    """Without golden frames nobody can tell whether the network computes here what it did there."""
    folder = bad_models.stage(tmp_path, build_onnx())
    if content is None:
        (folder / "golden.cbor").unlink()
    else:
        (folder / "golden.cbor").write_bytes(content)
    expected = UpdateReason.DISK if content is None else UpdateReason.GOLDEN_MISMATCH
    assert report(folder)["reason"] == expected
