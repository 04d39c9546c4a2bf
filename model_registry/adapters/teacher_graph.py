"""The teacher's ONNX graph, from what torch trained."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from model_registry.adapters.torch_student import Head
from model_registry.adapters.torch_teacher import PIXEL_MEAN, PIXEL_SCALE, Teacher
from model_registry.graph import IR_VERSION, OPSET


def shrinking(source: int, target: int) -> NDArray[np.float32]:
    """Return the matrix [target, source] that shrinks one side as the teacher's own resizing does."""
    unit = torch.eye(source)[None, None]
    shrunk = nn.functional.interpolate(
        unit, (target, source), mode="bilinear", align_corners=False, antialias=True
    )
    return np.ascontiguousarray(shrunk[0, 0].numpy())


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, value: Tensor | NDArray[np.generic]) -> str:
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        made = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [made], **attributes))  # type: ignore[arg-type]
        return made

    def relu6(self, source: str) -> str:
        lowest, highest = (self.constant(np.array(limit, np.float32)) for limit in (0, 6))
        return self.node("Clip", source, lowest, highest)

    def convolution(self, source: str, weight: Tensor, bias: Tensor | None, stride: int, groups: int) -> str:
        kernel = weight.shape[-1]
        before = (kernel - 2) // 2 if stride == 2 else kernel // 2
        after = kernel - 2 - before if stride == 2 else kernel // 2
        assert bias is not None
        return self.node(
            "Conv",
            source,
            self.constant(weight),
            self.constant(bias),
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[before, before, after, after],
            group=groups,
        )

    def linear(self, source: str, layer: nn.Linear) -> str:
        inputs = [source, self.constant(layer.weight)]
        if layer.bias is not None:
            inputs.append(self.constant(layer.bias))
        return self.node("Gemm", *inputs, transB=1)


def teacher_network(teacher: Teacher, tenant: str, size: int) -> onnx.ModelProto:
    """Return a network from `frames` uint8 [N, S, S, 3] BGR and `context` [N, C] to `scores` [N, F]."""
    build = _Builder()
    pixels = build.node("Cast", "frames", to=TensorProto.FLOAT)
    pixels = build.node("Transpose", pixels, perm=[0, 3, 1, 2])
    pixels = build.node("Sub", pixels, build.constant(np.array(PIXEL_MEAN, np.float32)))
    pixels = build.node("Div", pixels, build.constant(np.array(PIXEL_SCALE, np.float32)))
    if size != teacher.size:
        matrix = shrinking(size, teacher.size)
        pixels = build.node("MatMul", pixels, build.constant(matrix.T))
        pixels = build.node("MatMul", build.constant(matrix), pixels)
    x = build.relu6(build.convolution(pixels, teacher.stem.weight, teacher.stem.bias, 2, 1))
    for block in teacher.blocks:
        x = _block(build, block, x)
    x = build.relu6(build.convolution(x, teacher.top.weight, teacher.top.bias, 1, 1))
    picture = build.node("Flatten", build.node("GlobalAveragePool", x))
    head = teacher.heads[tenant]
    assert isinstance(head, Head)
    seen = build.node("Relu", build.linear("context", head.context_in))
    mixed = build.node("Add", build.linear(picture, head.picture_in), build.linear(seen, head.context_mix))
    scores = build.linear(build.node("Relu", mixed), head.out)
    scores = build.node("Add", scores, build.linear(picture, head.picture_out))
    build.node("Add", scores, build.linear(seen, head.context_out), output="scores")
    graph = helper.make_graph(
        build.nodes,
        "teacher",
        [
            helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", size, size, 3]),
            helper.make_tensor_value_info("context", TensorProto.FLOAT, ["n", head.context_in.in_features]),
        ],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", head.out.out_features])],
        build.initializers,
    )
    model = helper.make_model(graph, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)])
    onnx.checker.check_model(model, full_check=True)
    return model


def _block(build: _Builder, block: nn.Module, source: str) -> str:
    depthwise, project, expand = (getattr(block, name) for name in ("depthwise", "project", "expand"))
    x = source
    if expand is not None:
        x = build.relu6(build.convolution(x, expand.weight, expand.bias, 1, 1))
    stride, channels = depthwise.stride, len(depthwise.weight)
    x = build.relu6(build.convolution(x, depthwise.weight, depthwise.bias, stride, channels))
    x = build.convolution(x, project.weight, project.bias, 1, 1)
    return build.node("Add", source, x) if block.skips else x
