"""Model directories with golden frames as an updater stages them, and one for each way to be bad (T10)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inference import Context, FlavourModel
from inference.golden import make
from tests.builders.tiny_model import CATALOGUE, build_manifest, build_onnx, painted_frame

SIZE = 160


def stage(folder: Path, network: bytes, *, budget_ms: float = 1000.0, **manifest: Any) -> Path:
    """A staged release of these bytes, with golden frames of the honest network."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "golden.cbor").write_bytes(_golden(folder / "honest"))
    written = build_manifest(network) | {"latency_budget_ms": {"p99": budget_ms}} | manifest
    (folder / "model.onnx").write_bytes(network)
    (folder / "manifest.json").write_text(json.dumps(written))
    return folder


def _golden(folder: Path) -> bytes:
    folder.mkdir()
    network = build_onnx()
    (folder / "model.onnx").write_bytes(network)
    (folder / "manifest.json").write_text(json.dumps(build_manifest(network)))
    everything = np.ones(len(CATALOGUE), np.bool_)
    pictures = [(painted_frame(row[0]), Context(hour=12.0), everything) for row in CATALOGUE[:3]]
    return make(FlavourModel.load(folder), pictures).to_bytes()


def custom_operator() -> bytes:
    """Uses an operator of a library that nobody reviewed."""
    return _edited(
        lambda graph: graph.node.append(helper.make_node("Mine", ["hour"], ["x"], domain="my.ops"))
    )


def external_data() -> bytes:
    """Keeps its weights in a file elsewhere on the register."""

    def outside(graph: onnx.GraphProto) -> None:
        weight = next(one for one in graph.initializer if one.name == "colour_weight")
        weight.data_location = TensorProto.EXTERNAL
        entry = weight.external_data.add()
        entry.key, entry.value = "location", "/etc/passwd"

    return _edited(outside)


def permuted_labels() -> bytes:
    """The same network over another order of flavours."""

    def turned(graph: onnx.GraphProto) -> None:
        for one in graph.initializer:
            if one.name in {"colour_weight", "colour_bias"}:
                rolled = np.roll(numpy_helper.to_array(one), 1, axis=1)
                one.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(rolled), one.name))

    return _edited(turned)


def huge_tensor() -> bytes:
    """Asks for 64 GiB while it runs."""

    def huge(graph: onnx.GraphProto) -> None:
        graph.initializer.append(numpy_helper.from_array(np.array(1 << 34, np.int64), "much"))
        graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), "first"))
        graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "single"))
        nodes = [
            # By way of an input, or it would be computed when it is loaded.
            helper.make_node("Cast", ["light"], ["light_whole"], to=TensorProto.INT64),
            helper.make_node("Add", ["light_whole", "much"], ["length"]),
            helper.make_node("ConstantOfShape", ["length"], ["zeros"]),
            helper.make_node("ReduceSum", ["zeros", "first"], ["sum"], keepdims=0),
            helper.make_node("Add", ["clean_scores", "sum"], ["heavy_scores"]),
        ]
        _insert(graph, nodes)

    return _edited(huge)


def endless_loop() -> bytes:
    """Never comes back."""

    def loop(graph: onnx.GraphProto) -> None:
        body = helper.make_graph(
            [
                helper.make_node("Identity", ["go_on"], ["still"]),
                helper.make_node("Sin", ["before"], ["after"]),
            ],
            "body",
            [
                helper.make_tensor_value_info("round", TensorProto.INT64, []),
                helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
                helper.make_tensor_value_info("before", TensorProto.FLOAT, [1, 16]),
            ],
            [
                helper.make_tensor_value_info("still", TensorProto.BOOL, []),
                helper.make_tensor_value_info("after", TensorProto.FLOAT, [1, 16]),
            ],
        )
        graph.initializer.append(numpy_helper.from_array(np.array(1 << 60, np.int64), "rounds"))
        graph.initializer.append(numpy_helper.from_array(np.array([True])[0], "yes"))
        _insert(
            graph, [helper.make_node("Loop", ["rounds", "yes", "clean_scores"], ["heavy_scores"], body=body)]
        )

    return _edited(loop)


def other_size() -> bytes:
    """A network that wants other pictures than its manifest says."""
    return build_onnx(size=96)


def digest(network: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(network).hexdigest()


def _edited(edit: Any) -> bytes:
    model = onnx.load_from_string(build_onnx())
    edit(model.graph)
    return bytes(model.SerializeToString())


def _insert(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Put nodes that turn `clean_scores` into `heavy_scores` before what uses the scores."""
    at = next(number for number, node in enumerate(graph.node) if "scores" in node.output)
    graph.node[at].input[0] = "heavy_scores"
    for offset, node in enumerate(nodes):
        graph.node.insert(at + offset, node)
