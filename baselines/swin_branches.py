"""The two branches of a Swin block for CPUs, with gradients by hand, a few windows at a time.

A piece of the map goes through a whole branch in the cache, and the backward pass computes most of
it again instead of keeping it. Sums over pieces are taken in one order, so that a step can be
repeated to the bit. The LayerNorm in front of a branch has no weight and bias here: they are part
of the linear layer behind it.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

WINDOWS = 32  # at a time, of 8x8 pixels; the weights of their attention take 3 MB
LOG2_E = math.log2(math.e)  # torch's exp takes three times as long as its exp2

Context = Any  # torch's FunctionCtx, whose declaration has neither tensors nor what is set on it
Gradients = tuple[Tensor | None, ...]


class AttentionBranch(torch.autograd.Function):
    """``features + scale * proj(attention(norm(features)))`` for some images of a batch.

    Called with

    features
        (B, H, W, C).
    images, scale
        Which of the batch, and the factor of their branch; the others come out as they are.
    epsilon
        Of the norm.
    dtype
        In which the linear layers multiply; all else stays in that of ``features``.
    index
        (windows, N): for each window of an image the rows of its tokens in the map, (H * W, C).
    keep
        (B, windows, N), False for the tokens which attention shall see as zeros; or None.
    region_bias
        (windows, 1, N, N), added to the scores of each window; or None.
    bias
        (heads, N, N), added to the scores of all windows.
    weight, qkv_bias
        Of the linear layer to queries, keys and values.
    dropped_bias
        What a token that is not kept has in their place: the bias of that layer alone.
    proj_weight, proj_bias
        Of the last linear layer.
    """

    @staticmethod
    def forward(
        ctx: Context,
        features: Tensor,
        images: list[int],
        scale: float,
        epsilon: float,
        dtype: torch.dtype,
        index: Tensor,
        keep: Tensor | None,
        region_bias: Tensor | None,
        bias: Tensor,
        weight: Tensor,
        qkv_bias: Tensor,
        dropped_bias: Tensor,
        proj_weight: Tensor,
        proj_bias: Tensor,
    ) -> Tensor:
        linear = tuple(part.to(dtype) for part in (weight, qkv_bias, dropped_bias))
        proj_weight, proj_bias = proj_weight.to(dtype), proj_bias.to(dtype)
        restored = features.clone(memory_format=torch.contiguous_format)
        shape = len(features), *index.shape, features.shape[-1]
        attended = features.new_empty(shape, dtype=dtype)
        logs = features.new_empty(len(features), len(index), len(bias), index.shape[1], 1)
        buffer = score_buffer(index, bias)
        order = index.flatten()
        inverse = torch.empty_like(order).index_copy_(0, order, torch.arange(len(order)))
        for image in images:
            for piece in pieces(index):
                chosen, rows = chosen_tokens(index, keep, image, piece)
                tokens = tokens_of(features, image).index_select(0, chosen)
                normed = functional.layer_norm(tokens, tokens.shape[1:], eps=epsilon).to(dtype)
                heads = heads_of(normed, rows, linear, attended[image, piece], bias)
                scores = scores_of(heads, bias, region_bias, piece, 0.0, buffer)
                attend(heads[2], scores, attended[image, piece], logs[image, piece])
            projected = torch.addmm(proj_bias, attended[image].flatten(0, 1), proj_weight.T)
            tokens_of(restored, image).add_(projected.index_select(0, inverse), alpha=scale)
        ctx.save_for_backward(
            features, index, keep, region_bias, bias, *linear, proj_weight, attended, logs
        )
        ctx.constants = images, scale, epsilon, dtype
        return restored

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, gradient: Tensor) -> Gradients:
        features, index, keep, region_bias, bias, *linear, proj_weight, attended, logs = (
            ctx.saved_tensors
        )
        images, scale, epsilon, dtype = ctx.constants
        grad_features = gradient.clone(memory_format=torch.contiguous_format)
        buffer, other_buffer = score_buffer(index, bias), score_buffer(index, bias)
        grad_bias = torch.zeros_like(bias, memory_format=torch.contiguous_format)
        grad_weight, grad_qkv_bias, grad_dropped_bias = (bias.new_zeros(p.shape) for p in linear)
        grad_proj_weight = bias.new_zeros(proj_weight.shape)
        grad_proj_bias = bias.new_zeros(len(proj_weight))
        scaled = scale * proj_weight
        for image in images:
            for piece in pieces(index):
                chosen, rows = chosen_tokens(index, keep, image, piece)
                tokens = tokens_of(features, image).index_select(0, chosen)
                normed, mean, inverse_std = torch.native_layer_norm(
                    tokens, tokens.shape[1:], None, None, epsilon
                )
                normed = normed.to(dtype)
                output = attended[image, piece]
                heads = heads_of(normed, rows, linear, output, bias)
                scores = scores_of(heads, bias, region_bias, piece, logs[image, piece], buffer)
                outer = tokens_of(gradient, image).index_select(0, index[piece].flatten())
                grad_projected = outer.to(dtype)
                grad_proj_weight.add_(grad_projected.T @ output.flatten(0, 1), alpha=scale)
                grad_proj_bias.add_(outer.sum(0), alpha=scale)
                by_window = grad_projected.view_as(output)
                grad_output = scaled.T.expand(len(output), -1, -1) @ by_window.mT
                grad_heads = grad_output.view_as(heads[2]).to(heads.dtype)
                weights = scores.exp2_()
                grad_qkv = attention_backward(grad_heads, heads, weights, other_buffer, grad_bias)
                grad_qkv = grad_qkv.view(3, *grad_output.shape).transpose(1, 2)
                grad_qkv = grad_qkv.flatten(2).flatten(0, 1)  # (3 * C, n * N)
                if rows is not None:
                    grad_dropped_bias += grad_qkv.sum(1)
                    grad_qkv, outer = grad_qkv.index_select(1, rows), outer.index_select(0, rows)
                grad_qkv_bias += grad_qkv.sum(1)
                grad_qkv = grad_qkv.to(dtype)
                grad_weight += grad_qkv @ normed
                grad_normed = (grad_qkv.T @ linear[0]).to(tokens.dtype)
                through = norm_backward(grad_normed, tokens, mean, inverse_std)
                tokens_of(grad_features, image).index_copy_(0, chosen, outer + through)
        if keep is not None:
            grad_dropped_bias -= grad_qkv_bias
        return (
            *(grad_features, *[None] * 7, grad_bias),
            *(grad_weight, grad_qkv_bias, grad_dropped_bias, grad_proj_weight, grad_proj_bias),
        )


def chosen_tokens(
    index: Tensor, keep: Tensor | None, image: int, piece: slice
) -> tuple[Tensor, Tensor | None]:
    """Which tokens of an image a piece's attention sees, and their rows among the piece's own."""
    chosen = index[piece].flatten()
    if keep is None:
        return chosen, None
    rows = keep[image, piece].flatten().nonzero().flatten()
    return chosen.index_select(0, rows), rows


def heads_of(
    normed: Tensor, rows: Tensor | None, linear: Sequence[Tensor], like: Tensor, bias: Tensor
) -> Tensor:
    """Queries, keys and values, (3, n * heads, d, N), of n windows ``like`` (n, N, C)."""
    weight, qkv_bias, dropped_bias = linear
    qkv = torch.addmm(qkv_bias, normed, weight.T)
    if rows is not None:
        qkv = dropped_bias.repeat(like.shape[:2].numel(), 1).index_copy_(0, rows, qkv)
    count, tokens, _ = like.shape
    qkv = qkv.view(count, tokens, 3, -1).permute(2, 0, 3, 1).to(bias.dtype)
    return qkv.reshape(3, count * len(bias), -1, tokens)


def score_buffer(index: Tensor, bias: Tensor) -> Tensor:
    """Memory for the scores of a piece: new memory each time would take as long as they do."""
    return bias.new_empty(min(len(index), WINDOWS) * len(bias), *bias.shape[1:])


def scores_of(
    heads: Tensor,
    bias: Tensor,
    region_bias: Tensor | None,
    piece: slice,
    log_sums: Tensor | float,
    buffer: Tensor,
) -> Tensor:
    """(n * heads, N, N): logarithms to base 2 of the weights, less ``log_sums``."""
    query, key, _ = heads
    scores = buffer[: len(query)]
    by_window = scores.view(-1, *bias.shape)
    torch.sub((LOG2_E * bias).expand_as(by_window), log_sums, out=by_window)
    if region_bias is not None:
        by_window.add_(region_bias[piece], alpha=LOG2_E)
    return scores.baddbmm_(query.mT, key, alpha=LOG2_E * query.shape[1] ** -0.5)


def attend(value: Tensor, scores: Tensor, attended: Tensor, log_sums: Tensor) -> None:
    """Write what attention gives, (n, N, C), and the logarithms of the sums of its weights."""
    highest = scores.amax(-1, keepdim=True)
    weights = scores.sub_(highest).exp2_()
    sums = weights.sum(-1, keepdim=True)
    log_sums.copy_((highest + sums.log2()).view_as(log_sums))
    attended.mT.copy_((value @ weights.mT).div_(sums.mT).view_as(attended.mT))


def attention_backward(
    grad_attended: Tensor, heads: Tensor, weights: Tensor, buffer: Tensor, grad_bias: Tensor
) -> Tensor:
    """The gradient of ``heads`` from that of what attention gives; that of the bias is added."""
    query, key, value = heads
    grad_heads = torch.empty_like(heads)
    grad_scores = torch.bmm(grad_attended.mT, value, out=buffer[: len(value)])
    torch.ops.aten._softmax_backward_data.out(
        grad_scores, weights, -1, weights.dtype, grad_input=grad_scores
    )
    grad_bias += grad_scores.view(-1, grad_bias.numel()).sum(0).view_as(grad_bias)
    torch.bmm(key, grad_scores.mT, out=grad_heads[0])
    torch.bmm(query, grad_scores, out=grad_heads[1])
    grad_heads[:2] *= query.shape[1] ** -0.5
    torch.bmm(grad_attended, weights, out=grad_heads[2])
    return grad_heads


def norm_backward(grad_normed: Tensor, tokens: Tensor, mean: Tensor, inverse_std: Tensor) -> Tensor:
    """The gradient of a norm's input, (n, C)."""
    return torch.ops.aten.native_layer_norm_backward(
        grad_normed, tokens, tokens.shape[1:], mean, inverse_std, None, None, [True, False, False]
    )[0]


