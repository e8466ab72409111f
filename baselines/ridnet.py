"""RIDNet, a residual on a residual network with attention over features, for real noise.

Anwar and Barnes, "Real Image Denoising with Feature Attention", ICCV 2019,
https://arxiv.org/abs/1904.07396. Written anew; structure and the names of the state dict are those
of https://github.com/saeed-anwar/RIDNet.
"""

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.fused import FusedSequential
from baselines.swinir import RGB_MEAN
from benchmark.denoiser import DENOISERS, Denoiser

REDUCTION = 16  # channels per channel of the bottleneck of feature attention, as published


class MergeAndRun(nn.Module):
    """Two branches of dilated convolutions side by side, merged; plus their input."""

    def __init__(self, width: int):
        super().__init__()
        self.body1 = convs(conv3(width, width), conv3(width, width, dilation=2))
        self.body2 = convs(conv3(width, width, dilation=3), conv3(width, width, dilation=4))
        self.body3 = convs(conv3(2 * width, width))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        branches = torch.cat([self.body1(features), self.body2(features)], 1)
        return features + self.body3(branches)


class ResBlock(nn.Module):
    """Convolutions with a ReLU between any two, plus their input, and a ReLU."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.body = convs(*layers)[:-1]

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return functional.relu(features + self.body(features))


class FeatureAttention(nn.Module):
    """Weigh every channel by a function of all channels' means."""

    def __init__(self, width: int, batch_norm: bool):
        super().__init__()
        squeeze = nn.Conv2d(width, width // REDUCTION, 1, bias=not batch_norm)
        expand = nn.Conv2d(width // REDUCTION, width, 1)
        self.c1 = basic_block(squeeze, batch_norm)
        self.c2 = nn.Sequential(OrderedDict(body=nn.Sequential(expand, nn.Sigmoid())))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return features * self.c2(self.c1(features.mean((2, 3), keepdim=True)))


class AttentionModule(nn.Module):
    """The paper's enhancement attention module, in the published code without a shortcut round it.

    A merge-and-run unit, a residual block, an enhanced one and feature attention.
    """

    def __init__(self, width: int, batch_norm: bool):
        super().__init__()
        self.r1 = MergeAndRun(width)
        self.r2 = ResBlock(conv3(width, width), conv3(width, width))
        pointwise = nn.Conv2d(width, width, 1)
        self.r3 = ResBlock(conv3(width, width), conv3(width, width), pointwise)
        self.ca = FeatureAttention(width, batch_norm)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return self.ca(self.r3(self.r2(self.r1(features))))


def conv3(inputs: int, outputs: int, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)


def convs(*layers: nn.Module) -> nn.Sequential:
    """Each layer with a ReLU behind it."""
    return FusedSequential(*(part for layer in layers for part in (layer, nn.ReLU(inplace=True))))


def basic_block(conv: nn.Conv2d, batch_norm: bool) -> nn.Module:
    """A convolution and a ReLU, by the names of the code which has them with or without a norm."""
    if batch_norm:
        return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(inplace=True))
    return nn.Sequential(OrderedDict(body=convs(conv)))


def mean_shift(offset: float) -> nn.Conv2d:
    """A 1x1 convolution which adds ``offset`` times the mean colour, until training changes it."""
    shift = nn.Conv2d(3, 3, 1)
    nn.init.dirac_(shift.weight)
    shift.bias = nn.Parameter(offset * torch.tensor(RGB_MEAN))
    return shift


@DENOISERS.register("ridnet")
class RIDNet(Denoiser):
    """RIDNet for colour images [1]_, as its authors published it.

    As in their code, no shortcut goes round an enhancement attention module, where the paper has
    one; the mean colour is added to the predicted residual although the input keeps its own; and
    both shifts by it are trained.

    Parameters
    ----------
    width
        Channels between the convolutions; feature attention has a sixteenth of them, rounded down.
    batch_norm
        Whether batch normalisation follows the first convolution and, in the place of its bias,
        the first of every feature attention. The authors' network, whose numbers are published,
        has none; the copy in the code of masked training [2]_ has it by accident, a second
        definition of one name hiding the first, and trains on batches of two or more only.
    rgb_range
        The value of white inside the network: 255 in the authors' code and for their weights, 1 in
        that of masked training.

    Raises
    ------
    ValueError
        If ``width`` is below 16.

    References
    ----------
    .. [1] Anwar and Barnes, "Real Image Denoising with Feature Attention", ICCV 2019.
    .. [2] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       https://github.com/haoyuc/MaskedDenoising.
    """

    cites = ("anwar2019ridnet",)
    learned = True
    image_channels = 3
    sizes = {"tiny": {"width": REDUCTION}, "small": {"width": 30}}

    def __init__(self, *, width: int = 64, batch_norm: bool = False, rgb_range: float = 1.0):
        super().__init__()
        if width < REDUCTION:
            raise ValueError(
                f"{self.name} attends through a sixteenth of its channels; "
                f"choose a width of {REDUCTION} or more, got {width}"
            )
        self.rgb_range = rgb_range
        self.sub_mean = mean_shift(-rgb_range)
        self.head = basic_block(conv3(3, width), batch_norm)
        self.b1 = AttentionModule(width, batch_norm)
        self.b2 = AttentionModule(width, batch_norm)
        self.b3 = AttentionModule(width, batch_norm)
        self.b4 = AttentionModule(width, batch_norm)
        self.tail = conv3(width, 3)
        self.add_mean = mean_shift(rgb_range)

    @classmethod
    def arguments_of(cls, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
        """``width`` and ``batch_norm``, from the first convolution; ``rgb_range`` is its code's."""
        if "head.0.weight" in shapes:
            return {"width": shapes["head.0.weight"][0], "batch_norm": True, "rgb_range": 1.0}
        if "head.body.0.weight" in shapes:
            width = shapes["head.body.0.weight"][0]
            return {"width": width, "batch_norm": False, "rgb_range": 255.0}
        return {}

    def analysed_layers(self) -> list[str]:
        """The first convolution, and the four parts of each attention module."""
        parts = [f"b{place}.{part}" for place in (1, 2, 3, 4) for part in ("r1", "r2", "r3", "ca")]
        return ["head", *parts]

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped."""
        # convolutions take a tenth less time on a CPU with channels last
        image = (noisy * self.rgb_range).contiguous(memory_format=torch.channels_last)
        features = self.head(self.sub_mean(image))
        features = self.b4(self.b3(self.b2(self.b1(features))))
        return noisy + self.add_mean(self.tail(features)) / self.rgb_range
