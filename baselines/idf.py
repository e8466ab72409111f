"""IDF, which filters an image again and again by small kernels predicted for every pixel.

Kim et al., "IDF: Iterative Dynamic Filtering Networks for Generalizable Image Denoising", ICCV
2025, https://arxiv.org/abs/2508.19649. Written anew; structure, constants and the names of the
state dict are those of https://github.com/dongjinkim9/IDF (Apache License 2.0).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.fused import FusedSequential
from benchmark.denoiser import DENOISERS, Denoiser

EPSILON = 1e-4  # of every division in the published code
MEAN = (0.36187348, 0.4361255, 0.4335091)  # of its training images, red first
DEVIATION = (0.19088039, 0.19967876, 0.21309015)
SCALE = 0.5  # the standard deviation of a normalised image
OFFSETS = tuple((row, column) for row in range(3) for column in range(3))  # of a neighbourhood


@DENOISERS.register("idf")
class IDF(Denoiser):
    """IDF [1]_ as published [2]_: every pixel becomes a mean of its 3x3 neighbours, ten times.

    Images are normalised by the mean colour and deviation of its authors' training images, on the
    way in and back. The features and the gate of its channels depend on statistics of the whole
    image, so that an image restored in tiles differs from one restored whole.

    In training each iteration goes only a random part of the way, of every image another; torch's
    generator draws it. The published training takes its L1 loss between normalised images, where
    red counts 1.1 times as much as blue; it is AdamW with a weight decay of 1e-4 and the norm of
    the gradient cut at 0.1, for 50,000 steps of 8 crops of 128. The code's optional early stop,
    which is off in what is published, is left out.

    Parameters
    ----------
    iterations
        How often the one block is applied, 2 or more; from the second on it also sees what the one
        before took away.
    width
        Channels of the features from which kernels are predicted.
    power
        Exponent of a kernel's weights before they are divided by their sum, 1 or more: 3 as
        published, 2 where the code is not told otherwise.

    Raises
    ------
    ValueError
        If ``iterations`` is below 2, or ``width`` or ``power`` below 1.

    References
    ----------
    .. [1] Kim et al., "IDF: Iterative Dynamic Filtering Networks for Generalizable Image
       Denoising", ICCV 2025.
    .. [2] https://github.com/dongjinkim9/IDF, configs/models/idfnet.yaml.
    """

    cites = ("kim2025idf",)
    published = "idf"
    learned = True
    image_channels = 3
    scale: Tensor
    bias: Tensor

    def __init__(self, *, iterations: int = 10, width: int = 64, power: float = 3.0):
        super().__init__()
        for setting, value, least in (
            ("iterations", iterations, 2),
            ("width", width, 1),
            ("power", power, 1),
        ):
            if not value >= least:
                raise ValueError(f"{self.name} needs {setting} of {least} or more, got {value:g}")
        self.iterations = iterations
        self.block = FilterBlock(width, power)
        scale = SCALE / torch.tensor(DEVIATION).view(3, 1, 1)
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("bias", -torch.tensor(MEAN).view(3, 1, 1) * scale, persistent=False)

    @classmethod
    def arguments_of(cls, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
        """``width``; the shapes do not tell the others, which are then the published ones."""
        first = shapes.get("block.feature_extractor.0.weight")
        return {"width": first[0]} if first else {}

    def analysed_layers(self) -> list[str]:
        """Of each iteration the features, and what kernels are predicted from."""
        return ["block.feature_extractor", "block.kernel_predictor:input"]

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped."""
        image, removed = noisy * self.scale + self.bias, None
        for iteration in range(self.iterations):
            before = image
            image = self.block(image, removed, dilation=1 if iteration % 2 else 2)
            if self.training:
                kept = self.kept_part(image)
                image = kept * before + (1 - kept) * image
            removed = before - image
        return (image - self.bias) / self.scale

    def kept_part(self, image: Tensor) -> Tensor:
        """Which part of an iteration's input stays in its output in training, (B, 1, 1, 1)."""
        return torch.rand(len(image), 1, 1, 1, device=image.device)


