"""Camera noise: shot and read noise in the raw, developed to a photograph."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel
from noise_models.camera import (
    DEMOSAICS,
    PROTOCOLS,
    CameraFile,
    process,
    random_camera,
    random_noise_levels,
    read_camera,
    unprocess,
)


@NOISE_MODELS.register("isp")
@dataclass(frozen=True)
class ISP(NoiseModel):
    """Brooks's camera [2]_: photograph to raw, ``x + level * N(0, shot * x + read)``, and back.

    Each image gets a camera and a shot and read noise of its own, drawn at random. The image to
    restore is developed by the same camera from the raw without noise: no photograph survives a
    mosaic unchanged. The level is a factor on the raw noise's standard deviation; 1 is the
    published noise, the other levels are ours. Images of one level differ widely: at level 1 the
    noisy Kodak24 images have 18 to 40 dB, and their mean differs between seeds by about 1.2 dB.

    Drawn in this order: the colour matrix's four weights, brightness, red and blue gain, shot and
    read noise, then one normal number per site of the raw, in (H, W) order. Noise correlated by
    demosaicking, gamma and clipping has no simple law, so there is no ``variance``.

    Parameters
    ----------
    protocol
        The development: ``"A"`` is the published one, ``"B"`` also undoes the darkening and the
        tone curve which came before the raw; see `process`. Masked training [1]_ says "default
        parameter settings" and not which: B IS OUR GUESS, because on Kodak24 the published models
        score above its noisy images and below those of A.
    demosaic
        ``"bilinear"``, as published, or ``"malvar"``, sharper.
    camera
        A RAW or DNG file whose colour pattern, white balance and colour matrix replace the drawn
        ones, each where the file has it, and whose black and white level round and cut off the
        noisy raw as the camera would. Brightness, shot and read noise are drawn still: no file
        says them. "" draws everything and does not round.

    Raises
    ------
    ValueError
        If the protocol or the demosaicking is unknown, or the camera file cannot be used.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       section 4.
    .. [2] Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019; code:
       github.com/google-research/google-research, folder unprocessing.
    """

    cites = ("chen2023masked", "brooks2019unprocessing")
    family = "camera"
    unit = "factor on the standard deviation of a random camera's noise"
    note = "its development (protocol) is our guess; level 1 is published, the other levels ours"
    suites = ("paper",)
    files = ("camera",)
    levels: tuple[float, ...] = (0.5, 1, 2)
    protocol: str = "B"
    demosaic: str = "bilinear"
    camera: str = ""

    def __post_init__(self) -> None:
        self.check_choice("protocol", PROTOCOLS)
        self.check_choice("demosaic", DEMOSAICS)
        _ = self.camera_file  # a file that cannot be used is an error before anything runs
        super().__post_init__()

    @cached_property
    def camera_file(self) -> CameraFile | None:
        """The metadata and SHA-256 of the file named by ``camera``, read once; None without one."""
        return read_camera(self.camera) if self.camera else None

    def sample_pair(
        self, clean: np.ndarray, level: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        file = self.camera_file
        camera = random_camera(rng)
        shot, read = random_noise_levels(rng)
        if file:
            camera = file.applied_to(camera)
        raw = unprocess(clean, camera)
        noisy = noisy_raw(raw, level, shot, read, rng)
        if file:
            noisy = file.quantised(noisy)
        return (
            process(raw, camera, self.protocol, self.demosaic),
            process(noisy, camera, self.protocol, self.demosaic),
        )


def noisy_raw(
    raw: np.ndarray, level: float, shot: float, read: float, rng: np.random.Generator
) -> np.ndarray:
    """A raw with normal noise of variance ``level^2 * (shot * raw + read)``; not clipped."""
    return raw + level * np.sqrt(shot * raw + read) * rng.standard_normal(raw.shape)
