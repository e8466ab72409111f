"""The two branches of a Swin block with their gradients, a few windows at a time, for CPUs.

Step by step over a whole map, each intermediate result would go to memory and back, and all would
be kept for the backward pass. Here a piece of the map goes through a whole branch in the cache,
and the backward pass, written by hand, computes it again. Sums over pieces are always taken in
one order.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional

WINDOWS = 64  # at a time, of 8x8 pixels; the weights of their attention take 6 MB

aten = torch.ops.aten


class AttentionBranch(torch.autograd.Function):
    """``features + scale * proj(attention(norm(features)))`` for some images of a batch.

    Called with

    features
        (B, H, W, C).
    images
        Which of the batch; the others come out as they are.
    scale
        Of the branch.
    order
        (windows, tokens) of an image: the place of each token, counted row by row.
    seen
        (B, windows, tokens, 1), 0 where the attention shall see zeros and 1 elsewhere, or None.
    apart
        (windows, 1, tokens, tokens), added to the scores of each window.
    bias
        (heads, tokens, tokens), added to the scores of all windows.
    epsilon
        Of the norm.
    others
        Weight and bias of the norm, of ``qkv`` and of ``proj``.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        features: Tensor,
        images: list[int],
        scale: float,
        order: Tensor,
        seen: Tensor | None,
        apart: Tensor,
        bias: Tensor,
        epsilon: float,
        gain: Tensor,
        shift: Tensor,
        qkv_weight: Tensor,
        qkv_bias: Tensor,
        proj_weight: Tensor,
        proj_bias: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(
            features, order, seen, apart, bias, gain, shift, qkv_weight, qkv_bias, proj_weight
        )
        ctx.constants = images, scale, epsilon
        scores = apart + bias
        room = torch.empty_like(scores[:WINDOWS])
        restored = features.clone(memory_format=torch.contiguous_format)
        attended = torch.empty_like(restored[0].flatten(0, 1))  # window by window
        back = inverse(order)
        for image in images:
            for piece in pieces(len(order)):
                windows = features[image].flatten(0, 1)[order[piece]]
                windows = functional.layer_norm(windows, gain.shape, gain, shift, epsilon)
                if seen is not None:
                    windows *= seen[image, piece]
                _, _, value, weights = attention(
                    windows, qkv_weight, qkv_bias, scores[piece], room
                )
                mixed = (value @ weights.transpose(1, 2)).view(len(windows), len(gain), -1)
                projected = torch.baddbmm(
                    proj_bias, mixed.transpose(1, 2), proj_weight.T.expand(len(windows), -1, -1)
                )
                attended.view(*order.shape, -1)[piece] = projected
            restored[image].flatten(0, 1).add_(attended.index_select(0, back), alpha=scale)
        return restored

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, order, seen, apart, bias, *saved = ctx.saved_tensors
        gain, shift, qkv_weight, qkv_bias, proj_weight = saved
        images, scale, epsilon = ctx.constants
        channels, tokens = len(gain), order.shape[1]
        scores = apart + bias
        room, other_room = torch.empty(2, *scores[:WINDOWS].shape, dtype=scores.dtype)
        before = gradient.clone(memory_format=torch.contiguous_format)
        through = torch.empty_like(before[0].flatten(0, 1))  # window by window
        back = inverse(order)
        of_gain, of_shift, of_qkv_weight, of_qkv_bias, of_bias, of_proj_weight, of_proj_bias = map(
            torch.zeros_like, (gain, shift, qkv_weight, qkv_bias, bias, proj_weight, shift)
        )
        for image in images:
            for piece in pieces(len(order)):
                place = order[piece].flatten()
                count = len(place) // tokens
                some = features[image].flatten(0, 1).index_select(0, place)
                normed, mean, inverse_std = torch.native_layer_norm(
                    some, gain.shape, gain, shift, epsilon
                )
                kept = None
                if seen is not None:
                    kept = seen[image, piece].flatten()
                    normed *= kept[:, None]
                windows = normed.view(count, tokens, channels)
                query, key, value, weights = attention(
                    windows, qkv_weight, qkv_bias, scores[piece], room
                )
                mixed = (value @ weights.transpose(1, 2)).view(count, channels, tokens)
                outer = gradient[image].flatten(0, 1).index_select(0, place).mul_(scale)
                of_proj_bias += outer.sum(0)
                of_proj_weight.addmm_(outer.T, mixed.transpose(1, 2).flatten(0, 1))
                of_mixed = torch.bmm(
                    proj_weight.T.expand(count, -1, -1),
                    outer.view(count, tokens, channels).transpose(1, 2),
                ).view_as(value)
                of_scores = torch.bmm(
                    of_mixed.transpose(1, 2), value, out=other_room[:count].flatten(0, 1)
                )
                aten._softmax_backward_data(
                    of_scores, weights, -1, weights.dtype, grad_input=of_scores
                )
                of_bias += of_scores.view(count, -1).sum(0).view_as(bias)
                of_qkv = torch.empty(3, *value.shape, dtype=value.dtype)
                torch.bmm(key, of_scores.transpose(1, 2), out=of_qkv[0])
                torch.bmm(query, of_scores, out=of_qkv[1])
                of_qkv[:2] *= query.shape[1] ** -0.5
                torch.bmm(of_mixed, weights, out=of_qkv[2])
                of_qkv = of_qkv.view(3, count, channels, tokens).transpose(1, 2).flatten(2)
                of_qkv = of_qkv.flatten(0, 1)
                of_qkv_bias += of_qkv.sum(1)
                into = through.view(*order.shape, -1)[piece].flatten(0, 1)
                if kept is not None:
                    rows = kept.nonzero().flatten()
                    of_qkv, normed, some, mean, inverse_std = (
                        of_qkv.index_select(1, rows),
                        normed[rows], some[rows], mean[rows], inverse_std[rows],
                    )
                of_qkv_weight.addmm_(of_qkv, normed)
                of_some, more_gain, more_shift = aten.native_layer_norm_backward(
                    of_qkv.T @ qkv_weight, some, gain.shape, mean, inverse_std, gain, shift,
                    [True] * 3,
                )
                of_gain += more_gain
                of_shift += more_shift
                if kept is not None:
                    into.zero_().index_copy_(0, rows, of_some)
                else:
                    into.copy_(of_some)
            before[image].flatten(0, 1).add_(through.index_select(0, back))
        return (
            before, None, None, None, None, None, of_bias, None,
            of_gain, of_shift, of_qkv_weight, of_qkv_bias, of_proj_weight, of_proj_bias,
        )


