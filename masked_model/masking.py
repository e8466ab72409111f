"""The two masks of masked training, as modules which behave as ``nn.Dropout`` does.

Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
https://arxiv.org/abs/2303.13132; constants from https://github.com/haoyuc/MaskedDenoising.
"""

import torch
from torch import Tensor, nn

MASKED_PIXEL = -0.1  # below every real pixel


class InputMask(nn.Module):
    """Hide most pixels of a training image; in evaluation, as published, none.

    Each image draws its own ratio, an integer percentage of ``ratio`` with both ends included, and
    each of its pixels is hidden with that probability, independently of the others. A hidden
    pixel is -0.1 in all channels.

    Parameters
    ----------
    ratio
        Lowest and highest percentage in training.
    at_test
        The percentage in evaluation.

    Raises
    ------
    ValueError
        If they are no percentages.
    """

    def __init__(self, ratio: tuple[int, int] = (80, 90), at_test: int = 0):
        super().__init__()
        self.ratio = checked_ratio(ratio)
        if at_test not in range(101):
            raise ValueError(
                f"at test a mask hides a whole percentage of the pixels, 0 to 100; got {at_test}"
            )
        self.at_test = int(at_test)

    def forward(self, image: Tensor) -> Tensor:
        """(B, C, H, W) in [0, 1] to the same, with -0.1 where a pixel is hidden."""
        ratio = self.ratio if self.training else (self.at_test, self.at_test)
        if ratio == (0, 0):
            return image
        hidden = draw_ratio(ratio, (len(image), 1, 1, 1), image.device)
        chance = torch.rand_like(image[:, :1])
        return image.masked_fill(chance < hidden, MASKED_PIXEL)

    def extra_repr(self) -> str:
        return f"ratio={self.ratio}, at_test={self.at_test}"


class AttentionMask(nn.Module):
    """Zero most tokens before attention, in training and, as published, in testing as well.

    One ratio is drawn for each call, an integer percentage of ``ratio`` with both ends included,
    and each token is zeroed with that probability, independently of the others. The tokens kept
    are not scaled up, unlike in dropout.

    Parameters
    ----------
    ratio
        Lowest and highest percentage.
    at_test
        Whether to mask in evaluation mode too.
    """

    def __init__(self, ratio: tuple[int, int] = (75, 75), at_test: bool = True):
        super().__init__()
        self.ratio = checked_ratio(ratio)
        self.at_test = at_test

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., C) to the same, with zeros in all channels of a masked token."""
        if not (self.training or self.at_test):
            return tokens
        ratio = draw_ratio(self.ratio, (), tokens.device)
        chance = torch.rand_like(tokens[..., :1])
        return tokens * (chance >= ratio)

    def extra_repr(self) -> str:
        return f"ratio={self.ratio}, at_test={self.at_test}"


def draw_ratio(ratio: tuple[int, int], shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Integer percentages, both ends included, as fractions."""
    low, high = ratio
    return torch.randint(low, high + 1, shape, device=device) / 100


def checked_ratio(ratio: tuple[int, int]) -> tuple[int, int]:
    """The pair itself; ``ValueError`` unless it is two percentages, the lower one first."""
    low, high = ratio
    if not 0 <= low <= high <= 100:
        raise ValueError(
            f"a mask needs a ratio of two percentages, the lower one first, such as (80, 90); "
            f"got ({low}, {high})"
        )
    return low, high
