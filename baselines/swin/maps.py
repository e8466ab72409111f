"""The Swin block without gradients as compilers and GPUs take it: no bias for each window.

In `SwinBlock.forward` the windows at the edges have a bias of their own. Whatever folds constants
makes that one bias for every window and head of the image, which takes gigabytes; and a GPU would
have to be waited for to pick them out by an index.
"""

import torch
from torch import Tensor
from torch.nn import functional

from baselines.swin.block import SwinBlock, WindowAttention, from_windows

INSIDE, LAST = slice(-1), slice(-1, None)  # windows along one axis


def of_whole_maps(block: SwinBlock, features: Tensor) -> Tensor:
    """A block in evaluation, (B, H, W, C) to the same; H and W are multiples of the window."""
    attn = block.attn
    windows = block.windows(block.norm1(features))  # (B, rows, columns, N, C)
    qkv = attn.qkv(attn.token_drop(windows))
    attended = in_regions(attn, qkv) if block.shift else attention(attn, qkv, 0)
    attended = from_windows(attn.proj(attended), features.shape)
    if block.shift:
        attended = attended.roll((block.shift, block.shift), (1, 2))
    features = features + attended
    return features + block.mlp(block.norm2(features))


def in_regions(attn: WindowAttention, qkv: Tensor) -> Tensor:
    """Attention of shifted windows, each region of `WindowAttention.regions` by itself."""
    rows = []
    for lower, row in enumerate((INSIDE, LAST)):
        parts = [qkv[:, row, column] for column in (INSIDE, LAST)]
        done = [
            attention(attn, part, lower + 2 * right)
            for right, part in enumerate(parts)
            if part.numel()  # an image of one window has nothing inside
        ]
        rows += [torch.cat(done, 2)] if done else []
    return torch.cat(rows, 1)


def attention(attn: WindowAttention, qkv: Tensor, region: int) -> Tensor:
    """Attention inside windows of one region: (B, rows, columns, N, 3 C) to (..., N, C)."""
    parts = qkv.flatten(0, 2).unflatten(-1, (3, attn.num_heads, -1))
    query, key, value = parts.permute(2, 0, 3, 1, 4)  # (windows, heads, N, d) each
    bias = attn.bias() + attn.region_bias[region]
    attended = functional.scaled_dot_product_attention(query, key, value, bias)
    return attended.transpose(1, 2).reshape(*qkv.shape[:-1], -1)
