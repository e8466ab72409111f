"""Dropout before the last convolution, a regulariser, in the network of `Baseline`.

Kong et al., "Reflash Dropout in Image Super-Resolution", CVPR 2022,
https://arxiv.org/abs/2112.12089; Chen et al., "Masked Image Training for Generalizable Deep Image
Denoising", CVPR 2023, https://arxiv.org/abs/2303.13132, compares with it. Written anew.
"""

from typing import Any

from torch import Tensor, nn

from baselines.swinir import Baseline
from benchmark.denoiser import DENOISERS


@DENOISERS.register("dropout")
class Dropout(Baseline):
    """`Baseline` with dropout [2]_ before its last convolution [1]_.

    Training zeroes whole channels of what the last convolution sees and scales the others up;
    testing does not.

    Parameters
    ----------
    dropout
        Probability that training zeroes a channel, per image. 0.7 is what [2]_ has for SRResNet;
        [1]_ says where its dropout is but not of which probability, and publishes no code of it.
    **swinir
        The settings of `SwinIR`.

    Raises
    ------
    ValueError
        As in `SwinIR`, or if ``dropout`` is below 0 or not below 1.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       supplement.
    .. [2] Kong et al., "Reflash Dropout in Image Super-Resolution", CVPR 2022.
    """

    cites = ("kong2022reflash", "chen2023masked")
    published = ""

    def __init__(self, *, dropout: float = 0.7, **swinir: Any):
        super().__init__(**swinir)
        if not 0 <= dropout < 1:
            raise ValueError(
                f"{self.name} needs a probability from 0 to below 1, got dropout={dropout}"
            )
        self.dropout = nn.Dropout2d(dropout)

    def last(self, deep: Tensor) -> Tensor:
        """(B, C, H, W) features to the (B, 3, H, W) output of the last convolution."""
        return super().last(self.dropout(deep))
