"""The Swin block in pieces of a few windows, which stay in a CPU's cache from step to step.

Step by step over a whole map, as in `SwinBlock.forward`, every intermediate result would go to
memory and back, some twenty times.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.swin_block import StochasticDepth, SwinBlock, WindowAttention, fused
from baselines.swin_branches import AttentionBranch, MLPBranch

WINDOWS = 32  # at a time, of 8x8 pixels; the weights of their attention take 3 MB


class FastSwinBlock(SwinBlock):
    """A `SwinBlock` which computes the same, to rounding, in less time.

    Training on a GPU, compiling and tracing take the forward pass of `SwinBlock`.
    """

    def forward(self, features: Tensor) -> Tensor:
        """(B, H, W, C) to the same; H and W are multiples of the window's side."""
        if not (torch.is_grad_enabled() or self.training):
            return without_gradients(self, features)
        traced = type(features) is not Tensor or torch.compiler.is_compiling()
        if features.device.type == "cpu" and not traced:
            return with_gradients(self, features)
        return super().forward(features)


def without_gradients(block: SwinBlock, features: Tensor) -> Tensor:
    """A block in evaluation, (B, H, W, C) to the same; a GPU takes all windows at a time."""
    attn = block.attn
    index = torch.arange(features[..., 0].numel(), device=features.device)
    index = block.windows(index.view(*features.shape[:3], 1))  # (B, rows, columns, N, 1)
    keep = attn.token_drop(features.new_ones(index.shape))  # one draw for all windows
    regions = attn.regions(*index.shape[1:3])
    tokens = features.flatten(0, 2)
    restored = torch.empty_like(tokens)
    step = len(tokens) if features.is_cuda else WINDOWS
    copies = 1 if fused(features.device) else step
    for region in regions.unique():
        bias = (attn.bias() + attn.region_bias[region]).repeat(copies, 1, 1, 1)
        buffer = torch.empty_like(bias)
        of_region = (part[:, regions == region].flatten(0, 1) for part in (index, keep))
        for rows, factors in zip(*(part.split(step) for part in of_region), strict=True):
            rows = rows.flatten()
            piece = tokens.index_select(0, rows)  # (n * N, C)
            normed = block.norm1(piece).view(*factors.shape[:2], -1) * factors
            piece += window_attention(attn, normed, bias, buffer).flatten(0, 1)
            piece += block.mlp(block.norm2(piece))
            restored.index_copy_(0, rows, piece)
    return restored.view(features.shape)


def window_attention(
    attn: WindowAttention, windows: Tensor, bias: Tensor, buffer: Tensor
) -> Tensor:
    """Attention without gradients, for windows of one region: (n, N, C) to the same.

    Parameters
    ----------
    bias
        (copies, heads, N, N), the same for every window; where attention is not `fused`, n copies
        or more.
    buffer
        As much memory for the weights: new memory each time would take as long as they do.
    """
    count, tokens, channels = windows.shape
    if fused(windows.device):
        qkv = attn.qkv(windows).unflatten(-1, (3, attn.num_heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = qkv
        attended = functional.scaled_dot_product_attention(query, key, value, bias[:1])
        return attn.proj(attended.transpose(1, 2).flatten(2))
    qkv = torch.addmm(attn.qkv.bias[:, None], attn.qkv.weight, windows.flatten(0, 1).T)
    qkv = qkv.view(3, channels, count, tokens).transpose(1, 2)
    query, key, value = qkv.reshape(3, count * attn.num_heads, -1, tokens)
    bias, weights = (part[:count].flatten(0, 1) for part in (bias, buffer))
    scale = query.shape[1] ** -0.5
    torch.baddbmm(bias, query.transpose(1, 2), key, alpha=scale, out=weights)
    torch.softmax(weights, -1, out=weights)
    attended = (value @ weights.transpose(1, 2)).view(count, channels, tokens)
    return attn.proj(attended.transpose(1, 2))


def with_gradients(block: SwinBlock, features: Tensor) -> Tensor:
    """A block on a CPU, (B, H, W, C) to the same, by the two branches with gradients of their own.

    Their LayerNorm has no weight and bias: `folded` moves them into the linear layer behind it.
    """
    attn, fc1, fc2 = block.attn, block.mlp.fc1, block.mlp.fc2
    features = features.to(fc1.weight.dtype)  # in bf16 the linear layers multiply, no more
    dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else features.dtype
    index = torch.arange(features[0, ..., 0].numel()).view(1, *features.shape[1:3], 1)
    index = block.windows(index)  # (1, rows, columns, N, 1)
    keep = attn.token_drop(features.new_ones(len(features), *index.shape[1:]))
    drops = not isinstance(attn.token_drop, nn.Identity)
    features = AttentionBranch.apply(
        features,
        *kept_images(block.drop_path, len(features)),
        block.norm1.eps,
        dtype,
        index.flatten(0, 2).squeeze(-1),
        keep.flatten(1, 2).squeeze(-1).bool() if drops else None,
        attn.region_bias[attn.regions(*index.shape[1:3]).flatten()] if block.shift else None,
        attn.bias(),
        *folded(block.norm1, attn.qkv),
        attn.qkv.bias,
        *(attn.proj.weight, attn.proj.bias),
    )
    return MLPBranch.apply(
        features,
        *kept_images(block.drop_path, len(features)),
        block.norm2.eps,
        dtype,
        *folded(block.norm2, fc1),
        *(fc2.weight, fc2.bias),
    )


def kept_images(depth: StochasticDepth, batch: int) -> tuple[list[int], float]:
    """Which images of a batch keep their branch, and by how much it is scaled up."""
    if not depth.training or depth.probability == 0:
        return list(range(batch)), 1.0
    keep_probability = 1 - depth.probability
    keep = torch.empty(batch).bernoulli_(keep_probability)
    return keep.nonzero().flatten().tolist(), 1 / keep_probability


def folded(norm: nn.LayerNorm, linear: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear layer behind a norm that has none of its own."""
    return linear.weight * norm.weight, linear.bias + linear.weight @ norm.bias
