"""Metrics of pixel values: PSNR and SSIM, of colours and of luma. Loads no torch, no OpenCV."""

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics import on_device
from benchmark.metrics.metric import METRICS, Metric
from benchmark.pixels import without_border
from benchmark.protocol import MASKED

if TYPE_CHECKING:
    from torch import Tensor

PSNR_CAP = 100.0  # dB; equal images would be infinite, which JSON cannot hold

# Wang et al., "Image quality assessment: from error visibility to structural similarity",
# TIP 2004, section III-C: the window and the constants K1 = 0.01, K2 = 0.03 at peak 255
SSIM_SIDE, SSIM_SIGMA = 11, 1.5  # pixels
SSIM_C1 = (0.01 * 255) ** 2
SSIM_C2 = (0.03 * 255) ** 2

# ITU-R BT.601, as MATLAB's rgb2ycbcr: Y runs from 16 to 235
LUMA = np.array([65.481, 128.553, 24.966]) / 255
FULL_LUMA = np.array([0.299, 0.587, 0.114])  # the same from 0 to 255, as in JPEG


@dataclass(frozen=True)
class PixelMetric(Metric):
    """A metric of pixel values from 0 to 255 in float64.

    Attributes
    ----------
    border
        Pixels left out at each side. None: as many as the protocol says; by itself a metric leaves
        out the 1 of `masked`, what the test script of masked training [1]_ does, where most other
        papers leave out none.

    References
    ----------
    .. [1] Chen et al., "Masked image training for generalizable deep image denoising", CVPR 2023,
       main_test_swinir.py in https://github.com/haoyuc/MaskedDenoising.
    """

    border: int | None = None

    def __post_init__(self) -> None:
        if self.left_out < 0:
            raise ValueError(f"{self.name} needs border >= 0, got {self.border}")

    @property
    def left_out(self) -> int:
        """Pixels at each side which are not compared."""
        return MASKED.border if self.border is None else self.border

    @property
    def minimum_size(self) -> int:
        return 2 * self.left_out + 1

    def pixels(self, image: "Tensor") -> np.ndarray:
        """The (H, W, C) float64 values that are compared, 0 to 255, without the border."""
        values = image[0].permute(1, 2, 0).double().cpu().numpy() * 255
        return without_border(values, self.left_out)

    def tensor(self, image: "Tensor") -> "Tensor":
        """`pixels` of an image of a GPU, left there: (C, H, W)."""
        return on_device.pixels_of(image, self.left_out)


@METRICS.register("psnr")
@dataclass(frozen=True)
class PSNR(PixelMetric):
    """Peak signal-to-noise ratio, one mean squared error over height, width and channels.

    Capped at 100 dB, which stands for equal images.
    """

    higher_is_better = True
    unit = "dB"
    digits = 2
    on_device = True

    def score(self, restored: "Tensor", clean: "Tensor") -> "float | Tensor":
        if clean.device.type != "cpu":
            return on_device.psnr(self.tensor(restored), self.tensor(clean), PSNR_CAP)
        error = np.mean((self.pixels(restored) - self.pixels(clean)) ** 2)
        return min(10 * math.log10(255**2 / error), PSNR_CAP) if error else PSNR_CAP


@METRICS.register("ssim")
@dataclass(frozen=True)
class SSIM(PixelMetric):
    """Structural similarity at full resolution, mean of the channels' means.

    Only pixels whose whole 11x11 window lies in the image count, and variances are those of the
    weighted window, as in Wang's MATLAB code and in ``skimage.metrics.structural_similarity`` with
    ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False``.
    """

    cites = ("wang2004ssim",)
    higher_is_better = True
    on_device = True

    @property
    def minimum_size(self) -> int:
        return 2 * self.left_out + SSIM_SIDE

    def score(self, restored: "Tensor", clean: "Tensor") -> "float | Tensor":
        if clean.device.type != "cpu":
            window = tuple(_window().ravel().tolist())
            pair = self.tensor(restored), self.tensor(clean)
            return on_device.ssim(*pair, window, SSIM_C1, SSIM_C2)
        return ssim(self.pixels(restored), self.pixels(clean))


def ssim(x: np.ndarray, y: np.ndarray) -> float:
    """`SSIM` of two (H, W, C) arrays of values from 0 to 255, uint8 or float64.

    Nothing is left out at the border; height and width are 11 or more.
    """
    x, y = x.astype(np.float64, copy=False), y.astype(np.float64, copy=False)
    mean_x, mean_y = _windowed(x), _windowed(y)
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    covariance = _windowed(x * y) - product
    variances = _windowed(x**2 + y**2) - squares
    luminance = (2 * product + SSIM_C1) / (squares + SSIM_C1)
    structure = (2 * covariance + SSIM_C2) / (variances + SSIM_C2)
    return float(np.mean(luminance * structure))


def _windowed(image: np.ndarray) -> np.ndarray:
    """Gaussian-weighted mean round each pixel that has a whole window, all channels at once."""
    import cv2

    window = _window()
    blurred = cv2.sepFilter2D(image, cv2.CV_64F, window, window)
    inside = slice(SSIM_SIDE // 2, -(SSIM_SIDE // 2))
    return blurred[inside, inside]


@cache
def _window() -> np.ndarray:
    """(11, 1) float64 of sum 1."""
    import cv2

    return cv2.getGaussianKernel(SSIM_SIDE, SSIM_SIGMA, cv2.CV_64F)


@METRICS.register("psnr_y")
@dataclass(frozen=True)
class PSNRY(PSNR):
    """`PSNR` of the luma channel Y of ITU-R BT.601, 16 to 235, not rounded; peak 255."""

    rgb_only = True
    on_device = True

    def pixels(self, image: "Tensor") -> np.ndarray:
        return _luma(super().pixels(image))

    def tensor(self, image: "Tensor") -> "Tensor":
        return on_device.weighted(super().tensor(image), LUMA.tolist(), 16)


@METRICS.register("ssim_y")
@dataclass(frozen=True)
class SSIMY(SSIM):
    """`SSIM` of the luma channel Y of ITU-R BT.601, 16 to 235, not rounded; peak 255."""

    rgb_only = True
    on_device = True

    def pixels(self, image: "Tensor") -> np.ndarray:
        return _luma(super().pixels(image))

    def tensor(self, image: "Tensor") -> "Tensor":
        return on_device.weighted(super().tensor(image), LUMA.tolist(), 16)


def in_colour(image: "Tensor", colour: str) -> "Tensor":
    """What a protocol compares of (1, C, H, W) in [0, 1]: itself, or (1, 1, H, W) luma in float64.

    Images of one channel stay as they are; see `benchmark.protocol.Protocol` for the names.
    """
    if colour == "rgb" or image.shape[1] != 3:
        return image
    if image.device.type != "cpu":
        weights, offset = (LUMA, 16) if colour == "y" else (FULL_LUMA, 0)
        return (
            on_device.weighted(on_device.pixels_of(image, 0), weights.tolist(), offset)[None] / 255
        )
    rgb = image[0].permute(1, 2, 0).double().cpu().numpy() * 255
    luma = _luma(rgb) if colour == "y" else rgb @ FULL_LUMA[:, None]
    return image.double().new_tensor(luma / 255).permute(2, 0, 1)[None]


def _luma(rgb: np.ndarray) -> np.ndarray:
    return 16 + rgb @ LUMA[:, None]  # (H, W, 1)
