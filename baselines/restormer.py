"""Restormer, a U-shaped transformer whose attention runs over channels instead of pixels.

Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration", CVPR 2022,
https://arxiv.org/abs/2111.09881. Written anew; the names of the state dict are those of
https://github.com/swz30/Restormer.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.cpu import OUT_OF_CACHE, without_gradients
from baselines.restormer_cpu import banded
from benchmark.denoiser import DENOISERS, Denoiser

LEVELS = ("encoder_level1", "encoder_level2", "encoder_level3", "latent")
STAGES = (*LEVELS, "decoder_level3", "decoder_level2", "decoder_level1", "refinement")


class BiasFreeNorm(nn.Module):
    """Divide by the standard deviation over channels; the mean stays, and nothing is added.

    The variance is biased and about the mean; 1e-5 is added to it, as published.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, features: Tensor) -> Tensor:
        """(B, H, W, C) to the same."""
        centred = features - features.mean(-1, keepdim=True)
        # Tensor.var takes four times as long
        norm = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
        return features * (norm.square() / features.shape[-1] + 1e-5).rsqrt() * self.weight


LAYER_NORMS = {"BiasFree": BiasFreeNorm, "WithBias": nn.LayerNorm}


class ChannelNorm(nn.Sequential):
    """A layer norm of the channels of every pixel."""

    def __init__(self, dim: int, layer_norm: str):
        super().__init__(OrderedDict(body=LAYER_NORMS[layer_norm](dim)))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def pointwise(channels: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 1, bias=False)


def conv3(channels: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, padding=1, bias=False)


def depthwise(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)


def shares(features: Tensor, point: nn.Conv2d, depth: nn.Conv2d, count: int) -> Iterator[Tensor]:
    """A pointwise and a depthwise convolution, their output in equal shares of its channels.

    Each share is computed alone: it comes out contiguous in channels_last memory, where a slice
    of one wide output would not be.
    """
    kernels = zip(point.weight.chunk(count), depth.weight.chunk(count), strict=True)
    for mix, blur in kernels:
        yield functional.conv2d(functional.conv2d(features, mix), blur, padding=1, groups=len(blur))


