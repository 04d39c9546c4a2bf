"""Everything that can be wrong with a model directory has its own error."""

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from inference.errors import (
    DigestMismatch,
    ManifestError,
    ModelError,
    ModelFileMissing,
    NotAModel,
    WrongContract,
)
from inference.loading import load, read_manifest
from tests.builders.tiny_model import build_model_dir, build_onnx


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return build_model_dir(tmp_path / "model", golden=False)


def replace_network(directory: Path, data: bytes, **manifest_changes: Any) -> None:
    """Put another network there, with a manifest that agrees with its bytes."""
    (directory / "model.onnx").write_bytes(data)
    path = directory / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["model"].update(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    manifest.update(manifest_changes)
    path.write_text(json.dumps(manifest), "utf-8")


def refused(directory: Path, error: type[ModelError], problem: str) -> None:
    with pytest.raises(error, match=problem) as caught:
        load(directory)
    assert caught.value.remedy


def test_a_good_directory_loads(directory: Path) -> None:
    assert load(directory).manifest.tenant == "gelateria-sole"


def test_a_missing_directory(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", ModelFileMissing, "there is no model directory .*nowhere")


def test_a_file_instead_of_a_directory(directory: Path) -> None:
    refused(directory / "model.onnx", ModelFileMissing, "there is no model directory")


def test_a_missing_manifest(directory: Path) -> None:
    (directory / "manifest.json").unlink()
    refused(directory, ModelFileMissing, r"cannot read .*manifest\.json: no such file")


def test_a_missing_network(directory: Path) -> None:
    (directory / "model.onnx").unlink()
    refused(directory, ModelFileMissing, r"cannot read .*model\.onnx: no such file")


def test_a_directory_instead_of_a_network(directory: Path) -> None:
    (directory / "model.onnx").unlink()
    (directory / "model.onnx").mkdir()
    refused(directory, ModelFileMissing, "is a directory")


def test_a_broken_manifest_is_named_with_its_directory(directory: Path) -> None:
    (directory / "manifest.json").write_text("{}")
    refused(directory, ManifestError, r"model: manifest\.json: contract is missing")


def test_a_manifest_can_be_read_without_the_network(directory: Path) -> None:
    (directory / "model.onnx").unlink()
    assert read_manifest(directory).name == "gelateria-sole-tiny"


def test_one_changed_byte(directory: Path) -> None:
    data = bytearray((directory / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (directory / "model.onnx").write_bytes(data)
    refused(directory, DigestMismatch, r"model\.onnx has SHA-256 .* its manifest says")


def test_a_truncated_network(directory: Path) -> None:
    data = (directory / "model.onnx").read_bytes()
    (directory / "model.onnx").write_bytes(data[:-1])
    refused(directory, DigestMismatch, f"has {len(data) - 1} bytes, its manifest says {len(data)}")


def test_a_longer_network_is_not_read_to_its_end(directory: Path) -> None:
    with (directory / "model.onnx").open("ab") as file:
        file.truncate(1 << 40)
    refused(directory, DigestMismatch, "has more than")


def test_a_file_that_is_no_network(directory: Path) -> None:
    replace_network(directory, b"I am a shopping list\n")
    refused(directory, NotAModel, "no ONNX network")


def test_a_network_that_the_runtime_cannot_load(directory: Path) -> None:
    """Its structure is fine, its operator does not exist."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    odd = helper.make_graph([helper.make_node("Invented", ["x"], ["y"])], "g", [value], [value])
    replace_network(directory, helper.make_model(odd).SerializeToString())
    refused(directory, NotAModel, "ONNX Runtime cannot load the network")


def test_a_network_for_frames_of_another_size(directory: Path) -> None:
    replace_network(directory, build_onnx(size=128))
    refused(
        directory, WrongContract, r"input 'frame' is tensor\(uint8\) \[1, 128, 128, 3\], the manifest needs"
    )


def test_a_network_for_another_catalogue(directory: Path) -> None:
    replace_network(directory, build_onnx(flavours=12))
    refused(
        directory, WrongContract, r"'in_stock' is .*\[1, 12\].* 'scores' is .*\[1, 12\]|'in_stock'.*\[1, 12\]"
    )


def test_a_network_for_another_context(directory: Path) -> None:
    hour = {"name": "hour", "encoding": "cyclic", "period": 24}
    replace_network(directory, build_onnx(), context=[hour])
    refused(directory, WrongContract, r"'context' is .*\[1, 9\], the manifest needs tensor\(float\) \[1, 2\]")


def test_a_network_with_another_output(directory: Path) -> None:
    """A missing and an unknown name are both said, in one go."""
    model = onnx.load_from_string(build_onnx())
    for node in model.graph.node:
        for index, name in enumerate(node.output):
            if name == "nobody":
                node.output[index] = "somebody"
    model.graph.output[3].name = "somebody"
    replace_network(directory, model.SerializeToString())
    refused(directory, WrongContract, "output 'nobody' is missing; output 'somebody' is unknown")


def test_a_network_that_takes_floats(directory: Path) -> None:
    model = onnx.load_from_string(build_onnx())
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    replace_network(directory, model.SerializeToString())
    refused(directory, WrongContract, r"input 'frame' is tensor\(float\)")


def test_a_network_with_a_free_batch_size(directory: Path) -> None:
    """Buffers are bound once: every size must be known."""
    model = onnx.load_from_string(build_onnx())
    model.graph.input[1].type.tensor_type.shape.dim[0].dim_param = "batch"
    replace_network(directory, model.SerializeToString())
    refused(directory, WrongContract, r"input 'context' is tensor\(float\) \['batch', 9\]")
