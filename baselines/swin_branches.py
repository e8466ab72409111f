"""The two branches of a Swin block with their gradients, a few windows at a time, for CPUs.

Step by step over a whole map, each intermediate result would go to memory and back, and most would
be kept for the backward pass. Here a piece of the map goes through a whole branch in the cache,
and the backward pass, written by hand, computes most of it again. Sums over pieces are taken in
one order, so that a step can be repeated to the bit.

The LayerNorm in front of a branch has no weight and bias here: `folded` moves them into the linear
layer behind it.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional

WINDOWS = 32  # at a time, of 8x8 pixels; the weights of their attention take 3 MB
LOG2_E = math.log2(math.e)  # torch's exp takes three times as long as its exp2

Gradients = tuple[Tensor | None, ...]


def folded(norm: nn.LayerNorm, linear: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear layer behind a norm that has none of its own."""
    return linear.weight * norm.weight, linear.bias + linear.weight @ norm.bias


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
    order
        (windows, tokens): for each window of an image the places of its tokens, row by row.
    kept
        (B, windows, tokens), False for the tokens which attention shall see as zeros; or None.
    apart
        (windows, 1, tokens, tokens), added to the scores of each window; or None.
    bias
        (heads, tokens, tokens), added to the scores of all windows.
    weight, seen_bias
        Of the linear layer to queries, keys and values.
    hidden_bias
        What a token that is not ``kept`` has in their place.
    proj_weight, proj_bias
        Of the last linear layer.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        features: Tensor,
        images: list[int],
        scale: float,
        epsilon: float,
        dtype: torch.dtype,
        order: Tensor,
        kept: Tensor | None,
        apart: Tensor | None,
        bias: Tensor,
        weight: Tensor,
        seen_bias: Tensor,
        hidden_bias: Tensor,
        proj_weight: Tensor,
        proj_bias: Tensor,
    ) -> Tensor:
        linear = tuple(part.to(dtype) for part in (weight, seen_bias, hidden_bias))
        proj_weight, proj_bias = proj_weight.to(dtype), proj_bias.to(dtype)
        restored = features.clone(memory_format=torch.contiguous_format)
        shape = len(features), *order.shape, features.shape[-1]
        attended = features.new_empty(shape, dtype=dtype)
        logs = features.new_empty(len(features), len(order), len(bias), order.shape[1], 1)
        room = room_for_scores(order, bias)
        back = inverse(order)
        for image in images:
            for piece in pieces(order):
                place, rows = places(order, kept, image, piece)
                seen = tokens_of(features, image).index_select(0, place)
                normed = functional.layer_norm(seen, seen.shape[1:], eps=epsilon).to(dtype)
                heads = heads_of(normed, rows, linear, attended[image, piece], bias)
                scores = scores_of(heads, bias, apart, piece, 0.0, room)
                attend(heads[2], scores, attended[image, piece], logs[image, piece])
            projected = torch.addmm(proj_bias, attended[image].flatten(0, 1), proj_weight.T)
            tokens_of(restored, image).add_(projected.index_select(0, back), alpha=scale)
        ctx.save_for_backward(
            features, order, kept, apart, bias, *linear, proj_weight, attended, logs
        )
        ctx.constants = images, scale, epsilon, dtype
        return restored

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Gradients:
        features, order, kept, apart, bias, *linear, proj_weight, attended, logs = ctx.saved_tensors
        images, scale, epsilon, dtype = ctx.constants
        before = gradient.clone(memory_format=torch.contiguous_format)
        room, other_room = room_for_scores(order, bias), room_for_scores(order, bias)
        of_bias = torch.zeros_like(bias, memory_format=torch.contiguous_format)
        of_weight, of_seen_bias, of_hidden_bias = (zeros_like(part, bias) for part in linear)
        of_proj_weight = zeros_like(proj_weight, bias)
        of_proj_bias = bias.new_zeros(len(proj_weight))
        scaled = scale * proj_weight
        for image in images:
            for piece in pieces(order):
                place, rows = places(order, kept, image, piece)
                seen = tokens_of(features, image).index_select(0, place)
                normed, mean, inverse_std = torch.native_layer_norm(
                    seen, seen.shape[1:], None, None, epsilon
                )
                normed = normed.to(dtype)
                mixed = attended[image, piece]
                heads = heads_of(normed, rows, linear, mixed, bias)
                scores = scores_of(heads, bias, apart, piece, logs[image, piece], room)
                outer = tokens_of(gradient, image).index_select(0, order[piece].flatten())
                of_projected = outer.to(dtype)
                of_proj_weight.add_(of_projected.T @ mixed.flatten(0, 1), alpha=scale)
                of_proj_bias.add_(outer.sum(0), alpha=scale)
                of_mixed = scaled.T.expand(len(mixed), -1, -1) @ of_projected.view_as(mixed).mT
                of_heads = of_mixed.view_as(heads[2]).to(heads.dtype)
                of_qkv = through_attention(of_heads, heads, scores.exp2_(), other_room, of_bias)
                of_qkv = of_qkv.view(3, *of_mixed.shape).transpose(1, 2).flatten(2).flatten(0, 1)
                if rows is not None:
                    of_hidden_bias += of_qkv.sum(1)
                    of_qkv, outer = of_qkv.index_select(1, rows), outer.index_select(0, rows)
                of_seen_bias += of_qkv.sum(1)
                of_qkv = of_qkv.to(dtype)
                of_weight += of_qkv @ normed
                of_normed = (of_qkv.T @ linear[0]).to(seen.dtype)
                through = through_norm(of_normed, seen, mean, inverse_std)
                tokens_of(before, image).index_copy_(0, place, outer + through)
        if kept is not None:
            of_hidden_bias -= of_seen_bias
        return (
            *(before, *[None] * 7, of_bias),
            *(of_weight, of_seen_bias, of_hidden_bias, of_proj_weight, of_proj_bias),
        )


