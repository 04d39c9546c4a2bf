"""fp32 network in, int8 network out, by ONNX Runtime's static quantizer."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from model_registry.graph import PIXELS, quantized_input

Inputs = Mapping[str, NDArray[np.generic]]

# The head's few thousand products stay float: they cost nothing and decide the ranking. The trunk's ReLUs
# vanish in the quantization of what precedes them, the head's follow a Gemm and are excluded by name.
QUANTIZED_OPERATORS = ["Conv", "Relu", "GlobalAveragePool"]


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Feeds the calibration examples one by one."""

    def __init__(self, examples: Iterable[Inputs]) -> None:
        self._examples: Iterator[Inputs] = iter(examples)

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        """Return the next example, None at the end."""
        example = next(self._examples, None)
        return None if example is None else dict(example)


def _behind_gemm(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    makers = {output: other.op_type for other in model.graph.node for output in other.output}
    return node.op_type == "Relu" and makers[node.input[0]] == "Gemm"


def quantize(model: onnx.ModelProto, examples: Iterable[Inputs]) -> onnx.ModelProto:
    """Quantize a network of `student_network` to int8: uint8 activations, int8 weights per channel.

    Args:
        model: The fp32 network; it is not changed.
        examples: Inputs of the contract from the calibration split, which no evaluation uses.
    """
    with tempfile.TemporaryDirectory(prefix="topscoop-quantize-") as folder:
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, source)
        # The quantizer advises a pre-processing that our graph has no use for: nothing is left to fuse.
        logging.getLogger().setLevel(logging.ERROR)
        quantize_static(
            source,
            target,
            _Reader(examples),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTIZED_OPERATORS,
            nodes_to_exclude=[node.name for node in model.graph.node if _behind_gemm(model, node)],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={
                "TensorQuantOverrides": {
                    PIXELS: [{"scale": np.array(1.0, np.float32), "zero_point": np.array(0, np.uint8)}]
                }
            },
        )
        return quantized_input(onnx.load(target))
