"""What storage loses: JPEG's blocks, noise which went through JPEG, too few grey levels."""

from dataclasses import dataclass

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel, to_uint8

QUALITIES = (1, 100)


@NOISE_MODELS.register("jpeg")
@dataclass(frozen=True)
class Jpeg(NoiseModel):
    """The image rounded to 8 bits, written as a baseline JPEG and read again; nothing is random.

    OpenCV's encoder (libjpeg-turbo) with the given quality and chroma subsampled 4:2:0, its decoder
    with the default smooth chroma upsampling. The pixels depend on OpenCV's version within a step
    or two. Channels are red, green, blue, or one of grey. The levels are spread over the range
    30 to 95 of SCUNet's training data [1]_.

    Raises
    ------
    ValueError
        If an image has neither 1 nor 3 channels, or a level is no whole quality from 1 to 100.

    References
    ----------
    .. [1] Zhang et al., "Practical Blind Image Denoising via Swin-Conv-UNet and Data Synthesis",
       Machine Intelligence Research 2023; code: github.com/cszn/SCUNet.
    """

    cites = ("zhang2023scunet",)
    family = "compression"
    unit = "JPEG quality"
    domain = QUALITIES
    whole_levels = True
    deterministic = True
    levels: tuple[float, ...] = (90, 70, 50, 30)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        return _through_jpeg(self.name, clean, int(level))


@NOISE_MODELS.register("gaussian_jpeg")
@dataclass(frozen=True)
class GaussianJpeg(NoiseModel):
    """Gaussian noise which was stored as JPEG: clipped, rounded to 8 bits, compressed as ``jpeg``.

    The level is the sigma of the noise, not JPEG's quality: a low quality smooths the noise away,
    so that with sigma 15 the noisy photograph comes *nearer* to the clean one as the quality falls
    from 90 to 30 (kodim03: 27.1 dB, then 29.7 dB). One normal number is drawn per value, in
    (H, W, C) order. The levels are those of ``gaussian``.

    Parameters
    ----------
    quality
        JPEG quality, 1 to 100. SCUNet's training data have 30 to 95 [1]_; 50 is our choice.

    Raises
    ------
    ValueError
        If an image has neither 1 nor 3 channels, the quality is outside its range, or a level is
        negative.

    References
    ----------
    .. [1] Zhang et al., "Practical Blind Image Denoising via Swin-Conv-UNet and Data Synthesis",
       Machine Intelligence Research 2023; code: github.com/cszn/SCUNet.
    """

    cites = ("zhang2023scunet",)
    family = "mixture"
    unit = "sigma before JPEG, in 8-bit steps"
    note = "the quality 50 is our choice"
    levels: tuple[float, ...] = (15, 25, 50)
    quality: int = 50

    def __post_init__(self) -> None:
        low, high = QUALITIES
        if not (low <= self.quality <= high and self.quality == int(self.quality)):
            raise ValueError(
                f"gaussian_jpeg needs a whole JPEG quality from {low} to {high}, got {self.quality}"
            )
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        noisy = clean + level / 255 * rng.standard_normal(clean.shape)
        return _through_jpeg(self.name, noisy, int(self.quality))


def _through_jpeg(name: str, image: np.ndarray, quality: int) -> np.ndarray:
    """The image in float32 after 8 bits and JPEG."""
    import cv2  # here, so that noises load without it

    if image.shape[2] not in (1, 3):
        raise ValueError(f"{name} needs an image of 1 or 3 channels, got {image.shape[2]}")
    options = [
        (cv2.IMWRITE_JPEG_QUALITY, quality),
        (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420),
    ]
    pixels = to_uint8(image)
    colour = image.shape[2] == 3
    if colour:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, stored = cv2.imencode(".jpg", pixels, [part for option in options for part in option])
    pixels = np.asarray(cv2.imdecode(stored, cv2.IMREAD_UNCHANGED))
    if colour:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    return pixels.reshape(image.shape) / np.float32(255)


@NOISE_MODELS.register("quantization")
@dataclass(frozen=True)
class Quantization(NoiseModel):
    """Too few bits, ``round(x * n) / n`` with ``n = 2^level - 1``; nothing is random.

    Each value is rounded by itself; no 8-bit value lies halfway between two steps. The levels are
    ours.

    Parameters
    ----------
    dither
        Round up above an ordered threshold instead of above one half: Bayer's 8x8 matrix [1]_,
        repeated from the top left corner, the same for all channels. Flat areas then become a
        pattern whose mean is theirs within 1/128 of a step.

    References
    ----------
    .. [1] Bayer, "An optimum method for two-level rendition of continuous-tone pictures", IEEE
       International Conference on Communications 1973.
    """

    cites = ("bayer1973dither",)
    family = "compression"
    unit = "bits per value"
    domain = (1, 8)
    whole_levels = True
    deterministic = True
    levels: tuple[float, ...] = (6, 5, 4, 3)
    dither: bool = False

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        height, width, _ = clean.shape
        steps = 2**level - 1
        up = np.full((height, width), 0.5)
        if self.dither:
            up = np.tile(_bayer(), (-(-height // 8), -(-width // 8)))[:height, :width]
        return np.floor(clean.astype(np.float64) * steps + up[..., None]) / steps


def _bayer() -> np.ndarray:
    """The (8, 8) shifts before rounding down, 1/128 to 127/128 in steps of 1/64."""
    order = np.zeros((1, 1))
    for _ in range(3):
        order = np.block([[4 * order, 4 * order + 2], [4 * order + 3, 4 * order + 1]])
    return (order + 0.5) / 64
