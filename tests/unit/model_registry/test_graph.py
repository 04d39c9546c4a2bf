from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from model_registry.graph import quantized_input, student_network
from model_registry.network import PATCH, StudentShape, Weights, random_weights

FLAVOURS = 4
Inputs = dict[str, NDArray[Any]]


def answer(model: onnx.ModelProto, inputs: Inputs) -> dict[str, NDArray[Any]]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def convolve(x: NDArray[np.float64], weight: NDArray[Any], stride: int, padding: int) -> NDArray[np.float64]:
    """A convolution of [C, H, W] written as its definition."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    side = weight.shape[-1]
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("oikl,ihwkl->ohw", weight.astype(float), windows)


def by_definition(shape: StudentShape, weights: Weights, inputs: Inputs) -> NDArray[np.float64]:
    """Compute the scores without ONNX, from the formula that `StudentShape.head_shapes` states."""
    x = inputs["frame"][0].transpose(2, 0, 1).astype(float)
    for spec in shape.convolutions():
        x = convolve(x, weights[f"{spec.name}.weight"], spec.stride, spec.padding)
        x = np.maximum(x + weights[f"{spec.name}.bias"][:, None, None], 0)
    picture = x.mean(axis=(1, 2))
    seen = np.maximum(inputs["context"][0] @ weights["context_in.weight"] + weights["context_in.bias"], 0)
    hidden = picture @ weights["picture_in.weight"] + weights["picture_in.bias"]
    hidden = np.maximum(hidden + seen @ weights["context_mix.weight"], 0)
    scores = hidden @ weights["out.weight"] + weights["out.bias"]
    result: NDArray[np.float64] = (
        scores + picture @ weights["picture_out.weight"] + seen @ weights["context_out.weight"]
    )
    return result


def test_graph_computes_what_the_shape_documents(
    shape: StudentShape, make_inputs: Callable[[int], Inputs]
) -> None:
    """Patch grouping, convolutions, head and temperature: the same numbers as the formula gives."""
    weights, inputs = random_weights(shape, FLAVOURS, seed=3), make_inputs(3)
    found = answer(student_network(shape, weights, FLAVOURS, temperature=2.0), inputs)
    np.testing.assert_allclose(found["scores"][0], by_definition(shape, weights, inputs) / 2.0, atol=1e-3)


def test_contract_is_complete(shape: StudentShape) -> None:
    """Names, types and shapes of inputs and outputs are those of contract v1."""
    model = student_network(shape, random_weights(shape, FLAVOURS, 1), FLAVOURS, 1.0)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert [(value.name, value.type, value.shape) for value in session.get_inputs()] == [
        ("frame", "tensor(uint8)", [1, 32, 32, 3]),
        ("context", "tensor(float)", [1, 9]),
        ("in_stock", "tensor(bool)", [1, FLAVOURS]),
    ]
    assert [(value.name, value.type, value.shape) for value in session.get_outputs()] == [
        ("top3", "tensor(int64)", [1, 3]),
        ("probability", "tensor(float)", [1, 3]),
        ("scores", "tensor(float)", [1, FLAVOURS]),
        ("nobody", "tensor(float)", [1]),
    ]


def test_top3_are_the_best_scores_in_order(shape: StudentShape, make_inputs: Callable[[int], Inputs]) -> None:
    model = student_network(shape, random_weights(shape, FLAVOURS, 5), FLAVOURS, 1.0)
    found = answer(model, make_inputs(5))
    scores = found["scores"][0]
    assert found["top3"][0].tolist() == np.argsort(-scores)[:3].tolist()
    chances = np.exp(scores - scores.max())
    np.testing.assert_allclose(found["probability"][0], np.sort(chances / chances.sum())[::-1][:3], rtol=1e-4)


@pytest.mark.parametrize("in_stock", [[], [2], [3, 0]])
def test_what_is_not_in_stock_is_never_shown(
    shape: StudentShape, make_inputs: Callable[[int], Inputs], in_stock: list[int]
) -> None:
    """A short menu is padded with index -1 and probability 0; what is left shares all probability."""
    model = student_network(shape, random_weights(shape, FLAVOURS, 5), FLAVOURS, 1.0)
    inputs = make_inputs(5)
    inputs["in_stock"] = np.isin(np.arange(FLAVOURS), in_stock)[None]
    found = answer(model, inputs)
    shown = found["top3"][0].tolist()
    assert sorted(shown[: len(in_stock)]) == sorted(in_stock)
    assert shown[len(in_stock) :] == [-1] * (3 - len(in_stock))
    assert found["probability"][0][len(in_stock) :].tolist() == [0.0] * (3 - len(in_stock))
    assert float(found["probability"].sum()) == pytest.approx(1.0 if in_stock else 0.0, abs=1e-5)


def test_a_flavour_in_stock_wins_however_unlikely(
    shape: StudentShape, make_inputs: Callable[[int], Inputs]
) -> None:
    """A probability that vanishes in float32 is still more than not being there."""
    weights = random_weights(shape, FLAVOURS, 5)
    weights["out.bias"] = np.array([400, -400, 0, 0], np.float32)
    inputs = make_inputs(5)
    inputs["in_stock"] = np.array([[True, True, False, False]])
    found = answer(student_network(shape, weights, FLAVOURS, 1.0), inputs)
    assert found["top3"][0].tolist() == [0, 1, -1]


def test_another_input_scale_is_refused(shape: StudentShape) -> None:
    """The frame's bytes may only be taken as they are where quantizing them changes nothing."""
    model = student_network(shape, random_weights(shape, FLAVOURS, 1), FLAVOURS, 1.0)
    scale = onnx.numpy_helper.from_array(np.float32(0.5), "scale")
    zero = onnx.numpy_helper.from_array(np.uint8(0), "zero")
    model.graph.initializer.extend([scale, zero])
    model.graph.node.append(onnx.helper.make_node("QuantizeLinear", ["pixels", "scale", "zero"], ["bytes"]))
    with pytest.raises(ValueError, match="another scale"):
        quantized_input(model)


def test_patches_tile_the_frame() -> None:
    assert StudentShape().size % PATCH == 0
