"""How far a restored image is from the clean one, as one number."""

import hashlib
import math
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from benchmark.registry import Registry

METRICS = Registry("metric")

PSNR_CAP = 100.0  # dB; equal images would be infinite, which JSON cannot hold

# Wang et al., "Image quality assessment: from error visibility to structural similarity",
# TIP 2004, section III-C: the window and the constants K1 = 0.01, K2 = 0.03 at peak 255
SSIM_WINDOW = cv2.getGaussianKernel(11, 1.5, cv2.CV_64F)
SSIM_RADIUS = len(SSIM_WINDOW) // 2
SSIM_C1 = (0.01 * 255) ** 2
SSIM_C2 = (0.03 * 255) ** 2

# ITU-R BT.601, as MATLAB's rgb2ycbcr: Y runs from 16 to 235
LUMA = np.array([65.481, 128.553, 24.966]) / 255

ALEXNET = "alexnet-owt-7be5be79.pth"
ALEXNET_URL = f"https://download.pytorch.org/models/{ALEXNET}"
ALEXNET_SHA256 = "7be5be79"  # torch.hub puts the first digits of a file's SHA-256 into its name


class MetricUnavailable(Exception):
    """A metric's package or weights are not on this machine; the message says how to get them."""


class Metric:
    """A frozen dataclass whose fields are its settings; calling it scores one pair of images.

    Subclasses write ``score``; everyone else calls ``prepare`` once and then the object.
    """

    name: ClassVar[str]  # set by the registry
    higher_is_better: ClassVar[bool]
    unit: ClassVar[str] = ""
    digits: ClassVar[int] = 4  # behind the point, where a score is printed
    rgb_only: ClassVar[bool] = False
    located: ClassVar[tuple[str, ...]] = ()  # settings which say where something lies, not what
    files: ClassVar[tuple[str, ...]] = ()  # settings which name a file: its content counts

    @property
    def minimum_size(self) -> int:
        """The smallest height and width, in pixels, that can be scored."""
        return 1

    def prepare(self) -> None:
        """Load what scoring needs; called before any model runs.

        Raises
        ------
        MetricUnavailable
            If a package or weights are missing; the others can still be scored.
        """

    def score(self, restored: Tensor, clean: Tensor) -> float:
        """One number for one pair whose shape has been checked; see `__call__`."""
        raise NotImplementedError

    def __call__(self, restored: Tensor, clean: Tensor) -> float:
        """Score one pair, (1, C, H, W) float in [0, 1], both already rounded to 8 bits.

        Raises
        ------
        ValueError
            If the shapes differ, are no single image, or are smaller than ``minimum_size``.
        """
        if restored.shape != clean.shape or clean.ndim != 4 or len(clean) != 1:
            raise ValueError(
                f"{self.name} compares one pair of (1, C, H, W) images, "
                f"got {tuple(restored.shape)} and {tuple(clean.shape)}"
            )
        channels, height, width = clean.shape[1:]
        if self.rgb_only and channels != 3:
            raise ValueError(f"{self.name} needs RGB images, got {channels} channels")
        if min(height, width) < self.minimum_size:
            raise ValueError(
                f"{self.name} needs images of at least {self.minimum_size}x{self.minimum_size} "
                f"pixels, got {height}x{width}; leave it out or use larger images"
            )
        return float(self.score(restored, clean))


@dataclass(frozen=True)
class PixelMetric(Metric):
    """A metric of pixel values from 0 to 255 in float64.

    Attributes
    ----------
    border
        Pixels left out at each side; 1 is what the test script of masked training [1]_ does,
        0 what most other papers do.

    References
    ----------
    .. [1] Chen et al., "Masked image training for generalizable deep image denoising", CVPR 2023,
       main_test_swinir.py in https://github.com/haoyuc/MaskedDenoising.
    """

    border: int = 1

    def __post_init__(self) -> None:
        if self.border < 0:
            raise ValueError(f"{self.name} needs border >= 0, got {self.border}")

    @property
    def minimum_size(self) -> int:
        return 2 * self.border + 1

    def pixels(self, image: Tensor) -> np.ndarray:
        """The (H, W, C) float64 values that are compared, 0 to 255, without the border."""
        values = image[0].permute(1, 2, 0).double().cpu().numpy() * 255
        height, width = values.shape[:2]
        return values[self.border : height - self.border, self.border : width - self.border]


@METRICS.register("psnr")
@dataclass(frozen=True)
class PSNR(PixelMetric):
    """Peak signal-to-noise ratio, one mean squared error over height, width and channels.

    Capped at 100 dB, which stands for equal images.
    """

    higher_is_better = True
    unit = "dB"
    digits = 2

    def score(self, restored: Tensor, clean: Tensor) -> float:
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

    higher_is_better = True

    @property
    def minimum_size(self) -> int:
        return 2 * self.border + len(SSIM_WINDOW)

    def score(self, restored: Tensor, clean: Tensor) -> float:
        x, y = self.pixels(restored), self.pixels(clean)
        mean_x, mean_y = _windowed(x), _windowed(y)
        product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
        covariance = _windowed(x * y) - product
        variances = _windowed(x**2 + y**2) - squares
        luminance = (2 * product + SSIM_C1) / (squares + SSIM_C1)
        structure = (2 * covariance + SSIM_C2) / (variances + SSIM_C2)
        return float(np.mean(luminance * structure))


def _windowed(image: np.ndarray) -> np.ndarray:
    """Gaussian-weighted mean round each pixel that has a whole window, all channels at once."""
    blurred = cv2.sepFilter2D(image, cv2.CV_64F, SSIM_WINDOW, SSIM_WINDOW)
    return blurred[SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS]


