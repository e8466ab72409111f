"""The transformer block of SwinIR, attention inside windows and an MLP, as its paper has it.

Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", ICCV 2021,
https://arxiv.org/abs/2103.14030; Liang et al., "SwinIR: Image Restoration Using Swin Transformer",
ICCV Workshops 2021, https://arxiv.org/abs/2108.10257. Written anew; the names of the state dict are
those of https://github.com/JingyunLiang/SwinIR.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class WindowAttention(nn.Module):
    """Multi-head self-attention inside each window, with a learned bias per relative position.

    ``token_drop`` is the module that tokens pass before they become queries, keys and values. Here
    it is the identity; whatever takes its place multiplies each token by 0 or 1.
    """

    relative_position_index: Tensor
    region_bias: Tensor

    def __init__(self, embed_dim: int, num_heads: int, window_size: int, shifted: bool):
        super().__init__()
        self.num_heads = num_heads
        self.shifted = shifted
        table = torch.empty((2 * window_size - 1) ** 2, num_heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.token_drop: nn.Module = nn.Identity()
        index = relative_position_index(window_size)
        self.register_buffer("relative_position_index", index, persistent=False)
        self.register_buffer("region_bias", region_bias(window_size), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, rows, columns, N, C) to the same: a grid of windows of N tokens, row by row."""
        bias = self.bias() + self.region_bias[self.regions(*windows.shape[1:3]).flatten()]
        qkv = self.qkv(self.token_drop(windows)).flatten(1, 2)
        qkv = qkv.unflatten(-1, (3, self.num_heads, -1)).permute(3, 0, 1, 4, 2, 5)
        query, key, value = qkv.flatten(2, 3)  # (B, windows * heads, N, d) each
        attended = attention(query, key, value, bias.flatten(0, 1))
        attended = attended.unflatten(1, (-1, self.num_heads)).transpose(2, 3)
        return self.proj(attended.reshape(windows.shape))

    def bias(self) -> Tensor:
        """(heads, N, N), queries before keys."""
        return self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)

    def regions(self, rows: int, columns: int) -> Tensor:
        """(rows, columns): which entry of ``region_bias`` holds for a window."""
        regions = torch.zeros(rows, columns, dtype=torch.long, device=self.region_bias.device)
        if self.shifted:
            regions[-1] += 1  # the lowest windows hold pixels of the upper edge as well
            regions[:, -1] += 2
        return regions


def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """SoftMax(Q K^T / sqrt(d) + B) V: (B, n, N, d) each and (n, N, N) to (B, n, N, d)."""
    if fused(query.device):
        return functional.scaled_dot_product_attention(query, key, value, bias[None])
    scores = (query * query.shape[-1] ** -0.5) @ key.mT + bias
    return scores.softmax(-1) @ value


def fused(device: torch.device) -> bool:
    """Whether torch's fused attention is the faster one.

    In fp32 on a CPU it takes twice as long as plain products in which the few channels of a head
    are rows and the many tokens columns.
    """
    return device.type == "cuda" or torch.is_autocast_enabled(device.type)


def relative_position_index(window_size: int) -> Tensor:
    """(N, N) rows of the bias table, by the offset of query and key."""
    axis = torch.arange(window_size)
    row, column = (grid.flatten() for grid in torch.meshgrid(axis, axis, indexing="ij"))
    offset = window_size - 1
    rows, columns = row[:, None] - row + offset, column[:, None] - column + offset
    return rows * (2 * window_size - 1) + columns


def region_bias(window_size: int) -> Tensor:
    """(4, 1, N, N): -100 between tokens which are neighbours by the cyclic shift alone, else 0.

    For windows inside, at the lower edge, at the right edge, and in the corner of both.
    """
    axis = torch.arange(window_size) >= window_size - window_size // 2
    row, column = (grid.flatten() for grid in torch.meshgrid(axis, axis, indexing="ij"))
    lower, right = row[:, None] != row, column[:, None] != column
    separate = torch.stack([torch.zeros_like(lower), lower, right, lower | right])
    return -100.0 * separate[:, None]


class StochasticDepth(nn.Module):
    """In training, zero a branch for an image with some probability and scale it up otherwise.

    Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016. torchvision has the same, but
    importing it takes as long as importing torch.
    """

    def __init__(self, probability: float):
        super().__init__()
        self.probability = probability

    def forward(self, branch: Tensor) -> Tensor:
        """(B, ...) to the same."""
        if not self.training or self.probability == 0:
            return branch
        keep_probability = 1 - self.probability
        keep = branch.new_empty(len(branch), *[1] * (branch.ndim - 1)).bernoulli_(keep_probability)
        return branch * (keep / keep_probability)


class MLP(nn.Module):
    """Two linear layers and a GELU between them, for each token by itself."""

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., C) to the same."""
        return self.fc2(functional.gelu(self.fc1(tokens)))


class SwinBlock(nn.Module):
    """Windowed attention, then an MLP, each behind a LayerNorm and with its own shortcut."""

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        window_size: int,
        mlp_ratio: float,
        drop_path: float,
        shifted: bool,
    ):
        super().__init__()
        self.window_size = window_size
        self.shift = window_size // 2 if shifted else 0
        self.norm1 = nn.LayerNorm(embed_dim)
        self.attn = WindowAttention(embed_dim, num_heads, window_size, shifted)
        self.norm2 = nn.LayerNorm(embed_dim)
        self.mlp = MLP(embed_dim, int(embed_dim * mlp_ratio))
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, features: Tensor) -> Tensor:
        """(B, H, W, C) to the same; H and W are multiples of the window's side."""
        windows = self.windows(self.norm1(features))  # (B, rows, columns, N, C)
        attended = from_windows(self.attn(windows), features.shape)  # (B, H, W, C)
        if self.shift:
            attended = attended.roll((self.shift, self.shift), (1, 2))
        features = features + self.drop_path(attended)
        return features + self.drop_path(self.mlp(self.norm2(features)))

    def windows(self, features: Tensor) -> Tensor:
        """(B, H, W, C) to (B, rows, columns, N, C), after the cyclic shift."""
        size = self.window_size
        if self.shift:
            features = features.roll((-self.shift, -self.shift), (1, 2))
        windows = features.unflatten(2, (-1, size)).unflatten(1, (-1, size)).transpose(2, 3)
        return windows.flatten(3, 4)


def from_windows(windows: Tensor, shape: torch.Size) -> Tensor:
    """(B, rows, columns, N, C) to ``shape``, (B, H, W, C)."""
    size = shape[1] // windows.shape[1]
    return windows.unflatten(3, (size, size)).transpose(2, 3).reshape(shape)
