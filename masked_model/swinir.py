"""The network of masked training: `Baseline` with its two masks.

Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
https://arxiv.org/abs/2303.13132. Written anew; structure, settings and the names of the state
dict are those of https://github.com/haoyuc/MaskedDenoising.
"""

from typing import Any

import torch
from torch import Tensor

from baselines.swin.block import WindowAttention
from baselines.swinir import Baseline
from benchmark.denoiser import DENOISERS
from masked_model.masking import MASKED_PIXEL, AttentionMask, InputMask


@DENOISERS.register("masked")
class MaskedSwinIR(Baseline):
    """`Baseline` with an input mask in training and an attention mask in training and testing.

    Parameters
    ----------
    input_ratio
        Lowest and highest percentage of pixels hidden in training.
    attention_ratio
        Lowest and highest percentage of tokens zeroed before each attention.
    mask
        At test time: whether tokens are zeroed, as published.
    test_ratio
        At test time: the percentage of pixels hidden. 0, as published, and for mild noise; 20 to 40
        are ours, for networks trained with a wide ``input_ratio`` and for strong noise, together
        with several ``passes``.
    passes
        At test time: how many outputs, each under masks of its own, are averaged unrounded.
    **swinir
        The settings of `SwinIR`.

    Raises
    ------
    ValueError
        As in `SwinIR`, or if a ratio is no percentage or range of them, or ``passes`` is below 1.
    """

    cites = ("chen2023masked",)
    test_time = ("mask", "test_ratio", "passes")
    later = ("test_ratio",)
    variants = {"mask off": {"mask": False}}
    compared_with = "baseline"
    published = "masked"
    hidden_pixel = MASKED_PIXEL

    def __init__(
        self,
        *,
        input_ratio: tuple[int, int] = (80, 90),
        attention_ratio: tuple[int, int] = (75, 75),
        mask: bool = True,
        test_ratio: int = 0,
        passes: int = 1,
        **swinir: Any,
    ):
        super().__init__(**swinir)
        if passes < 1:
            raise ValueError(f"{self.name} averages one pass or more, got passes={passes}")
        self.passes = passes
        self.input_mask = InputMask(input_ratio, test_ratio)
        for module in self.modules():
            if isinstance(module, WindowAttention):
                module.token_drop = AttentionMask(attention_ratio, at_test=mask)

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped: one pass."""
        return super().forward(self.input_mask(noisy))

    def restore(self, noisy: Tensor) -> Tensor:
        """The mean of ``passes`` outputs, none of them clamped or rounded."""
        outputs = (self(noisy) for _ in range(self.passes))
        return sum(outputs, torch.zeros_like(noisy)) / self.passes
