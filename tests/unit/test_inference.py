"""The package `inference` as others import it."""

import subprocess
import sys

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
