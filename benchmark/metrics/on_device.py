"""PSNR and SSIM of tensors where they are, in float64: nothing is copied and nothing waited for.

The same formulas as in `benchmark.metrics.pixelwise`, which computes with NumPy and OpenCV on the
CPU; sums of another order make differences of 1e-12.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def pixels_of(image: Tensor, border: int) -> Tensor:
    """(1, C, H, W) in [0, 1] to the (C, H, W) float64 from 0 to 255 that are compared."""
    height, width = image.shape[-2:]
    return image[0, :, border : height - border, border : width - border].double() * 255


def weighted(rgb: Tensor, weights: Sequence[float], offset: float) -> Tensor:
    """(3, H, W) to (1, H, W): a weighted sum of the channels, plus a constant."""
    red, green, blue = (weight * channel for weight, channel in zip(weights, rgb, strict=True))
    return (offset + (red + green + blue))[None]


def psnr(x: Tensor, y: Tensor, cap: float) -> Tensor:
    """In dB, at most ``cap``, of values from 0 to 255; of no dimension."""
    return (10 * (255**2 / ((x - y) ** 2).mean()).log10()).clamp(max=cap)


def ssim(x: Tensor, y: Tensor, window: Sequence[float], c1: float, c2: float) -> Tensor:
    """The mean structural similarity of (C, H, W), by a separable window; of no dimension."""
    mean_x, mean_y, squares, products = (
        _windowed(image, window) for image in (x, y, x**2 + y**2, x * y)
    )
    product, sum_of_squares = mean_x * mean_y, mean_x**2 + mean_y**2
    luminance = (2 * product + c1) / (sum_of_squares + c1)
    structure = (2 * (products - product) + c2) / (squares - sum_of_squares + c2)
    return (luminance * structure).mean()


def _windowed(image: Tensor, window: Sequence[float]) -> Tensor:
    """Weighted means round each pixel that has a whole window."""
    for axis in (-2, -1):
        length = image.shape[axis] - len(window) + 1
        total = image.narrow(axis, 0, length) * window[0]
        for start, weight in enumerate(window[1:], start=1):
            total.add_(image.narrow(axis, start, length), alpha=weight)
        image = total
    return image
