"""Attention without gradients for a few windows, of all tokens or where most are hidden.

SoftMax(S + B) V is computed as (2^S * 2^B) [V, 1], whose last column are the sums of the weights:
torch's softmax takes three times as long as these steps, and 2^B is the same for all windows. Where
a sum leaves the range in which that is as good, it is the softmax after all.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from baselines.swin.block import WindowAttention

LOG2_E = math.log2(math.e)
LOWEST, HIGHEST = 1e-20, 1e30  # of the sums: a term which fp32 cannot hold is far below rounding


@dataclass(frozen=True)
class AttentionWeights:
    """The parameters of `WindowAttention` for windows of one region, a head after the other.

    Parameters
    ----------
    linear, constant
        (heads, C, columns) and (heads, 1, columns), from a token to ``width`` columns each of
        query, which is scaled, key and value; then a 1; then what the query of a hidden token gives
        its key, less what it gives that of a hidden one; then zeros. Powers of 2 stand for those
        of e.
    bias, factors
        (heads, N, N), queries before keys, to be added to scores; and 2 to the power of it, which
        is 0 between tokens that are neighbours by the cyclic shift alone.
    width
        Channels of a head.
    """

    linear: Tensor
    constant: Tensor
    bias: Tensor
    factors: Tensor
    width: int

    @classmethod
    def by_region(cls, attn: WindowAttention) -> "list[AttentionWeights]":
        """One for each of ``attn.region_bias``."""
        weight = attn.qkv.weight.unflatten(0, (3, attn.num_heads, -1)).transpose(0, 1)
        bias = attn.qkv.bias.unflatten(0, (3, attn.num_heads, -1)).transpose(0, 1)
        heads, _, width, channels = weight.shape
        columns = -(-(3 * width + 2) // 4) * 4  # whole vectors
        linear = weight.new_zeros(heads, columns, channels)
        linear[:, : 3 * width] = weight.flatten(1, 2)
        constant = bias.new_zeros(heads, 1, columns)
        constant[:, 0, : 3 * width] = bias.flatten(1)
        linear[:, :width] *= LOG2_E * width**-0.5
        constant[..., :width] *= LOG2_E * width**-0.5
        constant[..., 3 * width] = 1
        linear[:, 3 * width + 1] = (constant[..., :width] @ weight[:, 1])[:, 0]
        between = LOG2_E * (attn.bias() + attn.region_bias)
        factors = between.exp2().masked_fill(attn.region_bias < 0, 0)
        return [
            cls(linear.mT.contiguous(), constant, *of_region, width)
            for of_region in zip(between, factors, strict=True)
        ]

    def heads_of(self, tokens: Tensor) -> Tensor:
        """(n, N, C) to (heads, n, N, columns)."""
        everywhere = tokens.flatten(0, 1).expand(len(self.linear), -1, -1)
        columns = torch.baddbmm(self.constant, everywhere, self.linear)
        return columns.unflatten(1, tokens.shape[:2])

    def split(self, columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key, and value with a 1 behind it: views of what `heads_of` gives."""
        width = self.width
        query, key, value = (columns[..., i * width : (i + 1) * width + i // 2] for i in range(3))
        return query, key, value


def attention(tokens: Tensor, weights: AttentionWeights) -> Tensor:
    """(n, N, C), normed and 0 where hidden, to (n * N, C), before the last linear layer."""
    count, length, channels = tokens.shape
    query, key, value = weights.split(weights.heads_of(tokens).flatten(0, 1))
    scores = query @ key.mT  # (heads * n, N, N)
    scores.exp2_().view(-1, count, length, length).mul_(weights.factors[:, None])
    sums = (scores @ value).view(-1, count, length, value.shape[-1])
    attended = tokens.new_empty(count, length, len(sums), weights.width)
    if not divided(sums, attended.permute(2, 0, 1, 3)):
        scores = (query @ key.mT).view(-1, count, length, length) + weights.bias[:, None]
        scores = (scores / LOG2_E).softmax(-1).flatten(0, 1)
        attended = (scores @ value[..., :-1]).view(-1, count, length, weights.width)
        attended = attended.permute(1, 2, 0, 3)
    return attended.reshape(-1, channels)


def divided(sums: Tensor, attended: Tensor) -> bool:
    """Write (..., d + 1) by its last column into (..., d), if all of that are in range."""
    totals = sums[..., -1:]
    lowest, highest = totals.aminmax()
    if not (lowest > LOWEST and highest < HIGHEST):
        return False
    torch.div(sums[..., :-1], totals, out=attended)
    return True


def attention_with_hidden(
    tokens: Tensor, norm: nn.LayerNorm, keep: Tensor, weights: AttentionWeights
) -> Tensor:
    """The same for windows most of whose tokens are hidden.

    All hidden tokens of a head have one query, one key and one value, those of a token of zeros.
    As keys they are one, whose factor is the sum of theirs. As queries they differ in their factors
    alone, which are multiplied with 2^s [V, 1].

    Parameters
    ----------
    tokens
        (n * N, C), not yet normed.
    keep
        (n, N), 0 for hidden tokens and 1 for others.
    """
    count, length = keep.shape
    heads, width, channels = len(weights.bias), weights.width, tokens.shape[1]
    apart = max(1, int(keep.sum(1).amax()))  # tokens of each window which are treated one by one
    first = keep.argsort(dim=1, descending=True, stable=True)[:, :apart]
    window = torch.arange(count)[:, None]
    rows = (window * length + first).flatten()
    normed = norm(tokens.index_select(0, rows)).view(count, apart, channels)
    shown = tokens.new_zeros(count, apart + 1, channels)  # the last one is hidden
    torch.mul(normed, keep.gather(1, first)[..., None], out=shown[:, :apart])
    columns = weights.heads_of(shown)  # (heads, n, apart + 1, columns)
    query, key, value = weights.split(columns.flatten(0, 1))

    hidden = torch.ones_like(keep).scatter_(1, first, 0)
    by_key = weights.factors.mT.flatten(0, 1)  # (heads * N, N)
    by_key = torch.cat([by_key, (hidden @ weights.factors.mT).flatten(0, 1)])
    head = torch.arange(heads)[:, None, None]
    of_hidden = (heads * length + head * count + window).expand(-1, -1, 1)
    rows_by_key = torch.cat([head * length + first, of_hidden], 2)
    factors = by_key.index_select(0, rows_by_key.flatten())  # keys before queries
    factors = factors.view(heads, count, apart + 1, length)
    of_shown = factors.gather(3, first[None, :, None].expand(heads, -1, apart + 1, -1))

    scores = (key @ query[:, :apart].mT).exp2_().mul_(of_shown.flatten(0, 1))
    sums = (scores.mT @ value).view(heads, count, apart, width + 1)
    attended_shown = tokens.new_empty(count, apart, heads, width)
    in_range = divided(sums, attended_shown.permute(2, 0, 1, 3))
    value = value * columns.flatten(0, 1)[..., 3 * width + 1, None].exp2()
    sums = (factors.flatten(0, 1).mT @ value).view(heads, count, length, width + 1)
    attended = tokens.new_empty(count, length, heads, width)
    if not (in_range and divided(sums, attended.permute(2, 0, 1, 3))):
        normed = norm(tokens).view(count, length, channels)
        return attention(normed * keep[..., None], weights)
    attended = attended.view(-1, channels)
    return attended.index_copy_(0, rows, attended_shown.view(-1, channels))
