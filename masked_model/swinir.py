"""The network of masked training, and the same network trained without masks.

Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
https://arxiv.org/abs/2303.13132. Written anew; structure, settings and the names of the state
dict are those of https://github.com/haoyuc/MaskedDenoising.
"""

from torch import Tensor

from baselines.swinir import SwinIR, WindowAttention
from benchmark.denoiser import DENOISERS
from masked_model.masking import AttentionMask, InputMask


@DENOISERS.register("baseline")
class Baseline(SwinIR):
    """The masked network with both masks off: the paper's own baseline.

    SwinIR without its two long shortcuts, around the body and around the whole network, so that
    it predicts the clean image and not the noise; its first convolution sees one pixel.
    """

    first_kernel = 1
    residual = False


@DENOISERS.register("masked")
class MaskedSwinIR(Baseline):
    """`Baseline` with an input mask in training and an attention mask in training and testing.

    Parameters
    ----------
    embed_dim, depths, num_heads, window_size, mlp_ratio, resi_connection, drop_path
        As in `SwinIR`.
    input_ratio
        Lowest and highest percentage of pixels hidden in training.
    attention_ratio
        Lowest and highest percentage of tokens zeroed before each attention.
    mask
        At test time: whether tokens are zeroed, as published.
    passes
        At test time: how many outputs, each under masks of its own, are averaged unrounded.

    Raises
    ------
    ValueError
        As in `SwinIR`, or if a ratio is no range of percentages or ``passes`` is below 1.
    """

    test_time = ("mask", "passes")
    compared_with = "baseline"

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
        input_ratio: tuple[int, int] = (80, 90),
        attention_ratio: tuple[int, int] = (75, 75),
        mask: bool = True,
        passes: int = 1,
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
        if passes < 1:
            raise ValueError(f"{self.name} averages one pass or more, got passes={passes}")
        self.passes = passes
        self.input_mask = InputMask(input_ratio)
        for module in self.modules():
            if isinstance(module, WindowAttention):
                module.token_mask = AttentionMask(attention_ratio, at_test=mask)

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped: one pass."""
        return super().forward(self.input_mask(noisy))

    def restore(self, noisy: Tensor) -> Tensor:
        """The mean of ``passes`` outputs, none of them clamped or rounded."""
        return sum(self(noisy) for _ in range(self.passes)) / self.passes
