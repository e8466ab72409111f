"""SwinIR, windowed self-attention for image restoration: the size the masked-training paper uses.

Liang et al., "SwinIR: Image Restoration Using Swin Transformer", ICCV Workshops 2021,
https://arxiv.org/abs/2108.10257. Written anew; the names of the state dict are those of
https://github.com/JingyunLiang/SwinIR.
"""

import math
import re
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.swin_branches import AttentionBranch, MLPBranch, folded
from benchmark.denoiser import DENOISERS, Denoiser, pad_to_multiple

RGB_MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K, subtracted by the published code
WINDOWS_AT_A_TIME = 32  # of 8x8 pixels; the weights of their attention take 3 MB


class WindowAttention(nn.Module):
    """Multi-head self-attention inside each window, with a learned bias per relative position.

    ``token_mask`` sees the tokens before they become queries, keys and values, and zeroes some; a
    subclass of the network may put another module in its place.
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
        apart = self.regions[self.seams(*windows.shape[1:3]).flatten()]
        bias = (self.bias() + apart).flatten(0, 1)  # (windows * heads, tokens, tokens)
        qkv = self.qkv(self.token_mask(windows)).flatten(1, 2)
        qkv = qkv.unflatten(-1, (3, self.num_heads, -1)).permute(3, 0, 1, 4, 2, 5).flatten(2, 3)
        if fused(windows.device):
            attended = functional.scaled_dot_product_attention(*qkv, bias[None])
        else:
            query, key, value = qkv
            scores = (query * query.shape[-1] ** -0.5) @ key.mT + bias
            attended = scores.softmax(-1) @ value
        attended = attended.unflatten(1, (-1, self.num_heads)).transpose(2, 3)
        return self.proj(attended.reshape(windows.shape))

    def bias(self) -> Tensor:
        """(heads, tokens, tokens), queries before keys."""
        return self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)

    def seams(self, rows: int, columns: int) -> Tensor:
        """(rows, columns) row numbers of ``regions``: which windows the cyclic shift mixed."""
        seams = torch.zeros(rows, columns, dtype=torch.long, device=self.regions.device)
        if self.shifted:
            seams[-1] += 1  # the lowest windows hold pixels of the upper edge as well
            seams[:, -1] += 2
        return seams

    def attend(self, windows: Tensor, bias: Tensor, room: Tensor) -> Tensor:
        """Without gradients, for windows of one kind: (n, tokens, C) to the same.

        Parameters
        ----------
        bias
            (copies, heads, tokens, tokens), the same for every window; where attention is not
            `fused`, a copy for each.
        room
            As much memory for the weights: new memory each time would take as long as they do.
        """
        count, tokens, channels = windows.shape
        if fused(windows.device):
            qkv = self.qkv(windows).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
            attended = functional.scaled_dot_product_attention(*qkv, bias[:1])
            return self.proj(attended.transpose(1, 2).flatten(2))
        qkv = torch.addmm(self.qkv.bias[:, None], self.qkv.weight, windows.flatten(0, 1).T)
        qkv = qkv.view(3, channels, count, tokens).transpose(1, 2)
        query, key, value = qkv.reshape(3, count * self.num_heads, -1, tokens)
        bias, weights = (part[:count].flatten(0, 1) for part in (bias, room))
        scale = query.shape[1] ** -0.5
        torch.baddbmm(bias, query.transpose(1, 2), key, alpha=scale, out=weights)
        torch.softmax(weights, -1, out=weights)
        attended = (value @ weights.transpose(1, 2)).view(count, channels, tokens)
        return self.proj(attended.transpose(1, 2))


def fused(device: torch.device) -> bool:
    """Whether torch's fused attention is the way to go without gradients.

    In fp32 on a CPU it takes twice as long as plain products in which the few channels of a head
    are rows and the many tokens columns.
    """
    return device.type == "cuda" or torch.is_autocast_enabled(device.type)


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

    def draw(self, batch: int) -> tuple[list[int], float]:
        """Which images keep their branch, and by how much it is scaled up."""
        if not self.training or self.probability == 0:
            return list(range(batch)), 1.0
        kept = 1 - self.probability
        return torch.empty(batch).bernoulli_(kept).nonzero().flatten().tolist(), 1 / kept


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
        if not (torch.is_grad_enabled() or self.training):
            return self.few_windows_at_a_time(features)
        real = type(features) is Tensor and not torch.compiler.is_compiling()  # not traced, counted
        if real and features.device.type == "cpu":
            return self.with_gradients(features)
        attended = from_windows(self.attn(self.windows(self.norm1(features))), features.shape)
        if self.shift:
            attended = attended.roll((self.shift, self.shift), (1, 2))
        features = features + self.drop_path(attended)
        return features + self.drop_path(self.mlp(self.norm2(features)))

    def with_gradients(self, features: Tensor) -> Tensor:
        """The same on a CPU, in pieces small enough to stay in a cache from step to step."""
        attn, fc1, _, fc2 = self.attn, *self.mlp
        features = features.to(fc1.weight.dtype)  # in bf16 the linear layers multiply, no more
        dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else features.dtype
        places = torch.arange(features[0, ..., 0].numel()).view(1, *features.shape[1:3], 1)
        places = self.windows(places)  # (1, rows, columns, tokens, 1)
        kept = attn.token_mask(features.new_ones(len(features), *places.shape[1:]))
        masked = not isinstance(attn.token_mask, nn.Identity)
        features = AttentionBranch.apply(
            features,
            *self.drop_path.draw(len(features)),
            self.norm1.eps,
            dtype,
            places.flatten(0, 2).squeeze(-1),
            kept.flatten(1, 2).squeeze(-1).bool() if masked else None,
            attn.regions[attn.seams(*places.shape[1:3]).flatten()] if self.shift else None,
            attn.bias(),
            *folded(self.norm1, attn.qkv),
            attn.qkv.bias,
            *(attn.proj.weight, attn.proj.bias),
        )
        return MLPBranch.apply(
            features,
            *self.drop_path.draw(len(features)),
            self.norm2.eps,
            dtype,
            *folded(self.norm2, fc1),
            *(fc2.weight, fc2.bias),
        )

    def windows(self, features: Tensor) -> Tensor:
        """(B, H, W, C) to (B, rows, columns, tokens, C), after the cyclic shift."""
        size = self.window_size
        if self.shift:
            features = features.roll((-self.shift, -self.shift), (1, 2))
        windows = features.unflatten(2, (-1, size)).unflatten(1, (-1, size)).transpose(2, 3)
        return windows.flatten(3, 4)

    def few_windows_at_a_time(self, features: Tensor) -> Tensor:
        """The same without gradients, in pieces small enough to stay in a cache from step to step.

        A whole map would go to memory and back some twenty times.
        """
        places = torch.arange(features[..., 0].numel(), device=features.device)
        places = self.windows(places.view(*features.shape[:3], 1))  # of each window's tokens
        kept = self.attn.token_mask(features.new_ones(places.shape))  # one draw for all windows
        seams = self.attn.seams(*places.shape[1:3])
        tokens = features.flatten(0, 2)
        restored = torch.empty_like(tokens)
        step = len(tokens) if features.is_cuda else WINDOWS_AT_A_TIME
        copies = 1 if fused(features.device) else step
        for seam in seams.unique():
            bias = (self.attn.bias() + self.attn.regions[seam]).repeat(copies, 1, 1, 1)
            room = torch.empty_like(bias)
            there = (part[:, seams == seam].flatten(0, 1).split(step) for part in (places, kept))
            for place, keep in zip(*there, strict=True):
                place = place.flatten()
                some = tokens.index_select(0, place)
                seen = self.norm1(some).view(*keep.shape[:2], -1) * keep
                some += self.attn.attend(seen, bias, room).flatten(0, 1)
                some += self.mlp(self.norm2(some))
                restored.index_copy_(0, place, some)
        return restored.view(features.shape)


def from_windows(windows: Tensor, shape: torch.Size) -> Tensor:
    """(B, rows, columns, tokens, C) to ``shape``, (B, H, W, C)."""
    size = shape[1] // windows.shape[1]
    return windows.unflatten(3, (size, size)).transpose(2, 3).reshape(shape)


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
    sizes = {"tiny": {"embed_dim": 32, "depths": (4, 4), "num_heads": 2}}
    first_kernel: ClassVar[int] = 3  # side of the first convolution
    residual: ClassVar[bool] = True  # shortcuts around the body and around the whole network
    derived = ("relative_position_index", "attn_mask")

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

    @classmethod
    def arguments_of(cls, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
        """Everything but what training draws or testing sets."""
        found: dict[str, object] = {}
        if "conv_first.weight" in shapes:
            found["embed_dim"] = shapes["conv_first.weight"][0]
        block = re.compile(r"layers\.(\d+)\.residual_group\.blocks\.\d+\.norm1\.weight")
        groups = Counter(int(match[1]) for match in map(block.fullmatch, shapes) if match)
        if groups:
            found["depths"] = tuple(groups[i] for i in range(max(groups) + 1))
        first = "layers.0.residual_group.blocks.0."
        if table := shapes.get(first + "attn.relative_position_bias_table"):
            found["window_size"] = (math.isqrt(table[0]) + 1) // 2
            found["num_heads"] = table[1]
        if fc1 := shapes.get(first + "mlp.fc1.weight"):
            found["mlp_ratio"] = fc1[0] / fc1[1]
        found["resi_connection"] = "1conv" if "conv_after_body.weight" in shapes else "3conv"
        return found

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
            return (image + self.last(deep + shallow) + self.mean)[..., :height, :width]
        return (self.last(deep) + self.mean)[..., :height, :width]

    def last(self, deep: Tensor) -> Tensor:
        """(B, embed_dim, H, W) to (B, 3, H, W), never in bf16, which has no 256 steps below 1."""
        with torch.autocast(deep.device.type, enabled=False):
            return self.conv_last(deep.to(self.conv_last.weight.dtype))


def init_linear(module: nn.Module) -> None:
    """Normal weights of deviation 0.02 and no bias, as published; convolutions keep torch's."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