class FilterBlock(nn.Module):
    """Predict a 3x3 kernel for every pixel, the same for the three colours, and apply it."""

    def __init__(self, width: int, power: float):
        super().__init__()
        self.power = power
        self.feature_extractor = FusedSequential(
            conv(3, width), nn.ReLU(inplace=True), conv(width, width), nn.ReLU(inplace=True)
        )
        self.gca = GlobalChannelAttention(width)
        self.kernel_predictor = conv(width + len(OFFSETS), len(OFFSETS))

    def forward(self, image: Tensor, removed: Tensor | None, dilation: int) -> Tensor:
        """Filter (B, 3, H, W) normalised images.

        Parameters
        ----------
        removed
            What the iteration before took away, of the same shape; None in the first.
        dilation
            Pixels from a neighbour to the next. Outside, the image is reflected where it is 2, and
            0 where it is 1.
        """
        padded = reflected(image, dilation) if dilation > 1 else functional.pad(image, (1,) * 4)
        # with channels last, convolutions in bf16 take a third of the time on a CPU
        normed = (image / rms(image)).contiguous(memory_format=torch.channels_last)
        features = self.feature_extractor(normed)
        if removed is not None:
            features = features * self.gca(removed)
        similar = correlations(padded, dilation)  # (B, 9, H, W)
        similar = similar.to(features.dtype, memory_format=torch.channels_last)
        seen = torch.cat([features, similar], 1)
        # without a bias, nine divided outputs are those of all inputs divided
        kernels = self.kernel_predictor(seen).contiguous() / rms(seen)
        kernels = kernels.abs().pow(self.power)
        kernels = kernels / (kernels.sum(1, keepdim=True) + EPSILON)
        parts = zip(kernels.split(1, 1), neighbours(padded, dilation), strict=True)
        return torch.stack([weight * pixels for weight, pixels in parts]).sum(0)


class GlobalChannelAttention(nn.Module):
    """A gate for every channel, from the mean and the deviation of what was taken away."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = conv(6, 6, side=1)
        self.attention = nn.Sequential(
            conv(6, width, side=1), nn.ReLU(inplace=True), conv(width, width, side=1), nn.Sigmoid()
        )

    def forward(self, removed: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, C, 1, 1)."""
        correction = min(1, removed[0, 0].numel() - 1)  # a single pixel deviates by 0
        deviation, mean = torch.std_mean(removed, (2, 3), correction=correction, keepdim=True)
        statistics = self.conv(torch.cat([mean, deviation], 1))
        return self.attention(statistics / rms(statistics))


def conv(inputs: int, outputs: int, side: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False)


def rms(features: Tensor) -> Tensor:
    """The root of the mean square of each image of (B, C, H, W): (B, 1, 1, 1), above 0."""
    dtype = torch.promote_types(features.dtype, torch.float32)
    length = torch.linalg.vector_norm(features, dim=(1, 2, 3), keepdim=True, dtype=dtype)
    return EPSILON + length / features[0].numel() ** 0.5


def reflected(image: Tensor, amount: int) -> Tensor:
    """(B, C, H, W) with so many pixels more on every side.

    An image too small to reflect that far repeats its edge pixels for the rest.
    """
    down, across = (min(amount, side - 1) for side in image.shape[-2:])
    image = functional.pad(image, (across, across, down, down), "reflect")
    if down < amount or across < amount:
        down, across = amount - down, amount - across
        image = functional.pad(image, (across, across, down, down), "replicate")
    return image


def neighbours(padded: Tensor, dilation: int) -> list[Tensor]:
    """Of (B, C, H + 2 dilation, W + 2 dilation) the nine neighbours of every pixel, row by row."""
    height, width = (side - 2 * dilation for side in padded.shape[-2:])
    return [
        padded[..., row * dilation :, column * dilation :][..., :height, :width]
        for row, column in OFFSETS
    ]


@torch.no_grad()
def correlations(padded: Tensor, dilation: int) -> Tensor:
    """How the colours of every pixel's neighbours correlate with its own: (B, 9, H, W).

    As in the published code they are sums of products, twice what Pearson's correlation is.
    """
    centred = padded - padded.mean(1, keepdim=True)
    deviation = (centred.square().sum(1, keepdim=True) / 2).sqrt()  # torch.std is slow here
    colours = neighbours(centred / (deviation + EPSILON), dilation)
    own = colours[len(OFFSETS) // 2]
    return torch.stack([(own * other).sum(1) for other in colours], 1)