class Attention(nn.Module):
    """Multi-Dconv head transposed attention: channels attend to channels, over the whole image."""

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(num_heads, 1, 1))
        self.qkv = pointwise(dim, 3 * dim)
        self.qkv_dwconv = depthwise(3 * dim)
        self.project_out = pointwise(dim, dim)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same.

        Normalising queries and keys is a division of their (C, C) product, and the projection of
        the output is taken into the attention map, so that values are multiplied once.
        """
        query, key, value = shares(features, self.qkv, self.qkv_dwconv, 3)
        heads = (len(self.temperature), -1)
        query = query.flatten(2).unflatten(1, heads)  # (B, heads, c, HW)
        key = key.flatten(2).unflatten(1, heads)
        scores = query @ key.transpose(-2, -1) / lengths(query) / lengths(key).transpose(-2, -1)
        attention = (scores * self.temperature).softmax(-1)
        projection = self.project_out.weight.flatten(1).unflatten(1, heads)  # (C, heads, c)
        mix = torch.einsum("ohc,bhcd->bhdo", projection, attention).flatten(1, 2)  # (B, C, C)
        pixels = value.permute(0, 2, 3, 1)
        return (pixels.flatten(1, 2) @ mix).view(pixels.shape).permute(0, 3, 1, 2)


def lengths(rows: Tensor) -> Tensor:
    """Euclidean, (..., N) to (..., 1), at least 1e-12, as published."""
    # vector_norm takes four times as long where rows lie across memory
    return rows.square().sum(-1, keepdim=True).clamp_min(1e-24).sqrt()


class FeedForward(nn.Module):
    """Gated-Dconv feed-forward network: one half of the hidden channels gates the other."""

    def __init__(self, dim: int, hidden: int):
        super().__init__()
        self.project_in = pointwise(dim, 2 * hidden)
        self.dwconv = depthwise(2 * hidden)
        self.project_out = pointwise(hidden, dim)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        gate, value = shares(features, self.project_in, self.dwconv, 2)
        return self.project_out(functional.gelu(gate) * value)


class Block(nn.Module):
    """Attention, then a feed-forward network, each behind a norm and with its own shortcut."""

    def __init__(self, dim: int, num_heads: int, ffn_expansion_factor: float, layer_norm: str):
        super().__init__()
        self.norm1 = ChannelNorm(dim, layer_norm)
        self.attn = Attention(dim, num_heads)
        self.norm2 = ChannelNorm(dim, layer_norm)
        self.ffn = FeedForward(dim, int(dim * ffn_expansion_factor))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        if without_gradients(self, features) and features[0].numel() >= OUT_OF_CACHE:
            return banded(self, features)
        features = features + self.attn(self.norm1(features))
        return features + self.ffn(self.norm2(features))


def body(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(body=nn.Sequential(*layers)))


@DENOISERS.register("restormer")
class Restormer(Denoiser):
    """Restormer as published for Gaussian colour denoising [1]_.

    Parameters
    ----------
    dim
        Channels at full resolution; every level below has half the resolution and twice the
        channels. Even.
    num_blocks
        Blocks of the four levels, from full resolution down; the decoder has as many as the
        encoder.
    num_refinement_blocks
        Blocks after the decoder, at full resolution.
    heads
        Attention heads of the four levels; each divides the channels of its level.
    ffn_expansion_factor
        Hidden channels of a feed-forward network, as a multiple of its input's, rounded down.
    layer_norm
        ``"BiasFree"``, which keeps the mean, or ``"WithBias"``, the usual layer norm, which the
        published networks for other tasks than Gaussian denoising have.

    Raises
    ------
    ValueError
        If ``dim`` is odd, ``num_blocks`` or ``heads`` are not four, a number of heads does not
        divide the channels of its level, or ``layer_norm`` is unknown.

    References
    ----------
    .. [1] Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration",
       CVPR 2022.
    """

    cites = ("zamir2022restormer",)
    learned = True
    image_channels = 3
    sizes = {
        "tiny": {"dim": 6, "num_blocks": (1, 1, 1, 1), "num_refinement_blocks": 1},
        "small": {"dim": 18},
        "s": {"dim": 14},
    }
    multiple = 8

    def __init__(
        self,
        *,
        dim: int = 48,
        num_blocks: tuple[int, ...] = (4, 6, 6, 8),
        num_refinement_blocks: int = 4,
        heads: tuple[int, ...] = (1, 2, 4, 8),
        ffn_expansion_factor: float = 2.66,
        layer_norm: str = "BiasFree",
    ):
        super().__init__()
        if dim % 2:
            raise ValueError(f"{self.name} halves dim={dim} between levels; choose an even one")
        for setting, values in (("num_blocks", num_blocks), ("heads", heads)):
            if len(values) != len(LEVELS):
                raise ValueError(
                    f"{self.name} has {len(LEVELS)} levels, got {setting}={tuple(values)}; "
                    f"give one number for each"
                )
        for channels, count in zip((dim, 2 * dim, 4 * dim, 8 * dim), heads, strict=True):
            if channels % count:
                raise ValueError(
                    f"{self.name} cannot share {channels} channels among {count} heads; "
                    f"choose a number of heads which divides them"
                )
        if layer_norm not in LAYER_NORMS:
            raise ValueError(
                f"unknown layer_norm '{layer_norm}' of {self.name}; "
                f"choose one of: {', '.join(LAYER_NORMS)}"
            )

        def stage(channels: int, level: int, count: int) -> nn.Sequential:
            parts = (channels, heads[level - 1], ffn_expansion_factor, layer_norm)
            return nn.Sequential(*[Block(*parts) for _ in range(count)])

        def down(channels: int) -> nn.Sequential:
            return body(conv3(channels, channels // 2), nn.PixelUnshuffle(2))

        def up(channels: int) -> nn.Sequential:
            return body(conv3(channels, 2 * channels), nn.PixelShuffle(2))

        self.patch_embed = nn.Sequential(OrderedDict(proj=conv3(3, dim)))
        self.encoder_level1 = stage(dim, 1, num_blocks[0])
        self.down1_2 = down(dim)
        self.encoder_level2 = stage(2 * dim, 2, num_blocks[1])
        self.down2_3 = down(2 * dim)
        self.encoder_level3 = stage(4 * dim, 3, num_blocks[2])
        self.down3_4 = down(4 * dim)
        self.latent = stage(8 * dim, 4, num_blocks[3])
        self.up4_3 = up(8 * dim)
        self.reduce_chan_level3 = pointwise(8 * dim, 4 * dim)
        self.decoder_level3 = stage(4 * dim, 3, num_blocks[2])
        self.up3_2 = up(4 * dim)
        self.reduce_chan_level2 = pointwise(4 * dim, 2 * dim)
        self.decoder_level2 = stage(2 * dim, 2, num_blocks[1])
        self.up2_1 = up(2 * dim)
        self.decoder_level1 = stage(2 * dim, 1, num_blocks[0])
        self.refinement = stage(2 * dim, 1, num_refinement_blocks)
        self.output = conv3(2 * dim, 3)

    @classmethod
    def arguments_of(cls, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
        """All keywords; of the expansion factors which fit, the one of fewest decimals."""
        arguments: dict[str, object] = {}
        if first := shapes.get("patch_embed.proj.weight"):
            arguments["dim"] = first[0]
        if all(counts := [blocks_of(shapes, level) for level in LEVELS]):
            arguments["num_blocks"] = tuple(counts)
            arguments["num_refinement_blocks"] = blocks_of(shapes, "refinement")
            biased = f"{LEVELS[0]}.0.norm1.body.bias" in shapes
            arguments["layer_norm"] = "WithBias" if biased else "BiasFree"
        scales = [shapes.get(f"{level}.0.attn.temperature") for level in LEVELS]
        if all(scales):
            arguments["heads"] = tuple(scale[0] for scale in scales if scale)
        if widest := shapes.get(f"{LEVELS[-1]}.0.ffn.project_out.weight"):
            arguments["ffn_expansion_factor"] = expansion_of(*widest[:2])
        return arguments

    def analysed_layers(self) -> list[str]:
        """The first convolution, and every block from the encoder to the refinement."""
        counts = [len(list(self.get_submodule(stage).children())) for stage in STAGES]
        stages = zip(STAGES, counts, strict=True)
        blocks = [f"{stage}.{place}" for stage, count in stages for place in range(count)]
        return ["patch_embed", *blocks]

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped; H and W are multiples of 8."""
        image = noisy.contiguous(memory_format=torch.channels_last)  # else convolutions reorder
        level1 = self.encoder_level1(self.patch_embed(image))
        level2 = self.encoder_level2(self.down1_2(level1))
        level3 = self.encoder_level3(self.down2_3(level2))
        latent = self.latent(self.down3_4(level3))
        joined = self.reduce_chan_level3(torch.cat([self.up4_3(latent), level3], 1))
        joined = torch.cat([self.up3_2(self.decoder_level3(joined)), level2], 1)
        joined = self.decoder_level2(self.reduce_chan_level2(joined))
        joined = self.decoder_level1(torch.cat([self.up2_1(joined), level1], 1))
        return noisy + self.output(self.refinement(joined))


def blocks_of(shapes: Mapping[str, tuple[int, ...]], stage: str) -> int:
    """How many blocks of a stage the keys of a state dict name."""
    return len({key.split(".")[1] for key in shapes if key.startswith(f"{stage}.")})


def expansion_of(dim: int, hidden: int) -> float:
    """The shortest decimal factor which makes ``hidden`` channels of ``dim``, rounded down.

    Fitting the deepest level it fits all: their channels are its by halves.
    """
    middle = (hidden + 0.5) / dim
    rounded = (round(middle, digits) for digits in range(16))
    return next((factor for factor in rounded if int(dim * factor) == hidden), middle)