def places(
    order: Tensor, kept: Tensor | None, image: int, piece: slice
) -> tuple[Tensor, Tensor | None]:
    """Which tokens of an image a piece's attention sees, and their rows among the piece's own."""
    place = order[piece].flatten()
    if kept is None:
        return place, None
    rows = kept[image, piece].flatten().nonzero().flatten()
    return place.index_select(0, rows), rows


def heads_of(
    normed: Tensor,
    rows: Tensor | None,
    linear: tuple[Tensor, Tensor, Tensor],
    like: Tensor,
    bias: Tensor,
) -> Tensor:
    """Queries, keys and values, (3, n * heads, d, tokens), of n windows ``like`` (n, tokens, C)."""
    weight, seen_bias, hidden_bias = linear
    qkv = torch.addmm(seen_bias, normed, weight.T)
    if rows is not None:
        qkv = hidden_bias.repeat(like.shape[:2].numel(), 1).index_copy_(0, rows, qkv)
    count, tokens, _ = like.shape
    qkv = qkv.view(count, tokens, 3, -1).permute(2, 0, 3, 1).to(bias.dtype)
    return qkv.reshape(3, count * len(bias), -1, tokens)


def room_for_scores(order: Tensor, bias: Tensor) -> Tensor:
    """Memory for the scores of a piece: new memory each time would take as long as they do."""
    return bias.new_empty(min(len(order), WINDOWS) * len(bias), *bias.shape[1:])


def scores_of(
    heads: Tensor,
    bias: Tensor,
    apart: Tensor | None,
    piece: slice,
    logs: Tensor | float,
    room: Tensor,
) -> Tensor:
    """(n * heads, tokens, tokens): logarithms to base 2 of the weights, less ``logs``."""
    query, key, _ = heads
    scores = room[: len(query)]
    by_window = scores.view(-1, *bias.shape)
    torch.sub((LOG2_E * bias).expand_as(by_window), logs, out=by_window)
    if apart is not None:
        by_window.add_(apart[piece], alpha=LOG2_E)
    return scores.baddbmm_(query.mT, key, alpha=LOG2_E * query.shape[1] ** -0.5)


def attend(value: Tensor, scores: Tensor, mixed: Tensor, logs: Tensor) -> None:
    """Write what attention gives, (n, tokens, C), and the logarithms of the sums of its weights."""
    highest = scores.amax(-1, keepdim=True)
    weights = scores.sub_(highest).exp2_()
    sums = weights.sum(-1, keepdim=True)
    logs.copy_((highest + sums.log2()).view_as(logs))
    mixed.mT.copy_((value @ weights.mT).div_(sums.mT).view_as(mixed.mT))


