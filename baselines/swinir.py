"""SwinIR, windowed self-attention for image restoration: the size the masked-training paper uses.

Liang et al., "SwinIR: Image Restoration Using Swin Transformer", ICCV Workshops 2021,
https://arxiv.org/abs/2108.10257. Written anew; the names of the state dict are those of
https://github.com/JingyunLiang/SwinIR.
"""

from collections import OrderedDict
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.denoiser import DENOISERS, Denoiser, pad_to_multiple

RGB_MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K, subtracted by the published code


class WindowAttention(nn.Module):
    """Multi-head self-attention inside each window, with a learned bias per relative position.

    ``token_mask`` sees the tokens before they become queries, keys and values; a subclass of the
    network may put another module in its place.
    """

    def __init__(self, embed_dim: int, num_heads: int, window_size: int, shifted: bool):
        super().__init__()
        self.num_heads = num_heads
        self.shifted = shifted
        table = torch.empty((2 * window_size - 1) ** 2, num_heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.token_mask: nn.Module = nn.Identity()
        index = relative_position_index(window_size)
        self.register_buffer("relative_position_index", index, persistent=False)
        self.register_buffer("regions", region_masks(window_size), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, rows, columns, tokens, C) to the same: a grid of windows, row by row."""
        qkv = self.qkv(self.token_mask(windows)).unflatten(-1, (3, self.num_heads, -1))
        query, key, value = qkv.flatten(0, 2).permute(2, 0, 3, 1, 4)  # (windows, heads, tokens, d)
        attended = self.attend(query, key, value, windows.shape[:3])
        return self.proj(attended.transpose(1, 2).reshape(windows.shape))

    def attend(self, query: Tensor, key: Tensor, value: Tensor, grid: torch.Size) -> Tensor:
        """Softmax attention; windows at the seam of the cyclic shift keep their regions apart."""
        bias = self.relative_position_bias_table[self.relative_position_index]
        bias = bias.permute(2, 0, 1).contiguous()[None]  # (1, heads, tokens, tokens)
        batch, rows, columns = grid
        seam = torch.zeros(rows, columns, dtype=torch.long, device=query.device)
        if self.shifted:
            seam[-1] += 1  # the lowest windows hold pixels of the upper edge as well
            seam[:, -1] += 2
        seam = seam.flatten()
        if query.requires_grad or bias.requires_grad:  # the fused kernel gives a bias no gradient
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
            scores = scores.unflatten(0, (batch, -1)) + (bias + self.regions[seam])
            return scores.flatten(0, 1).softmax(-1) @ value
        attention = functional.scaled_dot_product_attention
        attended = attention(query, key, value, bias)  # one bias for all windows keeps it fused
        mixed = seam.repeat(batch).nonzero().squeeze(1)
        if len(mixed):
            apart = bias + self.regions[seam.repeat(batch)[mixed]]
            attended[mixed] = attention(query[mixed], key[mixed], value[mixed], apart)
        return attended


def relative_position_index(window_size: int) -> Tensor:
    """(tokens, tokens) rows of the bias table, by the offset of query and key."""
    axis = torch.arange(window_size)
    row, column = (grid.flatten() for grid in torch.meshgrid(axis, axis, indexing="ij"))
    offset = window_size - 1
    rows, columns = row[:, None] - row + offset, column[:, None] - column + offset
    return rows * (2 * window_size - 1) + columns


def region_masks(window_size: int) -> Tensor:
    """(4, 1, tokens, tokens), 0 or -100: windows inside, at the lower, the right, both seams."""
    axis = torch.arange(window_size) >= window_size - window_size // 2
    row, column = (grid.flatten() for grid in torch.meshgrid(axis, axis, indexing="ij"))
    lower, right = row[:, None] != row, column[:, None] != column
    apart = torch.stack([torch.zeros_like(lower), lower, right, lower | right])
    return -100.0 * apart[:, None]


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
        kept = 1 - self.probability
        keep = branch.new_empty(len(branch), *[1] * (branch.ndim - 1)).bernoulli_(kept)
        return branch * (keep / kept)


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
        hidden = int(embed_dim * mlp_ratio)
        layers = {"fc1": nn.Linear(embed_dim, hidden), "act": nn.GELU()}
        self.mlp = nn.Sequential(OrderedDict(layers, fc2=nn.Linear(hidden, embed_dim)))
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, features: Tensor) -> Tensor:
        """(B, H, W, C) to the same."""
        features = features + self.drop_path(self.attend(self.norm1(features)))
        return features + self.drop_path(self.mlp(self.norm2(features)))

    def attend(self, features: Tensor) -> Tensor:
        size, shift = self.window_size, self.shift
        if shift:
            features = features.roll((-shift, -shift), (1, 2))
        windows = features.unflatten(2, (-1, size)).unflatten(1, (-1, size)).transpose(2, 3)
        attended = self.attn(windows.flatten(3, 4))  # (B, rows, columns, tokens, C)
        attended = attended.unflatten(3, (size, size)).transpose(2, 3).reshape(features.shape)
        return attended.roll((shift, shift), (1, 2)) if shift else attended


class ResidualSwinGroup(nn.Module):
    """Swin blocks, every second one shifted by half a window, then convolutions; plus its input."""

    def __init__(self, blocks: list[SwinBlock], conv: nn.Module):
        super().__init__()
        self.residual_group = nn.Sequential(OrderedDict(blocks=nn.Sequential(*blocks)))
        self.conv = conv

    def forward(self, features: Tensor) -> Tensor:
        """(B, H, W, C) to the same."""
        return features + channels_last(self.conv(channels_first(self.residual_group(features))))


def channels_first(features: Tensor) -> Tensor:
    """(B, H, W, C) to (B, C, H, W), a view."""
    return features.permute(0, 3, 1, 2)


def channels_last(features: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H, W, C), a view."""
    return features.permute(0, 2, 3, 1)


def one_conv(channels: int) -> nn.Module:
    return nn.Conv2d(channels, channels, 3, padding=1)


def three_convs(channels: int) -> nn.Module:
    """A bottleneck of a quarter of the channels, to save parameters."""
    narrow = channels // 4
    return nn.Sequential(
        nn.Conv2d(channels, narrow, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(narrow, narrow, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(narrow, channels, 3, padding=1),
    )


RESI_CONNECTIONS = {"1conv": one_conv, "3conv": three_convs}


@DENOISERS.register("swinir")
class SwinIR(Denoiser):
    """SwinIR [1]_ without upsampling, at the size of masked training's networks [2]_.

    Parameters
    ----------
    embed_dim
        Channels of every token; the colour denoiser of [1]_ has 180.
    depths
        Swin blocks in each residual group; every second one is shifted by half a window.
    num_heads
        Attention heads of every block; divides ``embed_dim``.
    window_size
        Side of an attention window, in pixels.
    mlp_ratio
        Hidden channels of a block's MLP, as a multiple of ``embed_dim``.
    resi_connection
        Convolutions at the end of a group and of the body: ``"1conv"``, or ``"3conv"`` through a
        quarter of the channels.
    drop_path
        Probability that training skips a branch of the last block, per image; the first block
        skips none, and between them it grows linearly (the published code's default is 0.1).

    Raises
    ------
    ValueError
        If ``num_heads`` does not divide ``embed_dim`` or ``resi_connection`` is unknown.

    References
    ----------
    .. [1] Liang et al., "SwinIR: Image Restoration Using Swin Transformer", ICCVW 2021.
    .. [2] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023.
    """

    learned = True
    first_kernel: ClassVar[int] = 3  # side of the first convolution
    residual: ClassVar[bool] = True  # shortcuts around the body and around the whole network

    def __init__(
        self,
        *,
        embed_dim: int = 60,
        depths: tuple[int, ...] = (6, 6, 6, 6),
        num_heads: int = 6,
        window_size: int = 8,
        mlp_ratio: float = 2.0,
        resi_connection: str = "3conv",
        drop_path: float = 0.1,
    ):
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(
                f"{self.name} cannot share embed_dim={embed_dim} among num_heads={num_heads}; "
                f"choose a number of heads which divides it"
            )
        if resi_connection not in RESI_CONNECTIONS:
            raise ValueError(
                f"unknown resi_connection '{resi_connection}' of {self.name}; "
                f"choose one of: {', '.join(RESI_CONNECTIONS)}"
            )
        convs = RESI_CONNECTIONS[resi_connection]
        rates = iter(torch.linspace(0, drop_path, sum(depths)).tolist())
        self.window_size = window_size
        self.register_buffer("mean", torch.tensor(RGB_MEAN).view(3, 1, 1), persistent=False)
        self.conv_first = nn.Conv2d(3, embed_dim, self.first_kernel, padding="same")
        self.patch_embed = nn.Sequential(OrderedDict(norm=nn.LayerNorm(embed_dim)))
        self.layers = nn.Sequential()
        for depth in depths:
            blocks = [
                SwinBlock(embed_dim, num_heads, window_size, mlp_ratio, next(rates), i % 2 == 1)
                for i in range(depth)
            ]
            self.layers.append(ResidualSwinGroup(blocks, convs(embed_dim)))
        self.norm = nn.LayerNorm(embed_dim)
        self.conv_after_body = convs(embed_dim)
        self.conv_last = nn.Conv2d(embed_dim, 3, 3, padding=1)
        self.apply(init_linear)

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped.

        Padding to whole windows reflects at the right and lower edge and is cropped away again.
        """
        height, width = noisy.shape[-2:]
        image = pad_to_multiple(noisy, self.window_size) - self.mean
        shallow = self.conv_first(image)
        body = self.norm(self.layers(self.patch_embed(channels_last(shallow))))
        deep = self.conv_after_body(channels_first(body))
        if self.residual:
            return (image + self.conv_last(deep + shallow) + self.mean)[..., :height, :width]
        return (self.conv_last(deep) + self.mean)[..., :height, :width]


def init_linear(module: nn.Module) -> None:
    """Normal weights of deviation 0.02 and no bias, as published; convolutions keep torch's."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
