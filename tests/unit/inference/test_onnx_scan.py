"""Networks that reach outside of themselves are found without parsing them."""

import contextlib

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from inference.errors import NotAModel
from inference.onnx_scan import check_onnx
from tests.builders.tiny_model import build_onnx


def graph(*nodes: onnx.NodeProto, initializers: tuple[TensorProto, ...] = ()) -> onnx.GraphProto:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    return helper.make_graph(list(nodes), "graph", [value], [value], list(initializers))


def serialized(inner: onnx.GraphProto, **more: object) -> bytes:
    return helper.make_model(inner, **more).SerializeToString()


def external_tensor() -> TensorProto:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def test_an_ordinary_network_passes() -> None:
    check_onnx(build_onnx())


def test_the_operators_of_onnx_runtime_pass() -> None:
    """Quantized networks use them."""
    check_onnx(serialized(graph(helper.make_node("QGemm", ["x"], ["y"], domain="com.microsoft"))))


@pytest.mark.parametrize("domain", ["evil.custom", "ai.onnx.ml", "com.microsoft.experimental"])
def test_operators_of_other_domains_are_refused(domain: str) -> None:
    with pytest.raises(NotAModel, match=domain):
        check_onnx(serialized(graph(helper.make_node("Odd", ["x"], ["y"], domain=domain))))


def test_operators_inside_branches_and_functions_are_seen() -> None:
    """A graph may hide in an attribute, a list of graphs, or a function of the model."""
    hidden = graph(helper.make_node("Odd", ["x"], ["y"], domain="evil.custom"))
    branch = helper.make_node("If", ["x"], ["y"], then_branch=hidden, else_branch=graph())
    with pytest.raises(NotAModel, match=r"evil\.custom"):
        check_onnx(serialized(graph(branch)))
    listed = helper.make_node("Identity", ["x"], ["y"])
    listed.attribute.append(helper.make_attribute("graphs", [hidden]))
    with pytest.raises(NotAModel, match=r"evil\.custom"):
        check_onnx(serialized(graph(listed)))
    function = helper.make_function(
        "local", "f", ["x"], ["y"], list(hidden.node), [helper.make_opsetid("", 18)]
    )
    plain = graph(helper.make_node("Identity", ["x"], ["y"]))
    with pytest.raises(NotAModel, match=r"evil\.custom"):
        check_onnx(serialized(plain, functions=[function]))


def test_weights_in_other_files_are_refused() -> None:
    """A path there would be opened by the runtime, wherever it leads."""
    node = helper.make_node("Add", ["x", "w"], ["y"])
    with pytest.raises(NotAModel, match="external data"):
        check_onnx(serialized(graph(node, initializers=(external_tensor(),))))


def test_weights_in_other_files_are_found_in_constants_too() -> None:
    constant = helper.make_node("Constant", [], ["w"], value=external_tensor())
    with pytest.raises(NotAModel, match="external data"):
        check_onnx(serialized(graph(constant)))


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"hello, I am a text file\n" * 10, b"\x89PNG\r\n\x1a\n" + b"\0" * 64, b"{}", b"\xff" * 1000],
    ids=["empty", "zero", "text", "png", "json", "ones"],
)
def test_other_files_are_no_networks(data: bytes) -> None:
    with pytest.raises(NotAModel) as caught:
        check_onnx(data)
    assert caught.value.remedy


def test_a_truncated_network_is_refused() -> None:
    """Wherever it was cut inside the weights."""
    data = build_onnx()
    for length in range(100, len(data) - 100, 97):
        with pytest.raises(NotAModel):
            check_onnx(data[:length])


def test_a_network_that_nests_without_end_is_refused() -> None:
    """A thousand graphs in each other would exhaust the stack."""
    inner = graph(helper.make_node("Identity", ["x"], ["y"]))
    data = inner.SerializeToString()
    for _ in range(200):
        attribute = b"\x32" + _length(data) + data  # AttributeProto.g
        node = b"\x2a" + _length(attribute) + attribute  # NodeProto.attribute
        data = b"\x0a" + _length(node) + node  # GraphProto.node
    with pytest.raises(NotAModel, match="nests deeper"):
        check_onnx(b"\x3a" + _length(data) + data)


def _length(data: bytes) -> bytes:
    value, out = len(data), bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_verdict(data: bytes) -> None:
    """No input makes the scan fail in another way."""
    with contextlib.suppress(NotAModel):
        check_onnx(data)


@given(at=st.integers(0, 10_000), value=st.integers(0, 255))
def test_one_changed_byte_ends_in_a_verdict(at: int, value: int) -> None:
    """Nor does any damage to a real network."""
    data = bytearray(build_onnx(flavours=3, size=16))
    data[at % len(data)] = value
    with contextlib.suppress(NotAModel):
        check_onnx(bytes(data))