def through_attention(
    of_mixed: Tensor, heads: Tensor, weights: Tensor, room: Tensor, of_bias: Tensor
) -> Tensor:
    """The gradient of ``heads`` from that of what attention gives; that of the bias is added."""
    query, key, value = heads
    of_heads = torch.empty_like(heads)
    of_scores = torch.bmm(of_mixed.mT, value, out=room[: len(value)])
    torch._softmax_backward_data(of_scores, weights, -1, weights.dtype, grad_input=of_scores)
    of_bias += of_scores.view(-1, of_bias.numel()).sum(0).view_as(of_bias)
    torch.bmm(key, of_scores.mT, out=of_heads[0])
    torch.bmm(query, of_scores, out=of_heads[1])
    of_heads[:2] *= query.shape[1] ** -0.5
    torch.bmm(of_mixed, weights, out=of_heads[2])
    return of_heads


def through_norm(of_normed: Tensor, some: Tensor, mean: Tensor, inverse_std: Tensor) -> Tensor:
    """The gradient of a norm's input, (n, C)."""
    return torch.ops.aten.native_layer_norm_backward(
        of_normed, some, some.shape[1:], mean, inverse_std, None, None, [True, False, False]
    )[0]


class MLPBranch(torch.autograd.Function):
    """``features + scale * fc2(gelu(fc1(norm(features))))`` for some images of a batch.

    Called with ``features``, ``images``, ``scale``, ``epsilon`` and ``dtype`` as in
    `AttentionBranch`, then weight and bias of ``fc1`` and of ``fc2``.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
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
            for some in tokens_of(restored, image).split(64 * WINDOWS):
                normed = functional.layer_norm(some, some.shape[1:], eps=epsilon).to(dtype)
                hidden = functional.gelu(torch.addmm(bias1, normed, weight1.T))
                some.add_(torch.addmm(bias2, hidden, weight2.T), alpha=scale)
        return restored

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Gradients:
        features, weight1, bias1, weight2 = ctx.saved_tensors
        images, scale, epsilon, dtype = ctx.constants
        before = gradient.clone(memory_format=torch.contiguous_format)
        of_weight1, of_bias1, of_weight2 = (
            zeros_like(part, features) for part in (weight1, bias1, weight2)
        )
        of_bias2 = features.new_zeros(len(weight2))
        scaled = scale * weight2
        for image in images:
            whole = tokens_of(features, image), tokens_of(before, image)
            for some, outer in zip(*(side.split(64 * WINDOWS) for side in whole), strict=True):
                normed, mean, inverse_std = torch.native_layer_norm(
                    some, some.shape[1:], None, None, epsilon
                )
                normed, of_projected = normed.to(dtype), outer.to(dtype)
                linear = torch.addmm(bias1, normed, weight1.T)
                of_weight2.add_(of_projected.T @ functional.gelu(linear), alpha=scale)
                of_bias2.add_(outer.sum(0), alpha=scale)
                of_linear = torch.ops.aten.gelu_backward(of_projected @ scaled, linear)
                of_weight1 += of_linear.T @ normed
                of_bias1 += of_linear.sum(0)
                of_normed = (of_linear @ weight1).to(some.dtype)
                outer += through_norm(of_normed, some, mean, inverse_std)
        return before, None, None, None, None, of_weight1, of_bias1, of_weight2, of_bias2


def tokens_of(features: Tensor, image: int) -> Tensor:
    """(B, H, W, C) to a view (H * W, C) of one image."""
    return features[image].flatten(0, 1)


def pieces(order: Tensor) -> Iterator[slice]:
    """Some windows after the other."""
    return (slice(first, first + WINDOWS) for first in range(0, len(order), WINDOWS))


def zeros_like(shaped: Tensor, kind: Tensor) -> Tensor:
    """Zeros of the shape of one tensor and the kind of another."""
    return kind.new_zeros(shaped.shape)


def inverse(order: Tensor) -> Tensor:
    """The permutation that undoes one."""
    order = order.flatten()
    return torch.empty_like(order).index_copy_(0, order, torch.arange(len(order)))
