"""Low-light noise of five calibrated cameras, developed to a photograph."""

from dataclasses import dataclass

import numpy as np
import scipy  # loads special when it is first used

from benchmark.noise import NOISE_MODELS, NoiseModel
from noise_models.camera import process, random_camera, unprocess

WHITE = 16383 - 800  # steps between black and white of a 14-bit raw, for all cameras [1]
STEP = 1  # of the quantisation


@dataclass(frozen=True)
class Line:
    """A noise's scale in raw steps: ``log scale = slope * log K + bias + N(0, sigma^2)``."""

    slope: float
    bias: float
    sigma: float

    def draw(self, log_gain: float, rng: np.random.Generator) -> float:
        return float(np.exp(self.slope * log_gain + self.bias + rng.normal(0, self.sigma)))


@dataclass(frozen=True)
class Sensor:
    """A calibrated camera."""

    gains: tuple[float, float]  # the lowest and highest system gain K, raw steps per electron
    row: Line
    read: Line
    shapes: tuple[int, ...]  # calibrated Tukey lambda shapes, in seventieths, as released


# Profile-1 (Kmin, Kmax; R_scale; G_scale; G_shape) of camera_params/release in the code of [1]
SENSORS = {
    "CanonEOS5D4": Sensor(
        (0.218, 13.96),
        row=Line(0.471, -0.808, 0.244),
        read=Line(0.656, 1.093, 0.286),
        shapes=(11, 10, 6, 6, 14, 14, 7, 6, 4, 5, 2, 2, 1, 2, 6, 5, 8, 8),
    ),
    "CanonEOS700D": Sensor(
        (0.448, 28.65),
        row=Line(0.622, -0.776, 0.248),
        read=Line(0.598, 1.537, 0.389),
        shapes=(9, 9, 7, 7, 1, 1, -6, -7, -10, -11, -9, -9, -2, -2, 1, 1),
    ),
    "CanonEOS70D": Sensor(
        (0.407, 26.08),
        row=Line(0.729, -0.937, 0.250),
        read=Line(0.487, 1.464, 0.382),
        shapes=(10, 10, 8, 8, 2, 2, -7, -6, -12, -12, -11, -11, -6, -6, -2, -2),
    ),
    "NikonD850": Sensor(
        (0.415, 26.56),
        row=Line(0.448, -1.798, 0.232),
        read=Line(0.477, -0.090, 0.239),
        shapes=(-8, -8, -14, -14, -15, -15, -16, -16, -17, -17, -12, -12, -10, -10, -7, -7),
    ),
    "SonyA7S2": Sensor(
        (0.094, 6.01),
        row=Line(0.528, -0.592, 0.294),
        read=Line(0.462, 0.566, 0.263),
        shapes=(8, 9, 4, 3, 0, 0, -3, -4, -6, -6, -6, -6, -8, -8, -10, -9, -10, -10),
    ),
}


@dataclass(frozen=True)
class Exposure:
    """The noise parameters of one image, in raw steps."""

    gain: float  # K, steps per electron
    read: float  # scale of the Tukey lambda noise
    row: float  # standard deviation of a row's offset
    shape: float  # of the Tukey lambda noise


@NOISE_MODELS.register("eld")
@dataclass(frozen=True)
class ELD(NoiseModel):
    """Extreme low light [1]_: a raw dimmed by the level, read out by a real sensor, brightened.

    The clean raw comes from the photograph through a random camera of Brooks, as in `isp`. It is
    divided by the level, gets ``K (Poisson(x / K) - x / K) + N_read + N_row + N_q`` in steps of 14
    bits, is multiplied by the level, clipped to [0, 1] and developed; so is the image to restore,
    without the noise (protocol B of `isp`). ``N_read`` has a Tukey lambda law and each row of the
    sensor one normal offset; ``N_q`` is uniform over one step.

    The law and the constants are published, and the levels 100 and 300: the ends of a uniform law
    in the code of [1]_. 10 and 30 are ours, since the noisy Kodak24 images have 14 dB at 100 and
    10 dB at 300. Where this is simpler than [1]_:

    - no colour bias: the code has tables of it for each camera, but not at which gain each row
      was measured, so it is 0;
    - the Tukey shape is any of the camera's calibrated ones, whatever the gain: their gains are
      not given either;
    - log K is uniform over the camera's own range, as in the paper; the released code, which has
      no Tukey or row noise, takes 0.1 to 30 for all cameras;
    - all cameras have the 15583 steps of the released code, and a quantisation step of 1;
    - raw values below black are cut off after brightening, not before;
    - the colours are Brooks's random cameras, not the sensor's own.

    Drawn in this order: Brooks's camera, the sensor, log K, the read and the row noise's scale, the
    shape, then photons, read noise, row offsets and quantisation, each in (H, W) order.

    Parameters
    ----------
    levels
        How many times too dark the exposure is.
    camera
        One of the five sensors, or ``"all"``: any of them, drawn for each image.

    Raises
    ------
    ValueError
        If the camera is none of these, or a level is below 1.

    References
    ----------
    .. [1] Wei et al., "A Physics-Based Noise Formation Model for Extreme Low-Light Raw Denoising",
       CVPR 2020; code: github.com/Vandermode/ELD.
    """

    cites = ("wei2020eld",)
    family = "camera"
    unit = "low-light ratio, how many times too dark the exposure is"
    note = "levels 10 and 30 are ours, 100 and 300 published; without colour bias"
    domain = (1, np.inf)
    levels: tuple[float, ...] = (10, 30, 100, 300)
    camera: str = "all"

    def __post_init__(self) -> None:
        self.check_choice("camera", ("all", *SENSORS))
        super().__post_init__()

    def sample_pair(
        self, clean: np.ndarray, level: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        camera = random_camera(rng)
        names = tuple(SENSORS) if self.camera == "all" else (self.camera,)
        exposure = random_exposure(SENSORS[names[rng.integers(len(names))]], rng)
        raw = unprocess(clean, camera)
        noisy = read_out(raw * WHITE / level, exposure, rng) * level / WHITE
        return process(raw, camera), process(np.clip(noisy, 0, 1), camera)


def random_exposure(sensor: Sensor, rng: np.random.Generator) -> Exposure:
    """A gain from the sensor's range, uniform in its logarithm, and the noise at this gain."""
    log_gain = rng.uniform(*np.log(sensor.gains))
    read = sensor.read.draw(log_gain, rng)
    row = sensor.row.draw(log_gain, rng)
    return Exposure(float(np.exp(log_gain)), read, row, float(rng.choice(sensor.shapes)) / 70)


def read_out(light: np.ndarray, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """(H, W) raw steps above black of a sensor which should have read ``light``, the same in shape.

    The mean is ``light``; not clipped.
    """
    photons = exposure.gain * rng.poisson(light / exposure.gain)
    read = exposure.read * tukey_lambda(rng.random(light.shape), exposure.shape)
    row = exposure.row * rng.standard_normal((len(light), 1))
    return photons + read + row + STEP * rng.uniform(-0.5, 0.5, light.shape)


def tukey_lambda(u: np.ndarray, shape: float) -> np.ndarray:
    """Quantiles of the Tukey lambda law, ``(u^shape - (1 - u)^shape) / shape``; logistic at 0."""
    return scipy.special.boxcox(u, shape) - scipy.special.boxcox1p(-u, shape)
