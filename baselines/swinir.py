"""SwinIR, windowed self-attention for image restoration, and `Baseline`, without its shortcuts.

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

from baselines.swin.fast import FastSwinBlock
from benchmark.denoiser import DENOISERS, Denoiser, pad_to_multiple

RGB_MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K, subtracted by the published code


class ResidualSwinGroup(nn.Module):
    """Swin blocks, every second one shifted by half a window, then convolutions; plus its input."""

    def __init__(self, blocks: list[FastSwinBlock], conv: nn.Module):
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
    """SwinIR [1]_ without upsampling, at the size that Chen et al. [2]_ train.

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

    cites = ("liang2021swinir",)
    learned = True
    image_channels = 3
    sizes = {  # heads of 16 channels: a CPU takes longer over many narrow ones
        "tiny": {"embed_dim": 32, "depths": (4, 4), "num_heads": 2},
        "small": {"embed_dim": 48, "depths": (4, 4, 4), "num_heads": 3},
    }
    first_kernel: ClassVar[int] = 3  # side of the first convolution
    residual: ClassVar[bool] = True  # shortcuts around the body and around the whole network
    derived = ("relative_position_index", "attn_mask")
    published = "swinir"
    mean: Tensor  # (3, 1, 1)

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
        rates = iter(torch.linspace(0, drop_path, sum(depths), device="cpu").tolist())
        self.window_size = window_size
        self.register_buffer("mean", torch.tensor(RGB_MEAN).view(3, 1, 1), persistent=False)
        self.conv_first = nn.Conv2d(3, embed_dim, self.first_kernel, padding="same")
        self.patch_embed = nn.Sequential(OrderedDict(norm=nn.LayerNorm(embed_dim)))
        self.layers = nn.Sequential()
        for depth in depths:
            blocks = [
                FastSwinBlock(
                    embed_dim, num_heads, window_size, mlp_ratio, next(rates), shifted=i % 2 == 1
                )
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

    def analysed_layers(self) -> list[str]:
        """Every Swin block, the convolutions between them, and what the last one sees."""
        between = re.compile(r"layers\.\d+\.(residual_group\.blocks\.\d+|conv)")
        names = [name for name, _ in self.named_modules() if between.fullmatch(name)]
        return ["conv_first", *names, "conv_after_body", "conv_last:input"]

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


@DENOISERS.register("baseline")
class Baseline(SwinIR):
    """`SwinIR` without its two long shortcuts: the network of masked training [1]_ without masks.

    The shortcuts are those around the body and around the whole network, so that it predicts the
    clean image and not the noise; its first convolution sees one pixel. Settings are those of
    `SwinIR`, and so are the names of the state dict.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       https://arxiv.org/abs/2303.13132; structure as in https://github.com/haoyuc/MaskedDenoising.
    """

    cites = ("liang2021swinir", "chen2023masked")
    first_kernel = 1
    residual = False
    published = "baseline"
