"""The MLP branch of a Swin block for CPUs, with gradients by hand, and the norm of both branches.

Some tokens at a time go through the whole branch in the cache, as in `branches`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

TOKENS = 2048  # at a time

Context = Any  # torch's FunctionCtx, whose declaration has neither tensors nor what is set on it
Gradients = tuple[Tensor | None, ...]


class MLPBranch(torch.autograd.Function):
    """``features + scale * fc2(gelu(fc1(norm(features))))`` for some images of a batch.

    Called with ``features``, ``images``, ``scale``, ``epsilon`` and ``dtype`` as in
    `branches.AttentionBranch`, then the weight of ``fc1``, (hidden, C + 1), whose last column
    is its bias, and weight and bias of ``fc2``.
    """

    @staticmethod
    def forward(
        ctx: Context,
        features: Tensor,
        images: list[int],
        scale: float,
        epsilon: float,
        dtype: torch.dtype,
        weight1: Tensor,
        weight2: Tensor,
        bias2: Tensor,
    ) -> Tensor:
        channels = features.shape[-1]
        linear1, linear2, bias2 = weight1.to(dtype), (scale * weight2).to(dtype), scale * bias2
        features, restored = with_others(features, images)
        normed, inverse_std = [], []
        for tokens, to in some_tokens(images, features, restored):
            normed.append(features.new_empty(len(tokens), channels + 1, dtype=dtype))
            inverse_std.append(normalize(tokens, epsilon, None, normed[-1]))
            hidden = torch.ops.aten.gelu_(torch.mm(normed[-1], linear1.T))
            torch.add(tokens, torch.mm(hidden, linear2.T), out=to).add_(bias2)
        ctx.save_for_backward(weight1, linear2, *normed, *inverse_std)
        ctx.constants = images, scale, dtype
        return restored

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, gradient: Tensor) -> Gradients:
        weight1, linear2, *kept = ctx.saved_tensors
        images, scale, dtype = ctx.constants
        channels = len(linear2)
        linear1, through_norm = weight1.to(dtype), centred(weight1, channels).to(dtype)
        gradient, grad_features = with_others(gradient, images)
        grad_weight1, grad_weight2, grad_bias2 = (
            weight1.new_zeros(shape) for shape in (weight1.shape, linear2.shape, channels)
        )
        normed, inverse_std = kept[: len(kept) // 2], kept[len(kept) // 2 :]
        outers = some_tokens(images, gradient, grad_features)
        for tokens, inverse, (outer, to) in zip(normed, inverse_std, outers, strict=True):
            grad_projected = outer.to(dtype)
            hidden = torch.mm(tokens, linear1.T)
            grad_weight2 += torch.mm(grad_projected.T, functional.gelu(hidden))
            grad_bias2 += outer.sum(0)
            grad_hidden = torch.mm(grad_projected, linear2)
            torch.ops.aten.gelu_backward.grad_input(grad_hidden, hidden, grad_input=grad_hidden)
            grad_weight1 += torch.mm(grad_hidden.T, tokens)
            grad_normed = torch.mm(grad_hidden, through_norm)
            torch.add(outer, norm_backward(grad_normed, tokens, inverse), out=to)
        return (
            *(grad_features, *[None] * 4),
            *(grad_weight1, scale * grad_weight2, scale * grad_bias2),
        )


def some_tokens(images: list[int], *maps: Tensor) -> list[tuple[Tensor, ...]]:
    """Views (n, C) of some tokens of some images, the same of each map, (B, H, W, C)."""
    sides = ([t for image in images for t in m[image].flatten(0, 1).split(TOKENS)] for m in maps)
    return list(zip(*sides, strict=True))


def with_others(features: Tensor, images: list[int]) -> tuple[Tensor, Tensor]:
    """A map and another which differs from it in some images; those have to be written."""
    features = features.contiguous()
    some = len(images) < len(features)
    return features, features.clone() if some else torch.empty_like(features)


def normalize(tokens: Tensor, epsilon: float, keep: Tensor | None, normed: Tensor) -> Tensor:
    """Write the norm of (..., C) into the first channels; one over the deviation, or 0, (..., 1).

    ``keep`` is multiplied with both, and is the next channel; the last one is 1.
    """
    channels = tokens.shape[-1]
    mean = tokens.new_full((channels, 1), 1 / channels)
    differences = tokens - tokens @ mean
    inverse_std = (differences.square() @ mean).add_(epsilon).rsqrt_()
    normed[..., channels:] = 1
    if keep is not None:
        inverse_std *= keep
        normed[..., channels, None] = keep
    torch.mul(differences, inverse_std, out=normed[..., :channels])
    return inverse_std


def centred(weight: Tensor, channels: int) -> Tensor:
    """The columns of the channels, less their mean, which a norm takes from what they meet."""
    weight = weight[:, :channels]
    return weight - weight.mean(1, keepdim=True)


def norm_backward(grad_normed: Tensor, normed: Tensor, inverse_std: Tensor) -> Tensor:
    """The gradient of a norm's input, (n, C), from one that came through a `centred` weight."""
    grad_normed = grad_normed.to(inverse_std.dtype)
    normed = normed[:, : grad_normed.shape[1]]
    mean = grad_normed.new_full((grad_normed.shape[1], 1), 1 / grad_normed.shape[1])
    along = (grad_normed * normed) @ mean
    return grad_normed.addcmul_(normed, along, value=-1).mul_(inverse_std)
