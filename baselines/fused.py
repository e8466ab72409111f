"""Convolutions which normalise and clip their output themselves, for a CPU without gradients.

A batch normalisation in evaluation is taken into the convolution before it. Neither it nor a ReLU
then reads the whole map from memory and writes it back.
"""

import math
from typing import TypeGuard

import torch
from torch import Tensor, nn

from baselines.cpu import OUT_OF_CACHE, multiplied_in, without_gradients

SLOPE = 1e-30  # of the fused ReLU below 0, far below rounding: with 0, oneDNN makes a NaN 0


class FusedSequential(nn.Sequential):
    """An `torch.nn.Sequential` which computes the same, to rounding, in less time on a CPU.

    Analyses that look at a layer by a hook find each layer called by itself.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not (without_gradients(self, input) and fusible(self, input)):
            return super().forward(input)
        layers, features = list(self), input
        while layers:
            layer = layers.pop(0)
            if not is_plain(layer):
                features = layer(features)
                continue
            norm = relu = None
            if layers and isinstance(layers[0], nn.BatchNorm2d):
                norm = layers[0]
                del layers[0]
            if layers and isinstance(layers[0], nn.ReLU):
                relu = layers.pop(0)
            features = convolved(features, layer, norm, relu is not None)
        return features


def fusible(layers: nn.Sequential, features: Tensor) -> bool:
    """Whether it pays, oneDNN computes in this type, and nobody looks between the layers."""
    norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d)]
    widest = max(getattr(layer, "out_channels", 0) for layer in layers)
    return (
        (bool(norms) or features[:, 0].numel() * widest >= OUT_OF_CACHE)
        and features.dtype in (torch.float32, torch.bfloat16)
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
        and all(norm.affine and norm.track_running_stats and not norm.training for norm in norms)
        and not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)
    )


def is_plain(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether a layer is a convolution as oneDNN knows it."""
    return (
        isinstance(layer, nn.Conv2d)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )


def convolved(features: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d | None, relu: bool) -> Tensor:
    """A convolution, the normalisation behind it and a ReLU."""
    weight, bias = folded(conv, norm) if norm else (conv.weight, conv.bias)
    pixels = features[:, 0].numel() / math.prod(conv.stride)
    dtype = multiplied_in(features)
    too_small = pixels * len(weight) < OUT_OF_CACHE  # the fused operation starts more slowly
    if not relu or too_small or not has_fused(dtype):
        output = conv._conv_forward(features, weight, bias)
        return output.relu_() if relu else output
    return torch.ops.mkldnn._convolution_pointwise.default(
        features.to(dtype),
        weight.to(dtype),
        None if bias is None else bias.to(dtype),
        conv.padding,
        conv.stride,
        conv.dilation,
        conv.groups,
        "leaky_relu",
        [SLOPE],
        "",
    )


def has_fused(dtype: torch.dtype) -> bool:
    """Whether oneDNN fuses a ReLU in this type here: bf16 takes AVX-512 or AVX-NE-CONVERT."""
    return dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution behind which ``norm`` is left out."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None  # `fusible` has seen to it
    scale = norm.weight * (variance + norm.eps).rsqrt()
    bias = -mean if conv.bias is None else conv.bias - mean
    return conv.weight * scale.view(-1, 1, 1, 1), norm.bias + scale * bias
