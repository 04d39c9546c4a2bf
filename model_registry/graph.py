"""Weights become an ONNX network that keeps the model contract `topscoop.recommend/1`."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from model_registry.network import PATCH, Convolution, StudentShape, Weights

OPSET, IR_VERSION = 17, 9
PIXELS = "pixels"
"""The frame as float; quantization replaces the cast that makes it, see `quantized_input`."""
OUT_OF_STOCK = -1e30
SLATE = 3


class _Builder:
    """Collects nodes and initializers; every method returns the name of what it computes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolution(self, spec: Convolution, weights: Weights, source: str) -> str:
        kernel = weights[f"{spec.name}.weight"]
        kernel_shape, strides = [spec.kernel] * 2, [spec.stride] * 2
        if spec.name == "stem":
            # The frame arrives with each row's pixels grouped by patch, so that a patch is PATCH rows of
            # one "pixel" with 3 * PATCH channels: 12 bytes in a row are read at once instead of 3.
            kernel = kernel.transpose(0, 3, 1, 2).reshape(spec.outputs, 3 * PATCH, PATCH, 1)
            kernel_shape, strides = [PATCH, 1], [PATCH, 1]
        self.node(
            "Conv",
            [
                source,
                self.constant(f"{spec.name}.weight", kernel),
                self.constant(f"{spec.name}.bias", weights[f"{spec.name}.bias"]),
            ],
            spec.name,
            kernel_shape=kernel_shape,
            strides=strides,
            pads=[spec.padding] * 4,
        )
        return self.node("Relu", [spec.name], f"{spec.name}.relu")

    def linear(self, name: str, weights: Weights, source: str, add: str | None = None) -> str:
        inputs = [source, self.constant(f"{name}.weight", weights[f"{name}.weight"])]
        if add is not None:
            inputs.append(add)
        elif f"{name}.bias" in weights:
            inputs.append(self.constant(f"{name}.bias", weights[f"{name}.bias"]))
        return self.node("Gemm", inputs, name)


def student_network(
    shape: StudentShape, weights: Weights, flavours: int, temperature: float
) -> onnx.ModelProto:
    """The fp32 network with the whole contract inside: normalisation, calibration, stock mask, top-3.

    Args:
        shape: The architecture that the weights belong to.
        weights: Batch normalisation and pixel normalisation already folded in.
        flavours: Length of the catalogue.
        temperature: What logits are divided by, so that probabilities mean what they say.
    """
    build = _Builder()
    grouped = build.constant("grouped", np.array([1, shape.size, shape.size // PATCH, 3 * PATCH], np.int64))
    rows = build.node("Reshape", ["frame", grouped], "rows")
    channels_first = build.node("Transpose", [rows], "channels_first", perm=[0, 3, 1, 2])
    source = build.node("Cast", [channels_first], PIXELS, to=TensorProto.FLOAT)
    for spec in shape.convolutions():
        source = build.convolution(spec, weights, source)
    pooled = build.node("GlobalAveragePool", [source], "pooled")
    picture = build.node("Flatten", [pooled], "picture")
    _head(build, weights, picture, temperature)
    _contract(build)
    graph = helper.make_graph(
        build.nodes,
        "topscoop",
        [
            helper.make_tensor_value_info("frame", TensorProto.UINT8, [1, shape.size, shape.size, 3]),
            helper.make_tensor_value_info("context", TensorProto.FLOAT, [1, shape.context]),
            helper.make_tensor_value_info("in_stock", TensorProto.BOOL, [1, flavours]),
        ],
        [
            helper.make_tensor_value_info("top3", TensorProto.INT64, [1, SLATE]),
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, [1, SLATE]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, flavours]),
            helper.make_tensor_value_info("nobody", TensorProto.FLOAT, [1]),
        ],
        build.initializers,
    )
    model = helper.make_model(
        graph, producer_name="topscoop", ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _head(build: _Builder, weights: Weights, picture: str, temperature: float) -> None:
    """Picture and context become `scores` and `nobody`; `StudentShape.head_shapes` has the formula."""
    calibrated = dict(weights)
    for name in ("out.weight", "out.bias", "picture_out.weight", "context_out.weight"):
        calibrated[name] = (weights[name] / temperature).astype(np.float32)
    context = build.node("Relu", [build.linear("context_in", calibrated, "context")], "context_in.relu")
    seen = build.linear("picture_in", calibrated, picture)
    mixed = build.node("Relu", [build.linear("context_mix", calibrated, context, add=seen)], "hidden")
    scores = build.linear("out", calibrated, mixed)
    scores = build.linear("picture_out", calibrated, picture, add=scores)
    scores = build.linear("context_out", calibrated, context, add=scores)
    build.node("Identity", [scores], "scores")
    absent = build.node("Sigmoid", [build.linear("nobody_logit", calibrated, picture)], "absent")
    build.node("Reshape", [absent, build.constant("one", np.array([1], np.int64))], "nobody")


def _contract(build: _Builder) -> None:
    """`scores` and `in_stock` become `top3` and `probability`, padded where too little is in stock."""
    nothing = build.constant("out_of_stock", np.array([OUT_OF_STOCK], np.float32))
    offered = build.node("Where", ["in_stock", "scores", nothing], "offered")
    chances = build.node("Softmax", [offered], "chances", axis=1)
    build.nodes.append(
        helper.make_node(
            "TopK",
            [offered, build.constant("slate", np.array([SLATE], np.int64))],
            ["best_score", "best"],
            name="best",
            axis=1,
        )
    )
    # What is on the slate only because nothing else was left says so: index -1, probability 0.
    real = build.node(
        "Greater", ["best_score", build.constant("lowest", np.array([OUT_OF_STOCK / 2], np.float32))], "real"
    )
    chance = build.node("GatherElements", [chances, "best"], "chance", axis=1)
    build.node("Where", [real, "best", build.constant("no_index", np.array([-1], np.int64))], "top3")
    build.node("Where", [real, chance, build.constant("no_chance", np.zeros(1, np.float32))], "probability")


def quantized_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let the frame's bytes be the quantized tensor, in place: no arithmetic per pixel is left.

    The quantizer leaves uint8 -> float -> QuantizeLinear(scale 1, zero 0) -> uint8, which changes nothing.

    Raises:
        ValueError: The graph is not what `student_network` makes, or the scale is not 1.
    """
    graph = model.graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    cast = next(node for node in graph.node if PIXELS in node.output)
    quantize = next(
        node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == PIXELS
    )
    if float(values[quantize.input[1]]) != 1.0 or int(values[quantize.input[2]]) != 0:
        raise ValueError("the frame is quantized with another scale than 1 or another zero than 0")
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == quantize.output[0]:
                node.input[index] = cast.input[0]
    graph.node.remove(quantize)
    graph.node.remove(cast)
    onnx.checker.check_model(model, full_check=True)
    return model
