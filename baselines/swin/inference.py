"""The Swin block without gradients on a CPU, a few windows at a time, which stay in its cache.

Step by step over a whole map, as in `SwinBlock.forward`, every intermediate result would go to
memory and back, some twenty times. Of mixed precision the MLP takes part alone: products with the
few channels of a head, softmax and norm take longer in bf16.
"""

import torch
from torch import Tensor
from torch.nn import functional

from baselines.cpu import multiplied_in
from baselines.swin.attention import AttentionWeights, attention, attention_with_hidden
from baselines.swin.block import SwinBlock

PIECE = 2**18  # numbers in the largest result of a few windows, a thread: 1 MB of its cache
HIDDEN = 0.7  # share of hidden tokens from which on treating them apart is the faster way


def without_gradients(block: SwinBlock, features: Tensor) -> Tensor:
    """A block in evaluation, (B, H, W, C) to the same, never in bf16."""
    attn, fc1, fc2 = block.attn, block.mlp.fc1, block.mlp.fc2
    features = features.to(fc1.weight.dtype)
    dtype = multiplied_in(features)
    layers = [part.to(dtype) for part in (fc1.weight, fc1.bias, fc2.weight)]
    index = torch.arange(features[..., 0].numel())
    index = block.windows(index.view(*features.shape[:3], 1))  # (B, rows, columns, N, 1)
    keep = attn.token_drop(features.new_ones(index.shape))  # one draw for all windows
    regions = attn.regions(*index.shape[1:3]).expand(len(features), -1, -1).flatten()
    index, keep = (part.flatten(0, 2).squeeze(-1) for part in (index, keep))  # (windows, N)
    kept, length = keep.sum(1), keep.shape[1]
    order = (regions * (length + 1) + kept).argsort(stable=True)  # similar windows side by side
    by_region = order.split(regions.bincount().tolist())
    share = float(kept.mean()) / length
    hides = share <= 1 - HIDDEN
    step = windows_at_a_time(block, hides)
    tokens = features.flatten(0, 2)
    restored = torch.empty_like(tokens)
    with torch.autocast("cpu", enabled=False):
        for windows, weights in zip(by_region, AttentionWeights.by_region(attn), strict=False):
            for piece in windows.split(step) if len(windows) else ():
                rows = index[piece].flatten()
                output = tokens.index_select(0, rows)  # (n * N, C)
                if hides:
                    attended = attention_with_hidden(output, block.norm1, keep[piece], weights)
                else:
                    normed = block.norm1(output).unflatten(0, (-1, length))
                    if share < 1:
                        normed *= keep[piece][..., None]
                    attended = attention(normed, weights)
                add_product(output, attended, attn.proj.weight, attn.proj.bias)
                hidden = functional.linear(block.norm2(output).to(dtype), *layers[:2])
                add_product(output, functional.gelu(hidden), layers[2], fc2.bias)
                restored.index_copy_(0, rows, output)
    return restored.view(features.shape)


def windows_at_a_time(block: SwinBlock, hides: bool) -> int:
    """So many that the largest result, attention's weights or the hidden channels, fits."""
    length = block.window_size**2
    weights = 0 if hides else block.attn.num_heads * length**2
    piece = PIECE * torch.get_num_threads()
    return max(1, piece // max(weights, block.mlp.fc1.out_features * length))


def add_product(output: Tensor, tokens: Tensor, weight: Tensor, bias: Tensor) -> None:
    """Add what a linear layer gives: in place, if it is in the same precision."""
    output += bias
    if tokens.dtype == output.dtype:
        output.addmm_(tokens, weight.T)
    else:
        output += tokens @ weight.T
