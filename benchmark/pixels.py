"""Pictures as arrays: cut out, and compared. Loads NumPy and nothing else."""

import math

import numpy as np


def crop_around(image: np.ndarray, centre: tuple[int, int], size: int) -> np.ndarray:
    """Cut ``size`` x ``size`` pixels around a (row, column), moved as far as it takes to fit in.

    ``size`` is at most the image's height and width.
    """
    top, left = (
        min(max(middle - size // 2, 0), side - size)
        for middle, side in zip(centre, image.shape[:2], strict=True)
    )
    return image[top : top + size, left : left + size]


def central(image: np.ndarray, size: int) -> np.ndarray:
    """The central square of an (H, W, C) image, or less where the image is smaller."""
    top, left = (max(0, (side - size) // 2) for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def without_border(image: np.ndarray, border: int) -> np.ndarray:
    """An (H, W, ...) image without ``border`` pixels at each side."""
    height, width = image.shape[:2]
    return image[border : height - border, border : width - border]


def psnr(image: np.ndarray, other: np.ndarray, border: int = 0) -> float:
    """PSNR in dB of two (H, W, C) uint8 images, capped at 100: the metric ``psnr`` without torch.

    One mean squared error over height, width and channels, without ``border`` pixels at each side.
    """
    image, other = without_border(image, border), without_border(other, border)
    difference = image.astype(np.float32) - other
    error = float(np.square(difference).mean(dtype=np.float64)) / 255**2
    return -10 * math.log10(max(error, 1e-10))
