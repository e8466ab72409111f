"""The two branches of a Swin block for CPUs, with gradients by hand, a few windows at a time.

A piece of the map goes through a whole branch in the cache, and the backward pass computes most of
it again instead of keeping it. Sums over pieces are taken in one order, so that a step can be
repeated to the bit. What would be a pass of its own over a piece is part of a product: the bias of
a linear layer is a column of its weight, which meets a column of ones behind the channels, and the
sums of attention's weights come from one more channel of its values, of ones.
"""

import math

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from baselines.swin.mlp import (
    Context,
    Gradients,
    centred,
    norm_backward,
    normalize,
    with_others,
)

WEIGHTS = 96 * 64 * 64  # of attention at a time, over windows and heads; in fp32 they take 1.5 MB
LOG2_E = math.log2(math.e)  # torch's exp takes up to three times as long as its exp2
LARGEST = 1e30  # sum of weights which asks for no care, and its inverse the smallest


class AttentionBranch(torch.autograd.Function):
    """``features + scale * proj(attention(norm(features)))`` for some images of a batch.

    Called with

    features
        (B, H, W, C).
    images, scale
        Which of the batch, and the factor of their branch; the others come out as they are.
    epsilon
        Of the norm, which has no weight and bias of its own.
    dtype
        Of what goes through the branch; sums over pieces stay in that of ``features``.
    index
        (windows, N): for each window of an image the rows of its tokens in the map, (H * W, C).
    regions
        (windows,): which entry of ``region_bias`` holds for each.
    keep
        (B, windows, N), 1, or 0 for the tokens which attention shall see as zeros; or None.
    region_bias, bias
        (regions, 1, N, N) and (heads, N, N), added to the scores.
    weight
        Of the layer to queries, keys and values, (3 * C, C + 1): its last column is the bias. With
        ``keep`` (3 * C, C + 2): the column before it is added for the tokens kept alone.
    proj_weight
        Of the last layer, (C, heads * (d + 1)): behind the channels of each head a column which is
        added; together they are the bias.
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
        regions: Tensor,
        keep: Tensor | None,
        region_bias: Tensor,
        bias: Tensor,
        weight: Tensor,
        proj_weight: Tensor,
    ) -> Tensor:
        heads, count = bias.shape[:2]
        factors = factors_of(bias, region_bias).to(dtype)
        linear, proj = by_head(weight, heads).to(dtype), (scale * proj_weight).to(dtype)
        windows, pieces = windows_of(regions, images, heads * count**2 * dtype.itemsize // 4)
        rows = index[windows % len(index)] + windows[:, None] // len(index) * index.numel()
        if keep is not None:
            keep = keep.flatten(0, 1)[windows].unsqueeze(-1)
        normed = features.new_empty(*rows.shape, weight.shape[1], dtype=dtype)
        inverse_std = features.new_empty(*rows.shape, 1)
        attended = features.new_empty(len(rows), proj.shape[1], count, dtype=dtype)
        sums = features.new_empty(len(rows) * heads, 1, count)
        buffer = score_buffer(pieces, factors)
        features, restored = with_others(features, images)
        maps = features.flatten(0, 2), restored.flatten(0, 2)
        careful = []
        for piece, region in pieces:
            chosen = rows[piece].flatten()
            tokens = maps[0].index_select(0, chosen).view(*rows[piece].shape, -1)
            kept = None if keep is None else keep[piece]
            inverse_std[piece] = normalize(tokens, epsilon, kept, normed[piece])
            qkv = heads_of(normed[piece], linear, heads)
            output = attended[piece].view(len(qkv), -1, count)
            careful.append(attend(qkv, factors[region], buffer, output))
            totals = sums.unflatten(0, (-1, heads))[piece].flatten(0, 1)
            output /= totals.copy_(output[:, -1:])
            product = torch.matmul(attended[piece].mT, proj.T)
            maps[1].index_copy_(0, chosen, tokens.add_(product).flatten(0, 1))
        ctx.save_for_backward(
            bias, factors, weight, proj, rows, normed, inverse_std, attended, sums
        )
        ctx.constants = images, scale, dtype, pieces, careful
        return restored

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, gradient: Tensor) -> Gradients:
        bias, factors, weight, proj, rows, normed, inverse_std, attended, sums = ctx.saved_tensors
        images, scale, dtype, pieces, careful = ctx.constants
        heads, count = bias.shape[:2]
        channels = len(proj)
        linear, through_norm = by_head(weight, heads).to(dtype), centred(weight, channels).to(dtype)
        buffers = score_buffer(pieces, factors), score_buffer(pieces, factors)
        gradient, grad_features = with_others(gradient, images)
        maps = gradient.flatten(0, 2), grad_features.flatten(0, 2)
        grad_bias = torch.zeros_like(bias, memory_format=torch.contiguous_format)
        grad_weight, grad_proj = torch.zeros_like(weight), bias.new_zeros(proj.shape)
        for (piece, region), care in zip(pieces, careful, strict=True):
            chosen = rows[piece].flatten()
            outer = maps[0].index_select(0, chosen).view(*rows[piece].shape, -1)
            qkv = heads_of(normed[piece], linear, heads)
            weights = weights_of(qkv, factors[region], care, buffers[0])
            output, grad_projected = attended[piece], outer.to(dtype).mT
            grad_proj += torch.bmm(grad_projected, output.mT).sum(0)
            grad_output = torch.bmm(proj.T.expand(len(outer), -1, -1), grad_projected)
            grad_output = grad_output.view(len(qkv), -1, count)
            output = output.view_as(grad_output)
            totals = sums.unflatten(0, (-1, heads))[piece].flatten(0, 1)
            grad_qkv = attention_backward(
                grad_output, output, totals, qkv, weights, buffers[1], grad_bias
            )
            grad_qkv = grad_qkv.view(3, len(outer), channels, count).transpose(1, 2)
            grad_qkv = grad_qkv.flatten(2).flatten(0, 1)  # (3 * C, n * N)
            tokens = normed[piece].flatten(0, 1)
            grad_weight += torch.mm(grad_qkv, tokens)
            grad_normed = torch.mm(grad_qkv.T, through_norm)
            through = norm_backward(grad_normed, tokens, inverse_std[piece].flatten(0, 1))
            maps[1].index_copy_(0, chosen, outer.flatten(0, 1).add_(through))
        return (
            *(grad_features, *[None] * 8),
            *(grad_bias.mT, grad_weight, scale * grad_proj),
        )


def by_head(weight: Tensor, heads: int) -> Tensor:
    """Rows (3, heads, d) in the order (heads, 3 * d + 1), the last of each head giving ones."""
    rows = weight.view(3, heads, -1, weight.shape[1]).transpose(0, 1).flatten(1, 2)
    ones = weight.new_zeros(heads, 1, weight.shape[1])
    ones[..., -1] = 1
    return torch.cat([rows, ones], 1).flatten(0, 1)


def windows_of(
    regions: Tensor, images: list[int], weights: int
) -> tuple[Tensor, list[tuple[slice, int]]]:
    """Which windows of a batch, region by region, and the pieces of some, with their region."""
    chosen, pieces = [], []
    first, step = 0, max(1, WEIGHTS // weights)
    for region in regions.unique().tolist():
        windows = (regions == region).nonzero().T  # (1, n)
        windows = torch.tensor(images).long()[:, None] * len(regions) + windows
        chosen.append(windows.flatten())
        last = first + windows.numel()
        starts = range(first, last, step)
        pieces += [(slice(start, min(start + step, last)), region) for start in starts]
        first = last
    return torch.cat(chosen), pieces


def factors_of(bias: Tensor, region_bias: Tensor) -> Tensor:
    """(regions, heads, keys, queries): by what the biases multiply the weights, 0 between regions.

    For exp(-100) is a denormal number, with which a product takes a hundred times as long.
    """
    return bias.mT.exp().masked_fill(region_bias < 0, 0.0).contiguous()


def score_buffer(pieces: list[tuple[slice, int]], factors: Tensor) -> Tensor:
    """Memory for the scores of a piece: new memory each time would take as long as they do."""
    largest = max((piece.stop - piece.start for piece, _ in pieces), default=0)
    return factors.new_empty(largest * factors.shape[1], *factors.shape[2:])


def heads_of(normed: Tensor, linear: Tensor, heads: int) -> Tensor:
    """Queries, keys, values and ones of n windows, (n * heads, 3 * d + 1, N)."""
    qkv = torch.bmm(linear.expand(len(normed), -1, -1), normed.mT)
    return qkv.view(len(normed) * heads, -1, normed.shape[1])


def query_key_value(qkv: Tensor) -> tuple[Tensor, ...]:
    """(n, d, N) twice, and (n, d + 1, N)."""
    size = qkv.shape[1] // 3
    parts = qkv.split([size, size, size + 1], 1)
    if qkv.dtype == torch.bfloat16:  # whose product transposes what has gaps, at a higher cost
        return tuple(part.contiguous() for part in parts)
    return parts


def weights_of(qkv: Tensor, factors: Tensor, careful: bool, buffer: Tensor) -> Tensor:
    """(n, keys, queries): what their sums over the keys make the weights of attention."""
    query, key, _ = query_key_value(qkv)
    scores = buffer[: len(qkv)]
    alpha = LOG2_E * query.shape[1] ** -0.5
    torch.baddbmm(scores, key.mT, query, beta=0, alpha=alpha, out=scores)
    by_window = scores.view(-1, *factors.shape)
    if careful:
        by_window += factors.log2()
        return scores.sub_(scores.amax(1, keepdim=True)).exp2_()
    scores.exp2_()
    by_window *= factors
    return scores


def attend(qkv: Tensor, factors: Tensor, buffer: Tensor, output: Tensor) -> bool:
    """Write the sums over weighted values and ones, and say whether that took care."""
    value = query_key_value(qkv)[2]
    torch.bmm(value, weights_of(qkv, factors, False, buffer), out=output)
    least, most = output[:, -1].aminmax()
    careful = not (least > 1 / LARGEST and most < LARGEST)
    if careful:
        torch.bmm(value, weights_of(qkv, factors, True, buffer), out=output)
    return careful


def attention_backward(
    grad_output: Tensor,
    output: Tensor,
    sums: Tensor,
    qkv: Tensor,
    weights: Tensor,
    buffer: Tensor,
    grad_bias: Tensor,
) -> Tensor:
    """The gradients of queries, keys and values, (3, n, d, N); that of the bias is added."""
    query, key, value = query_key_value(qkv)
    scale = query.shape[1] ** -0.5
    inner = (grad_output * output)[:, :-1].sum(1)
    grad_output[:, -1] = -inner
    grad_output /= sums
    grad_scores = torch.bmm(value.mT, grad_output, out=buffer[: len(qkv)])
    grad_scores *= weights
    grad_bias += grad_scores.view(-1, grad_bias.numel()).sum(0).view_as(grad_bias)
    grad_qkv = torch.empty(3, *query.shape, dtype=query.dtype)
    torch.baddbmm(grad_qkv[0], key, grad_scores, beta=0, alpha=scale, out=grad_qkv[0])
    torch.baddbmm(grad_qkv[1], query, grad_scores.mT, beta=0, alpha=scale, out=grad_qkv[1])
    torch.bmm(grad_output[:, :-1], weights.mT, out=grad_qkv[2])
    return grad_qkv