class MLPBranch(torch.autograd.Function):
    """``features + scale * fc2(gelu(fc1(norm(features))))`` for some images of a batch.

    Called with ``features``, ``images``, ``scale`` and ``epsilon`` as in `AttentionBranch`, then
    weight and bias of the norm, of ``fc1`` and of ``fc2``.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        features: Tensor,
        images: list[int],
        scale: float,
        epsilon: float,
        gain: Tensor,
        shift: Tensor,
        weight1: Tensor,
        bias1: Tensor,
        weight2: Tensor,
        bias2: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(features, gain, shift, weight1, bias1, weight2)
        ctx.constants = images, scale, epsilon
        restored = features.clone(memory_format=torch.contiguous_format)
        for image in images:
            for some in restored[image].flatten(0, 1).split(64 * WINDOWS):
                normed = functional.layer_norm(some, gain.shape, gain, shift, epsilon)
                hidden = functional.gelu(torch.addmm(bias1, normed, weight1.T))
                some.add_(torch.addmm(bias2, hidden, weight2.T), alpha=scale)
        return restored

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, gain, shift, weight1, bias1, weight2 = ctx.saved_tensors
        images, scale, epsilon = ctx.constants
        before = gradient.clone(memory_format=torch.contiguous_format)
        of_gain, of_shift, of_weight1, of_bias1, of_weight2, of_bias2 = map(
            torch.zeros_like, (gain, shift, weight1, bias1, weight2, shift)
        )
        for image in images:
            whole = features[image].flatten(0, 1), before[image].flatten(0, 1)
            for some, outer in zip(*(side.split(64 * WINDOWS) for side in whole), strict=True):
                normed, mean, inverse_std = torch.native_layer_norm(
                    some, gain.shape, gain, shift, epsilon
                )
                linear = torch.addmm(bias1, normed, weight1.T)
                of_weight2.addmm_(outer.T, functional.gelu(linear), alpha=scale)
                of_bias2.add_(outer.sum(0), alpha=scale)
                of_linear = aten.gelu_backward(outer @ (scale * weight2), linear)
                of_weight1.addmm_(of_linear.T, normed)
                of_bias1 += of_linear.sum(0)
                of_some, more_gain, more_shift = aten.native_layer_norm_backward(
                    of_linear @ weight1, some, gain.shape, mean, inverse_std, gain, shift,
                    [True] * 3,
                )
                of_gain += more_gain
                of_shift += more_shift
                outer += of_some
        return (
            before, None, None, None,
            of_gain, of_shift, of_weight1, of_bias1, of_weight2, of_bias2,
        )


def attention(
    windows: Tensor, weight: Tensor, bias: Tensor, scores: Tensor, room: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries, keys, values, each (n * heads, d, tokens), and weights (n * heads, tokens, tokens).

    Parameters
    ----------
    windows
        (n, tokens, C).
    weight, bias
        Of the linear layer to queries, keys and values.
    scores
        (n, heads, tokens, tokens) to start the scores from.
    room
        As much memory for the weights, or more.
    """
    count, tokens, channels = windows.shape
    query, key, value = (
        torch.baddbmm(b, w.expand(count, -1, -1), windows.transpose(1, 2)).view(
            count * scores.shape[1], -1, tokens
        )
        for w, b in zip(weight.view(3, channels, -1), bias.view(3, channels, 1), strict=True)
    )
    weights = room[:count].flatten(0, 1)
    scale = query.shape[1] ** -0.5
    torch.baddbmm(scores.flatten(0, 1), query.transpose(1, 2), key, alpha=scale, out=weights)
    return query, key, value, torch.softmax(weights, -1, out=weights)


def pieces(windows: int) -> Iterator[slice]:
    """Some windows after the other."""
    return (slice(first, first + WINDOWS) for first in range(0, windows, WINDOWS))


def inverse(order: Tensor) -> Tensor:
    """The permutation that undoes one."""
    order = order.flatten()
    return torch.empty_like(order).index_copy_(0, order, torch.arange(len(order)))
