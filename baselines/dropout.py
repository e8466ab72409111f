"""Dropout before the last convolution, the rival regulariser of masked training.

Kong et al., "Reflash Dropout in Image Super-Resolution", CVPR 2022,
https://arxiv.org/abs/2112.12089; Chen et al., "Masked Image Training for Generalizable Deep Image
Denoising", CVPR 2023, https://arxiv.org/abs/2303.13132, compares with it. Written anew.
"""

from torch import Tensor, nn

from baselines.swinir import SwinIR
from benchmark.denoiser import DENOISERS


@DENOISERS.register("dropout")
class Dropout(SwinIR):
    """The baseline of masked training [1]_ with dropout before its last convolution [2]_.

    SwinIR without its two long shortcuts, around the body and around the whole network; its first
    convolution sees one pixel. Training zeroes whole channels of what the last convolution sees
    and scales the others up; testing does not.

    Parameters
    ----------
    embed_dim, depths, num_heads, window_size, mlp_ratio, resi_connection, drop_path
        As in `SwinIR`.
    dropout
        Probability that training zeroes a channel, per image. 0.7 is what [2]_ has for SRResNet;
        [1]_ says where its dropout is but not of which probability, and publishes no code of it.

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

    first_kernel = 1
    residual = False

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
        dropout: float = 0.7,
    ):
        super().__init__(
            embed_dim=embed_dim,
            depths=depths,
            num_heads=num_heads,
            window_size=window_size,
            mlp_ratio=mlp_ratio,
            resi_connection=resi_connection,
            drop_path=drop_path,
        )
        if not 0 <= dropout < 1:
            raise ValueError(
                f"{self.name} needs a probability from 0 to below 1, got dropout={dropout}"
            )
        self.dropout = nn.Dropout2d(dropout)

    def last(self, deep: Tensor) -> Tensor:
        """(B, C, H, W) features to the (B, 3, H, W) output of the last convolution."""
        return super().last(self.dropout(deep))
