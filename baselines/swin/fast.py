"""Which way of computing the Swin block is the fast one where, and training on a CPU."""

import torch
from torch import Tensor, nn

from baselines.cpu import computed, multiplied_in
from baselines.swin.block import StochasticDepth, SwinBlock
from baselines.swin.branches import AttentionBranch
from baselines.swin.inference import without_gradients
from baselines.swin.maps import of_whole_maps
from baselines.swin.mlp import MLPBranch


class FastSwinBlock(SwinBlock):
    """A `SwinBlock` which computes the same, to rounding, in less time.

    Training on a GPU and tracing take the forward pass of `SwinBlock`; compilers, and a GPU without
    gradients, take whole maps.
    """

    def forward(self, features: Tensor) -> Tensor:
        """(B, H, W, C) to the same; H and W are multiples of the window's side."""
        if torch.compiler.is_compiling() and not self.training:
            return of_whole_maps(self, features)
        if not computed(features) or features.device.type not in ("cpu", "cuda"):
            return super().forward(features)
        if not (torch.is_grad_enabled() or self.training):
            whole = features.is_cuda
            return (of_whole_maps if whole else without_gradients)(self, features)
        if features.is_cuda:
            return super().forward(features)
        dtype = multiplied_in(self.norm1.weight)
        with torch.autocast("cpu", enabled=False):  # for the norms and the folded weights
            return with_gradients(self, features, dtype)


def with_gradients(block: SwinBlock, features: Tensor, dtype: torch.dtype) -> Tensor:
    """A block on a CPU, (B, H, W, C) to the same, by the two branches with gradients of their own.

    What is inside them has ``dtype``, what goes from block to block that of the weights. Their
    LayerNorm has no weight and bias: `folded` moves them into the linear layer behind it.
    """
    attn, fc1, fc2 = block.attn, block.mlp.fc1, block.mlp.fc2
    features = features.to(fc1.weight.dtype)
    index = torch.arange(features[0, ..., 0].numel()).view(1, *features.shape[1:3], 1)
    index = block.windows(index)  # (1, rows, columns, N, 1)
    keep = attn.token_drop(features.new_ones(len(features), *index.shape[1:]))
    drops = not isinstance(attn.token_drop, nn.Identity)
    weight, bias = folded(block.norm1, attn.qkv)
    columns = (bias, attn.qkv.bias) if drops else (bias + attn.qkv.bias,)
    proj = attn.proj.weight.unflatten(1, (attn.num_heads, -1))  # (C, heads, d)
    proj_bias = (attn.proj.bias / attn.num_heads).view(-1, 1, 1).expand(-1, attn.num_heads, 1)
    features = AttentionBranch.apply(
        features,
        *kept_images(block.drop_path, len(features)),
        block.norm1.eps,
        dtype,
        index.flatten(0, 2).squeeze(-1),
        attn.regions(*index.shape[1:3]).flatten(),
        keep.flatten(1, 2).squeeze(-1) if drops else None,
        attn.region_bias,
        attn.bias(),
        torch.column_stack((weight, *columns)),
        torch.cat([proj, proj_bias], 2).flatten(1),
    )
    weight, bias = folded(block.norm2, fc1)
    return MLPBranch.apply(
        features,
        *kept_images(block.drop_path, len(features)),
        block.norm2.eps,
        dtype,
        torch.column_stack((weight, bias + fc1.bias)),
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
    """A linear layer's weight behind a norm that has none, and what the norm's bias then adds."""
    return linear.weight * norm.weight, linear.weight @ norm.bias
