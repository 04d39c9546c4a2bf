"""The student as torch trains it, and its way back into plain weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_registry.network import PIXEL_MEAN, PIXEL_SCALE, Convolution, StudentShape


class _ConvBnRelu(nn.Module):
    """One convolution of the trunk; its normalisation folds into it for export."""

    def __init__(self, spec: Convolution) -> None:
        super().__init__()
        self.conv = nn.Conv2d(spec.inputs, spec.outputs, spec.kernel, spec.stride, spec.padding, bias=False)
        self.norm = nn.BatchNorm2d(spec.outputs)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(self.norm(self.conv(x)))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the one convolution that does the same once training is over."""
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        gain = self.norm.weight / torch.sqrt(variance + self.norm.eps)
        return self.conv.weight * gain[:, None, None, None], self.norm.bias - mean * gain


class Head(nn.Module):
    """What one chain makes of a picture's features and the context; see `StudentShape.head_shapes`."""

    def __init__(self, features: int, context: int, context_width: int, hidden: int, flavours: int) -> None:
        super().__init__()
        self.context_in = nn.Linear(context, context_width)
        self.picture_in = nn.Linear(features, hidden)
        self.context_mix = nn.Linear(context_width, hidden, bias=False)
        self.out = nn.Linear(hidden, flavours)
        self.picture_out = nn.Linear(features, flavours, bias=False)
        self.context_out = nn.Linear(context_width, flavours, bias=False)
        self.nobody_logit = nn.Linear(features, 1)

    def forward(self, picture: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores [N, F] and the logit of `nobody` [N]."""
        seen = torch.relu(self.context_in(context))
        mixed = torch.relu(self.picture_in(picture) + self.context_mix(seen))
        scores = self.out(mixed) + self.picture_out(picture) + self.context_out(seen)
        return scores, self.nobody_logit(picture)[:, 0]


class Student(nn.Module):
    """One trunk, and a head for each chain."""

    def __init__(self, shape: StudentShape, flavours: Mapping[str, int]) -> None:
        super().__init__()
        self.shape = shape
        self.trunk = nn.Sequential(*(_ConvBnRelu(spec) for spec in shape.convolutions()))
        self.heads = nn.ModuleDict(
            {
                tenant: Head(shape.features, shape.context, shape.context_width, shape.hidden, count)
                for tenant, count in flavours.items()
            }
        )

    def features(self, frames: Tensor) -> Tensor:
        """Describe uint8 frames [N, 3, S, S] BGR by vectors [N, features]."""
        x = (frames.float() - PIXEL_MEAN) / PIXEL_SCALE
        pooled: Tensor = self.trunk(x.contiguous(memory_format=torch.channels_last)).mean((2, 3))
        return pooled.float()

    def plain_weights(self, tenant: str) -> dict[str, NDArray[np.float32]]:
        """Return trunk and one head as `StudentShape` names them, all normalisation folded in."""
        weights: dict[str, Tensor] = {}
        for spec, layer in zip(self.shape.convolutions(), self.trunk, strict=True):
            assert isinstance(layer, _ConvBnRelu)
            weight, bias = layer.folded()
            if spec.name == "stem":
                # Exact because the stem has no padding: each output sees only real pixels.
                bias = bias - PIXEL_MEAN / PIXEL_SCALE * weight.sum((1, 2, 3))
                weight = weight / PIXEL_SCALE
            weights[f"{spec.name}.weight"], weights[f"{spec.name}.bias"] = weight, bias
        for name, value in self.heads[tenant].named_parameters():
            weights[name] = value.T if value.ndim == 2 else value
        return {name: np.ascontiguousarray(value.detach().float().numpy()) for name, value in weights.items()}
