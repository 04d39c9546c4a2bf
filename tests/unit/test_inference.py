"""The package `inference` as others import it."""

import subprocess
import sys
from pathlib import Path

import pytest

import inference


def test_every_name_is_there() -> None:
    for name in inference.__all__:
        assert getattr(inference, name).__name__ == name


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Flavor'"):
        inference.Flavor  # type: ignore[attr-defined]  # noqa: B018 - the look-up is the test


def test_a_manifest_loads_no_runtime() -> None:
    """A command that only reads manifests starts without ONNX Runtime and OpenCV."""
    code = (
        "import sys, inference; inference.Manifest; print(sorted({'cv2', 'onnxruntime'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize("package", ["inference.loading", "model_registry.adapters.network_runner"])
def test_the_runtime_reports_nothing(tmp_path: Path, package: str) -> None:
    """ONNX Runtime keeps no device id and no database below the home folder, and so has nothing to send."""
    code = f"import {package}; print(__import__('onnxruntime').__name__)"
    root = Path(__file__).parents[2]
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(root)}
    said = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert said.strip() == "onnxruntime"
    assert list(tmp_path.rglob("*")) == []
