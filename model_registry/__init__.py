"""From purchases to a published model: data, training, quantization, evaluation."""
