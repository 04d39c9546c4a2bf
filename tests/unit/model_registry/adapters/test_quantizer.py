from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from model_registry.adapters.quantizer import quantize
from model_registry.graph import student_network
from model_registry.network import StudentShape, random_weights

FLAVOURS = 4
Inputs = dict[str, NDArray[Any]]


@pytest.fixture
def networks(
    shape: StudentShape, make_inputs: Callable[[int], Inputs]
) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    precise = student_network(shape, random_weights(shape, FLAVOURS, 7), FLAVOURS, 1.0)
    return precise, quantize(precise, [make_inputs(seed) for seed in range(20)])


def test_int8_stays_close_to_fp32(
    networks: tuple[onnx.ModelProto, onnx.ModelProto], make_inputs: Callable[[int], Inputs]
) -> None:
    """Scores differ by a small part of how far they vary from frame to frame."""
    found = []
    for network in networks:
        session = ort.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
        found.append(np.array([session.run(["scores"], make_inputs(seed))[0][0] for seed in range(50, 90)]))
    precise, small = found
    assert float(np.abs(small - precise).mean()) < 0.2 * float(precise.std())


def test_the_frame_is_the_quantized_tensor(networks: tuple[onnx.ModelProto, onnx.ModelProto]) -> None:
    """Bytes are regrouped and go straight to the first convolution: no cast, no arithmetic per pixel."""
    graph = networks[1].graph
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert not [node for node in graph.node if node.op_type == "Cast"]
    reads = {name: node for node in graph.node for name in node.input}
    path, name = [], "frame"
    while not path or path[-1] != "Conv":
        node = reads[name]
        path.append(node.op_type)
        name = node.output[0]
    assert path == ["Reshape", "Transpose", "DequantizeLinear", "Conv"]


def test_every_convolution_runs_in_int8(
    networks: tuple[onnx.ModelProto, onnx.ModelProto], tmp_path: Any
) -> None:
    """After ONNX Runtime has fused the graph, no float convolution is left."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "fused.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(networks[1].SerializeToString(), options, providers=["CPUExecutionProvider"])
    operators = [node.op_type for node in onnx.load(tmp_path / "fused.onnx").graph.node]
    convolutions = [node for node in networks[1].graph.node if node.op_type == "Conv"]
    assert operators.count("Conv") == 0
    assert operators.count("QLinearConv") == len(convolutions)


def test_the_source_is_not_changed(shape: StudentShape, make_inputs: Callable[[int], Inputs]) -> None:
    precise = student_network(shape, random_weights(shape, FLAVOURS, 7), FLAVOURS, 1.0)
    before = precise.SerializeToString()
    quantize(precise, [make_inputs(1)])
    assert precise.SerializeToString() == before
