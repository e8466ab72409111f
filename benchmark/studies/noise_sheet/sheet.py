"""What the data sheet of a noise shows: the numbers of each level, and pictures."""

from dataclasses import dataclass

import numpy as np

from benchmark.studies.noise_sheet.spread import Spread

PATCH = 256  # side of a flat patch, in pixels
PATCHES = 4  # mid-grey ones a level
CHART = np.linspace(0, 1, 17)  # the intensities of the chart, a patch each


@dataclass(frozen=True, eq=False)
class Measured:
    """One level of a noise. Variances are on the scale of [0, 1]."""

    level: float
    psnr: np.ndarray  # dB, one an image: clipped, 8 bits, without the border
    ssim: np.ndarray  # the same
    spread: Spread
    seen: tuple[np.ndarray, np.ndarray]  # intensities and variances on photographs
    promised: np.ndarray | None = None  # the law's variance at each intensity of CHART
    charted: np.ndarray | None = None  # what flat patches have

    @property
    def deviation(self) -> tuple[float, float]:
        """How far the charted variance lies from the promised one, and the standard error.

        A mean over the intensities, in percent; the error is told by how they differ. NaN without
        a law.
        """
        if self.promised is None or self.charted is None:
            return np.nan, np.nan
        noisy = self.promised > 0
        percent = 100 * (self.charted[noisy] / self.promised[noisy] - 1)
        if len(percent) < 2:
            return np.nan, np.nan
        return float(percent.mean()), float(percent.std(ddof=1) / np.sqrt(len(percent)))


@dataclass(frozen=True, eq=False)
class Picture:
    """The middle of an image, (H, W, 3) uint8: clean, and target and noisy by level."""

    image: str
    clean: np.ndarray
    target: dict[float, np.ndarray]
    noisy: dict[float, np.ndarray]

    @property
    def redeveloped(self) -> bool:
        """Whether the image to restore is another than the clean one."""
        return any((target != self.clean).any() for target in self.target.values())


@dataclass(frozen=True, eq=False)
class Sheet:
    """A noise, what it says of itself and what was measured, mild to hard."""

    name: str
    kind: type  # its class, whose docstring is shown
    unit: str
    note: str
    settings: dict[str, object]
    dataset: str
    images: list[str]
    border: int  # pixels left out of PSNR and SSIM at each side
    seed: int | None  # None for recorded noise
    levels: list[Measured]
    pictures: list[Picture]

    @property
    def lawful(self) -> bool:
        """Whether the noise promises a variance at each intensity."""
        return all(measured.promised is not None for measured in self.levels)

    @property
    def middle(self) -> Measured:
        """The level which is drawn where there is room for one."""
        return self.levels[len(self.levels) // 2]
