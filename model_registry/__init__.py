"""From purchases to a published model: data, training, quantization, evaluation."""

import inference  # noqa: F401 - before ONNX Runtime, which it keeps from reporting to its maker
