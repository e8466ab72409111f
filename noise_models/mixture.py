"""Four noises one after the other: our estimate of a test which was never published."""

from dataclasses import dataclass

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel, to_uint8
from noise_models.gaussian import Gaussian
from noise_models.impulse import SaltAndPepper
from noise_models.poisson import Poisson
from noise_models.speckle import Speckle

ESTIMATED_AT = 3  # the level whose parameters were estimated
CHAIN = (
    (Gaussian(), 18.5),
    (Poisson(), 1.5),
    (SaltAndPepper(), 0.003),
    (Speckle(), 0.0056),
)
HARDEST = 1000  # here every value is salt or pepper


@NOISE_MODELS.register("mixture")
@dataclass(frozen=True)
class Mixture(NoiseModel):
    """Gaussian, Poisson, salt and pepper, then speckle: OUR ESTIMATE, not the paper's mixture.

    Masked training [1]_ was tested on a "mixture of the above noises" whose stages and levels were
    never published. Level 3 is what we estimate from statistics of the one public example, a noisy
    CBSD68 image in the demo of the later IDF [2]_, which names neither: Gaussian 18.5, Poisson 1.5,
    salt and pepper 0.003, uniform speckle 0.0056. How its variance grows with the intensity gives
    the first two (+-1 and +-0.2; their order cannot be told); black values which are exactly 0,
    beside white ones spread from 222 to 255, give the third and its place before the speckle; the
    hard edge at 222 gives the last.

    The other levels are a guess: all four parameters grow in proportion to the level. Each stage is
    clipped and rounded to 8 bits and draws its numbers after the one before. Numbers measured with
    it may be compared with each other, not with published ones.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       section 4.
    .. [2] Kim et al., "IDF: Iterative Dynamic Filtering Networks for Generalizable Image
       Denoising", ICCV 2025; code: github.com/dongjinkim9/IDF.
    """

    cites = ("chen2023masked", "kim2025idf")
    family = "mixture"
    unit = "step of the ladder, to which all four strengths are proportional"
    note = "our estimate: the paper never published its mixture"
    suites = ("paper",)
    domain = (0, HARDEST)  # 0 itself is no level of the ladder
    levels: tuple[float, ...] = (1, 2, 3, 4)

    def check_level(self, level: float) -> None:
        """Raise ``ValueError`` for a level which is not above 0, or beyond 1000."""
        if not 0 < level <= HARDEST:
            raise ValueError(
                f"{self.name} needs a level above 0 and at most {HARDEST}, got {level}"
            )

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        noisy = clean
        for stage, estimate in CHAIN:
            rounded = to_uint8(stage(noisy, estimate * level / ESTIMATED_AT, rng))
            noisy = rounded.astype(np.float32) / np.float32(255)
        return noisy