@METRICS.register("psnr_y")
@dataclass(frozen=True)
class PSNRY(PSNR):
    """`PSNR` of the luma channel Y of ITU-R BT.601, 16 to 235, not rounded; peak 255."""

    rgb_only = True

    def pixels(self, image: Tensor) -> np.ndarray:
        return _luma(super().pixels(image))


@METRICS.register("ssim_y")
@dataclass(frozen=True)
class SSIMY(SSIM):
    """`SSIM` of the luma channel Y of ITU-R BT.601, 16 to 235, not rounded; peak 255."""

    rgb_only = True

    def pixels(self, image: Tensor) -> np.ndarray:
        return _luma(super().pixels(image))


def _luma(rgb: np.ndarray) -> np.ndarray:
    return 16 + rgb @ LUMA[:, None]  # (H, W, 1)


@METRICS.register("lpips")
@dataclass(frozen=True)
class LPIPS(Metric):
    """Learned perceptual distance [1]_, AlexNet, version 0.1, of the package ``lpips``.

    The package ships the linear heads; the AlexNet under them is torchvision's file
    ``alexnet-owt-7be5be79.pth``, checked by its SHA-256. It is never downloaded here.

    Attributes
    ----------
    channel_order
        "rgb", which the network was trained for, or "bgr", which the test script of masked
        training feeds it and its published numbers stand for.
    backbone
        Path of AlexNet's file. None looks where ``torch.hub`` keeps its downloads.

    References
    ----------
    .. [1] Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric",
       CVPR 2018.
    """

    higher_is_better = False
    rgb_only = True
    located = ("backbone",)  # `prepare` takes the one published file alone

    channel_order: str = "rgb"
    backbone: str | None = field(default=None, compare=False)  # where from, not what: it is hashed

    def __post_init__(self) -> None:
        if self.channel_order not in ("rgb", "bgr"):
            raise ValueError(
                f"{self.name} knows channel_order rgb and bgr, got '{self.channel_order}'"
            )

    @property
    def minimum_size(self) -> int:
        return 31  # 30 pixels leave nothing for AlexNet's second pooling

    def prepare(self) -> None:
        """Load the network.

        Raises
        ------
        MetricUnavailable
            If ``backbone`` is None and AlexNet's file is not among torch.hub's downloads.
        ValueError
            If ``backbone`` names a file that is missing or is another one.
        """
        _load_lpips(self._alexnet_file())

    def score(self, restored: Tensor, clean: Tensor) -> float:
        if self.channel_order == "bgr":
            restored, clean = restored.flip(1), clean.flip(1)
        return _distance(_load_lpips(self._alexnet_file()), restored, clean)

    def _alexnet_file(self) -> Path:
        if self.backbone is not None:
            path = Path(self.backbone).expanduser()
            if not path.is_file():
                raise ValueError(
                    f"there is no file {path}; set metric.{self.name}.backbone=PATH to a copy of "
                    f"{ALEXNET_URL}"
                )
            return path
        path = Path(torch.hub.get_dir(), "checkpoints", ALEXNET)
        if not path.is_file():
            raise MetricUnavailable(
                f"{self.name} needs torchvision's AlexNet, which is not at {path}; download "
                f"{ALEXNET_URL} and set metric.{self.name}.backbone=PATH"
            )
        return path


@METRICS.register("st_lpips")
@dataclass(frozen=True)
class STLPIPS(Metric):
    """Shift-tolerant perceptual distance [1]_, AlexNet, of the package ``stlpips-pytorch``.

    The package ships all its weights. Its numbers do not compare with those of `LPIPS`.

    References
    ----------
    .. [1] Ghildyal and Liu, "Shift-tolerant perceptual similarity metric", ECCV 2022.
    """

    higher_is_better = False
    rgb_only = True

    @property
    def minimum_size(self) -> int:
        return 24  # below 21 the network's reflection padding fails

    def prepare(self) -> None:
        """Load the network.

        Raises
        ------
        MetricUnavailable
            If the package, or one that it imports, is not installed.
        """
        _load_st_lpips()

    def score(self, restored: Tensor, clean: Tensor) -> float:
        return _distance(_load_st_lpips(), restored, clean)


@torch.inference_mode()
def _distance(network: nn.Module, restored: Tensor, clean: Tensor) -> float:
    """What a network of the LPIPS family says of a pair; it expects [-1, 1]."""
    return network(2 * restored.float().cpu() - 1, 2 * clean.float().cpu() - 1).item()


@cache
def _load_lpips(alexnet_file: Path) -> nn.Module:
    import lpips

    with alexnet_file.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(ALEXNET_SHA256):
        raise ValueError(
            f"{alexnet_file} is not torchvision's AlexNet: its SHA-256 starts with {digest[:8]}, "
            f"not {ALEXNET_SHA256}; replace it by a copy of {ALEXNET_URL}"
        )
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)  # lpips calls torchvision in its old way
        network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    published = torch.load(alexnet_file, map_location="cpu", weights_only=True)
    # lpips deals torchvision's layers "features.N" out to slices, as "slice1.N" to "slice5.N"
    names = {key: "features." + key.partition(".")[2] for key in network.net.state_dict()}
    network.net.load_state_dict({key: published[name] for key, name in names.items()})
    return network.requires_grad_(False).eval()


@cache
def _load_st_lpips() -> nn.Module:
    try:
        from stlpips_pytorch import stlpips
    except ImportError as error:
        raise MetricUnavailable(
            f"st_lpips cannot import its package ({error}); pip install 'noisebench[st-lpips]'"
        ) from None
    with torch.random.fork_rng(devices=[]):
        network = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    return network.requires_grad_(False).eval()
