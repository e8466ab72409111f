"""DnCNN, a plain stack of convolutions which predicts the noise.

Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising",
TIP 2017, https://arxiv.org/abs/1608.03981. Written anew; structure and the names of the state
dict are those of https://github.com/cszn/KAIR.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from baselines.fused import FusedSequential
from benchmark.denoiser import DENOISERS, Denoiser

LAYER = re.compile(r"model\.\d+\.weight")


@DENOISERS.register("dncnn")
class DnCNN(Denoiser):
    """DnCNN for colour images [1]_, or for grey ones: then it restores each colour by itself.

    Parameters
    ----------
    depth
        Number of convolutions: 17 for one noise level, 20 for many [1]_.
    width
        Channels between them.
    batch_norm
        Whether the inner convolutions are followed by batch normalisation; without it, this is
        the network whose normalisation has been merged into its convolutions.
    channels
        Colours the network sees at once: 3, or 1 for the published networks for grey images.

    Raises
    ------
    ValueError
        If ``depth`` is below 2 or ``channels`` is neither 1 nor 3.

    References
    ----------
    .. [1] Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
       Denoising", IEEE Transactions on Image Processing 26(7), 2017.
    """

    cites = ("zhang2017dncnn",)
    learned = True
    sizes = {"tiny": {"width": 28}, "small": {"width": 50}}
    published = "dncnn"

    def __init__(
        self, *, depth: int = 17, width: int = 64, batch_norm: bool = True, channels: int = 3
    ):
        super().__init__()
        if depth < 2:
            raise ValueError(f"{self.name} needs a depth of 2 or more, got {depth}")
        if channels not in (1, 3):
            raise ValueError(
                f"{self.name} sees 3 channels, or 1 and each colour by itself, got {channels}"
            )
        self.channels = channels
        self.image_channels = 3 if channels == 3 else None  # else each colour by itself
        layers = [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers.append(nn.Conv2d(width, width, 3, padding=1))
            if batch_norm:
                # KAIR's constants; its momentum weighs the newest batch with 0.9
                layers.append(nn.BatchNorm2d(width, eps=1e-4, momentum=0.9))
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.Conv2d(width, channels, 3, padding=1))
        self.model = FusedSequential(*layers)

    @classmethod
    def arguments_of(cls, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
        """All keywords; convolutions are the layers with weights of four axes."""
        convs = {k: shape for k, shape in shapes.items() if LAYER.fullmatch(k) and len(shape) == 4}
        if "model.0.weight" not in convs:
            return {}
        width, channels = convs["model.0.weight"][:2]
        normalised = any(key.endswith("running_var") for key in shapes)
        return {
            "depth": len(convs),
            "width": width,
            "batch_norm": normalised,
            "channels": channels,
        }

    def analysed_layers(self) -> list[str]:
        """Every convolution after its ReLU."""
        return [
            f"model.{place}" for place, part in enumerate(self.model) if isinstance(part, nn.ReLU)
        ]

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped."""
        planes = noisy.flatten(0, 1)[:, None] if self.channels == 1 else noisy
        # convolutions take a tenth less time on a CPU with channels last
        residual = self.model(planes.contiguous(memory_format=torch.channels_last))
        return noisy - residual.reshape(noisy.shape)
