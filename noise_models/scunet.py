"""SCUNet's training noise: six degradations in a random order, the whole sequence repeated."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel, in_range
from noise_models.camera import process, random_camera, random_noise_levels, unprocess
from noise_models.coloured import ChromaCorrelated
from noise_models.compression import Jpeg
from noise_models.isp import noisy_raw

GAUSSIAN_SIGMAS = (2, 50)  # in 8-bit steps; all ranges include both ends
SPECKLE_SIGMAS = (2, 25)
GREY, COLOUR = 0.4, 0.4  # shares of all draws; the rest is correlated between channels
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
DECADES = (2, 4)  # log10 of the photons at white
QUALITIES = (30, 95)
FACTORS = (0.5, 2)

Pair = tuple[np.ndarray, np.ndarray]
Stage = Callable[[np.ndarray, np.ndarray, np.random.Generator], Pair]


@NOISE_MODELS.register("scunet")
@dataclass(frozen=True)
class SCUNet(NoiseModel):
    """The practical degradation of SCUNet [1]_: six stages, shuffled, ``level`` times over.

    The order of the stages is drawn once for an image; each pass repeats it with new parameters.
    The stages, on the noisy image ``y`` so far and its target ``x``:

    - Gaussian, ``y + n``: sigma 2, 3, ... 50 in 8-bit steps [2]_, one number for all channels in
      40 % of all draws, one for each in 40 %, else `ChromaCorrelated` at level 50 [3]_.
    - Poisson, ``y + Poisson(p x) / p - x``: ``p = 10^U(2, 4)``; in half of the draws with the luma
      of ``x`` instead of ``x`` and one number for all channels [3]_. That the target's photons are
      counted, not those of ``y``, stands under the pipeline's figure [1]_.
    - Speckle, ``y (1 + n)``: ``n`` as above with sigma 2 to 25 and level 25 [3]_.
    - `Jpeg` of ``y``: quality 30, 31, ... 95 [3]_.
    - Sensor: ``y`` goes back to the raw of a random camera, gets shot and read noise and is
      developed again, ``x`` goes the same way without noise [1]_. The authors' camera and its tone
      curves were never published; here it is that of `Isp`, protocol B.
    - Resizing of ``x`` and ``y`` by U(0.5, 2), linear or cubic [2]_ with equal odds, no filter
      before it, and then back to their size by the same method. The way back is ours: a benchmark
      compares images of one size.

    Each stage clips to [0, 1] and gives float32, as in the code [3]_; only JPEG rounds to 8 bits.

    The training code was never published, so this is no copy of it: numbers measured with it may be
    compared with each other, not with published ones. Sure are the stages, the shuffle and the two
    passes [1]_; the numbers marked [3]_ are certain for that code and likely here; those marked
    [2]_ are at second hand. Our guesses: that every stage happens in every pass, as the figure
    draws it (that code [3]_ takes Poisson, speckle and sensor noise one time in ten each), and that
    both passes have one order.

    Drawn are the order, then for each stage its parameters and its noise, in (H, W, C) order.

    Parameters
    ----------
    levels
        Numbers of passes, 1 to 4: 2 is published as "double degradation". The stages are drawn for
        each image, so that few images can be noisier after one pass than after two.
    sensor, resize
        Whether these stages take part. Without both the target is the clean image itself.

    Raises
    ------
    ValueError
        If a level is not 1, 2, 3 or 4, or the image has other than 3 channels.

    References
    ----------
    .. [1] Zhang et al., "Practical Blind Image Denoising via Swin-Conv-UNet and Data Synthesis",
       Machine Intelligence Research 20, 2023; its figures: github.com/cszn/SCUNet.
    .. [2] Section 3.2 of [1]_ as a public lecture on denoising quotes it.
    .. [3] The same authors' github.com/cszn/KAIR, utils/utils_blindsr.py, the noises and
       ``degradation_bsrgan_plus``, which were written for super-resolution.
    """

    cites = ("zhang2023scunet",)
    family = "mixture"
    unit = "passes of the shuffled stages"
    note = "not the authors' code: camera, resizing back and stage odds are ours"
    domain = (1, 4)
    whole_levels = True
    levels: tuple[float, ...] = (2,)
    sensor: bool = True
    resize: bool = True

    def sample_pair(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> Pair:
        return self._degraded(clean, clean, level, rng)

    def sample_onward(
        self, target: np.ndarray, noisy: np.ndarray, level: float, rng: np.random.Generator
    ) -> Pair:
        return self._degraded(in_range(target), in_range(noisy), level, rng)

    def _degraded(
        self, target: np.ndarray, noisy: np.ndarray, level: float, rng: np.random.Generator
    ) -> Pair:
        channels = noisy.shape[2]
        if channels != 3:
            raise ValueError(
                f"scunet needs 3 channels, red, green and blue, got {channels}; "
                "repeat a grey image three times or leave this noise out"
            )
        stages: list[Stage] = [add_gaussian, add_poisson, add_speckle, compress]
        stages += [add_sensor_noise] * self.sensor + [resize_and_back] * self.resize
        order = rng.permutation(len(stages))
        for index in [*order] * int(level):
            target, noisy = stages[index](target, noisy, rng)
        return target, noisy


def add_gaussian(target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator) -> Pair:
    """White noise: grey, coloured, or correlated between the channels."""
    return target, in_range(noisy + _normal(noisy.shape, GAUSSIAN_SIGMAS, rng))


def add_poisson(target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator) -> Pair:
    """The photon noise of the target, of its colours or of its luma alone."""
    photons = 10 ** rng.uniform(*DECADES)
    seen = (target @ LUMA)[..., None] if rng.random() < 0.5 else target
    return target, in_range(noisy + (rng.poisson(seen * photons) / photons - seen))


def add_speckle(target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator) -> Pair:
    """The noisy image times one plus white noise."""
    return target, in_range(noisy * (1 + _normal(noisy.shape, SPECKLE_SIGMAS, rng)))


def compress(target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator) -> Pair:
    """The noisy image through JPEG."""
    quality = int(rng.integers(*QUALITIES, endpoint=True))
    return target, Jpeg()(noisy, quality, rng)


def add_sensor_noise(target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator) -> Pair:
    """Both images back to the raw of one camera and developed again, the noisy one with noise."""
    camera = random_camera(rng)
    shot, read = random_noise_levels(rng)
    raw = noisy_raw(unprocess(noisy, camera), 1, shot, read, rng)
    return in_range(process(unprocess(target, camera), camera)), in_range(process(raw, camera))


def resize_and_back(target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator) -> Pair:
    """Both images to another size and back, by linear or by cubic interpolation."""
    import cv2  # here, so that noises load without it

    factor = rng.uniform(*FACTORS)
    method = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
    height, width = target.shape[:2]
    other = round(factor * width), round(factor * height)

    def there_and_back(image: np.ndarray) -> np.ndarray:
        there = in_range(cv2.resize(image, other, interpolation=method))
        return in_range(cv2.resize(there, (width, height), interpolation=method))

    return there_and_back(target), there_and_back(noisy)


def _normal(
    shape: tuple[int, ...], sigmas: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Normal noise of mean 0, float32: (H, W, 1) if it is grey, else (H, W, 3)."""
    sigma = rng.integers(*sigmas, endpoint=True) / np.float32(255)
    kind = rng.random()
    if kind >= GREY + COLOUR:
        black = np.zeros(shape, np.float32)
        return ChromaCorrelated().sample(black, sigmas[1], rng).astype(np.float32)
    channels = 1 if kind < GREY else shape[2]
    return sigma * rng.standard_normal((*shape[:2], channels), np.float32)
