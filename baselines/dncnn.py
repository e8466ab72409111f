"""DnCNN, a plain stack of convolutions which predicts the noise.

Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising",
TIP 2017, https://arxiv.org/abs/1608.03981. Written anew; structure and the names of the state
dict are those of https://github.com/cszn/KAIR.
"""

from torch import Tensor, nn

from benchmark.denoiser import DENOISERS, Denoiser


@DENOISERS.register("dncnn")
class DnCNN(Denoiser):
    """DnCNN for colour images [1]_.

    Parameters
    ----------
    depth
        Number of convolutions: 17 for one noise level, 20 for many [1]_.
    width
        Channels between them.
    batch_norm
        Whether the inner convolutions are followed by batch normalisation; without it, this is
        the network whose normalisation has been merged into its convolutions.

    References
    ----------
    .. [1] Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
       Denoising", IEEE Transactions on Image Processing 26(7), 2017.
    """

    learned = True

    def __init__(self, *, depth: int = 17, width: int = 64, batch_norm: bool = True):
        super().__init__()
        if depth < 2:
            raise ValueError(f"{self.name} needs a depth of 2 or more, got {depth}")
        layers = [nn.Conv2d(3, width, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers.append(nn.Conv2d(width, width, 3, padding=1))
            if batch_norm:
                # KAIR's constants; its momentum weighs the newest batch with 0.9
                layers.append(nn.BatchNorm2d(width, eps=1e-4, momentum=0.9))
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.Conv2d(width, 3, 3, padding=1))
        self.model = nn.Sequential(*layers)

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped."""
        return noisy - self.model(noisy)