class MLPBranch(torch.autograd.Function):
    """``features + scale * fc2(gelu(fc1(norm(features))))`` for some images of a batch.

    Called with ``features``, ``images``, ``scale``, ``epsilon`` and ``dtype`` as in
    `AttentionBranch`, then weight and bias of ``fc1`` and of ``fc2``.
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
        bias1: Tensor,
        weight2: Tensor,
        bias2: Tensor,
    ) -> Tensor:
        layers = weight1, bias1, weight2, bias2
        weight1, bias1, weight2, bias2 = (part.to(dtype) for part in layers)
        ctx.save_for_backward(features, weight1, bias1, weight2)
        ctx.constants = images, scale, epsilon, dtype
        restored = features.clone(memory_format=torch.contiguous_format)
        for image in images:
            for tokens in tokens_of(restored, image).split(64 * WINDOWS):
                normed = functional.layer_norm(tokens, tokens.shape[1:], eps=epsilon).to(dtype)
                hidden = functional.gelu(torch.addmm(bias1, normed, weight1.T))
                tokens.add_(torch.addmm(bias2, hidden, weight2.T), alpha=scale)
        return restored

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, gradient: Tensor) -> Gradients:
        features, weight1, bias1, weight2 = ctx.saved_tensors
        images, scale, epsilon, dtype = ctx.constants
        grad_features = gradient.clone(memory_format=torch.contiguous_format)
        grad_weight1, grad_bias1, grad_weight2, grad_bias2 = (
            features.new_zeros(shape)
            for shape in (weight1.shape, bias1.shape, weight2.shape, weight2.shape[:1])
        )
        scaled = scale * weight2
        for image in images:
            whole = tokens_of(features, image), tokens_of(grad_features, image)
            for tokens, outer in zip(*(side.split(64 * WINDOWS) for side in whole), strict=True):
                normed, mean, inverse_std = torch.native_layer_norm(
                    tokens, tokens.shape[1:], None, None, epsilon
                )
                normed, grad_projected = normed.to(dtype), outer.to(dtype)
                linear = torch.addmm(bias1, normed, weight1.T)
                grad_weight2.add_(grad_projected.T @ functional.gelu(linear), alpha=scale)
                grad_bias2.add_(outer.sum(0), alpha=scale)
                grad_hidden = torch.ops.aten.gelu_backward(grad_projected @ scaled, linear)
                grad_weight1 += grad_hidden.T @ normed
                grad_bias1 += grad_hidden.sum(0)
                grad_normed = (grad_hidden @ weight1).to(tokens.dtype)
                outer += norm_backward(grad_normed, tokens, mean, inverse_std)
        return (
            *(grad_features, *[None] * 4),
            *(grad_weight1, grad_bias1, grad_weight2, grad_bias2),
        )


def tokens_of(features: Tensor, image: int) -> Tensor:
    """(B, H, W, C) to a view (H * W, C) of one image."""
    return features[image].flatten(0, 1)


def pieces(index: Tensor) -> Iterator[slice]:
    """Some windows after the other."""
    return (slice(first, first + WINDOWS) for first in range(0, len(index), WINDOWS))
