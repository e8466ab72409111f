"""What a noise does, in numbers: its law on flat patches, its residual on photographs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import cast

import numpy as np

from benchmark.datasets import Dataset, Recorded
from benchmark.noise import Key, NoiseModel, to_uint8
from benchmark.pixels import central, psnr
from benchmark.settings import identity_of

PATCH = 256  # side of a flat patch, in pixels
PATCHES = 4  # mid-grey ones a level
MARGIN = 8  # pixels left out around a patch: a law need not hold at the border of an image
CHART = np.linspace(0, 1, 17)  # the intensities of the chart, a patch each
BIN = 8  # 8-bit steps of intensity which are measured together on photographs
FEWEST = 300  # values below which such a bin says nothing
REACH = 7  # pixels up to which the autocorrelation is measured
STEP = 0.25  # of a histogram's grid, in 8-bit steps
HIGHEST = 512  # the end of that grid
PICTURES = 3  # images kept as crops, from all over the dataset
CROP = 128  # their side
SMALLEST = 16  # side of an image which can be measured: SSIM has a window of 11


@dataclass(frozen=True, eq=False)
class Spread:
    """How one residual is distributed: mean, width, shape, and what goes with what.

    All in 8-bit steps, or without unit. NaN where the residual is constant.
    """

    bias: float  # the mean
    std: float
    skewness: float
    kurtosis: float  # excess: 0 for a normal law
    correlation: np.ndarray  # (15, 15), rows and columns of lags from -7 to 7
    channels: np.ndarray  # (3, 3) correlations of R, G and B
    histogram: tuple[np.ndarray, np.ndarray]  # centres of bins of one width, and densities

    @property
    def neighbours(self) -> tuple[float, float, float]:
        """Correlation with the next pixel in the row, in the column, and diagonally."""
        near = self.correlation[REACH + 1]
        diagonal = (near[REACH + 1] + near[REACH - 1]) / 2
        return float(self.correlation[REACH, REACH + 1]), float(near[REACH]), float(diagonal)

    @property
    def between_channels(self) -> float:
        """The mean correlation of two channels."""
        return float(self.channels[np.triu_indices(3, 1)].mean())


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


def measure(
    name: str, subject: NoiseModel | Recorded, dataset: Dataset | None = None, seed: int = 0
) -> Sheet:
    """Measure a noise at each of its levels.

    PSNR, SSIM, pictures and the variance seen at each intensity are those of the images, clipped
    and rounded to 8 bits, with the random numbers of ``bench run``. `Spread` is that of unclipped
    noise on flat mid-grey patches if the noise promises a ``variance``, else of the same images.

    Parameters
    ----------
    dataset
        The clean images; recorded noise brings its own.

    Raises
    ------
    ValueError
        If an image cannot be read, or is smaller than 16x16, or there is no dataset.
    """
    recorded = isinstance(subject, Recorded)
    source = subject if isinstance(subject, Recorded) else dataset
    if source is None:
        raise ValueError(f"noise '{name}' is measured on clean images; give a dataset of them")
    source.check(minimum=SMALLEST)
    border = 1 if source.border is None else source.border
    images = source.images()
    shown = [images[int((place + 0.5) / PICTURES * len(images))] for place in range(PICTURES)]
    levels, pictures = [], {}
    for level in subject.levels:
        pairs = _pairs(name, subject, source, level, seed)
        chart = None if recorded else _chart(name, subject, level, seed)
        levels.append(_level(level, _keep(pairs, level, shown, pictures), chart, border))
    return Sheet(
        name=name,
        kind=type(subject),
        unit=subject.unit,
        note=subject.note,
        settings=identity_of(
            type(subject),
            {setting.name: getattr(subject, setting.name) for setting in fields(subject)},
        ),
        dataset=source.name,
        images=images,
        border=border,
        seed=None if recorded else seed,
        levels=levels,
        pictures=list(pictures.values()),
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    image: str
    clean: np.ndarray  # (H, W, 3) uint8, as are the others
    target: np.ndarray
    noisy: np.ndarray


@dataclass(frozen=True, eq=False)
class _Chart:
    promised: np.ndarray
    charted: np.ndarray
    grey: list[np.ndarray]  # residuals of mid-grey patches, in 8-bit steps


def _pairs(
    name: str, subject: NoiseModel | Recorded, dataset: Dataset, level: float, seed: int
) -> Iterator[_Pair]:
    for image in dataset.images():
        sample = dataset.read(image, level)
        target, noisy = sample.clean, sample.noisy
        if isinstance(subject, NoiseModel):
            rng = Key(dataset.name, image, name, level, seed).rng()
            target, noisy = subject.pair(sample.clean, level, rng)
        assert noisy is not None, f"recorded noise '{name}' has no noisy version of {image}"
        yield _Pair(image, *map(to_uint8, (sample.clean, target, noisy)))


def _keep(
    pairs: Iterable[_Pair], level: float, images: list[str], pictures: dict[str, Picture]
) -> Iterator[_Pair]:
    """Pass pairs on, and put the middle of ``images`` into ``pictures``."""
    for pair in pairs:
        if pair.image in images:
            clean, target, noisy = (
                central(picture, CROP) for picture in (pair.clean, pair.target, pair.noisy)
            )
            kept = pictures.setdefault(pair.image, Picture(pair.image, clean, {}, {}))
            kept.target[level], kept.noisy[level] = target, noisy
        yield pair


def _chart(name: str, noise: NoiseModel, level: float, seed: int) -> _Chart | None:
    """Unclipped noise on flat patches, if the noise promises their variance."""
    promised = noise.variance(CHART, level)
    if promised is None:
        return None

    def residual(place: str, intensity: float) -> np.ndarray:
        flat = np.full((PATCH + 2 * MARGIN, PATCH + 2 * MARGIN, 3), intensity, np.float32)
        rng = Key("sheet", place, name, level, seed).rng()
        target, noisy = noise.sample_pair(flat, level, rng)
        inside = slice(MARGIN, -MARGIN)
        return 255 * (np.asarray(noisy, np.float64) - target)[inside, inside]

    charted = [residual(f"chart {intensity:g}", intensity).var() for intensity in CHART]
    # a fraction of 1/256 apart: photons and the like are then not all counted on one grid
    greys = 0.5 + (np.arange(PATCHES) / PATCHES - 0.375) / 256
    grey = [residual(f"grey {number}", value) for number, value in enumerate(greys)]
    return _Chart(np.asarray(promised), np.array(charted) / 255**2, grey)


def _level(level: float, pairs: Iterable[_Pair], chart: _Chart | None, border: int) -> Measured:
    sums, psnrs, ssims = [], [], []
    for pair in pairs:
        residual = pair.noisy.astype(float) - pair.target
        part = _seen_sums(pair.target, residual)
        sums.append(part if chart else part | _spread_sums(residual))
        height, width = residual.shape[:2]
        inside = slice(border, height - border), slice(border, width - border)
        seen = pair.target[inside], pair.noisy[inside]
        psnrs.append(psnr(*seen))
        ssims.append(_ssim(*seen))
    total = _added(sums)
    spread = _spread(_added(map(_spread_sums, chart.grey)), STEP) if chart else _spread(total, 1)
    return Measured(
        level=level,
        psnr=np.array(psnrs),
        ssim=np.array(ssims),
        spread=spread,
        seen=_variances(total["seen"]),
        promised=chart.promised if chart else None,
        charted=chart.charted if chart else None,
    )


def _ssim(target: np.ndarray, noisy: np.ndarray) -> float:
    """SSIM with the window of Wang et al. 2004."""
    from skimage.metrics import structural_similarity

    similarity = structural_similarity(
        target,
        noisy,
        data_range=255,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return cast(float, similarity)  # it returns more only where it is asked to


def _seen_sums(target: np.ndarray, residual: np.ndarray) -> dict[str, np.ndarray]:
    """How many values each bin of intensity has, the sum of their residuals, and of the squares."""
    bins, values = target.ravel() // BIN, residual.ravel()
    sums = [np.bincount(bins, weights, 256 // BIN) for weights in (None, values, values**2)]
    return {"seen": np.array(sums)}


def _variances(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intensities and variances in [0, 1] of the bins with enough values."""
    count, first, second = sums[:, sums[0] >= FEWEST]
    centres = np.flatnonzero(sums[0] >= FEWEST) * BIN + (BIN - 1) / 2
    return centres / 255, (second / count - (first / count) ** 2) / 255**2


def _spread_sums(residual: np.ndarray) -> dict[str, np.ndarray]:
    """The sums over an (H, W, 3) residual, in 8-bit steps, which make a `Spread`."""
    height, width = residual.shape[:2]
    values, pixels = residual.ravel(), residual.reshape(-1, 3)
    square = values**2
    powers = [values.size, values.sum(), square.sum(), square @ values, square @ square]
    inside = np.clip(values, -HIGHEST, HIGHEST - STEP)
    bins = ((inside + HIGHEST) / STEP + 0.5).astype(int)
    centred = residual - residual.mean(axis=(0, 1))
    shape = (height + REACH, width + REACH)  # room for every lag: nothing comes round the edge
    spectrum = np.fft.rfft2(centred, shape, axes=(0, 1))
    products = np.fft.irfft2(np.abs(spectrum) ** 2, shape, axes=(0, 1)).sum(axis=2)
    lags = np.arange(-REACH, REACH + 1)
    return {
        "powers": np.array(powers),
        "histogram": np.bincount(bins, minlength=int(2 * HIGHEST / STEP)),
        "products": products[np.ix_(lags, lags)],
        "overlaps": np.outer(height - np.abs(lags), width - np.abs(lags)) * 3.0,
        "channel": pixels.sum(axis=0),
        "channels": pixels.T @ pixels,
    }


def _added(parts: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    total: dict[str, np.ndarray] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total[key] + value if key in total else value
    return total


def _spread(sums: dict[str, np.ndarray], finest: float) -> Spread:
    """The statistics of pooled sums; ``finest`` is the step of the values, in 8-bit steps."""
    count = sums["powers"][0]
    mean, second, third, fourth = sums["powers"][1:] / count
    variance = max(second - mean**2, 0)
    cubed = third - 3 * mean * second + 2 * mean**3
    fourthly = fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4
    pixels = count / 3
    average = sums["channel"] / pixels
    covariance = sums["channels"] / pixels - np.outer(average, average)
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant residual has no shape
        products = sums["products"] / sums["overlaps"]
        deviations = np.sqrt(np.diag(covariance))
        return Spread(
            bias=float(mean),
            std=float(np.sqrt(variance)),
            skewness=float(np.divide(cubed, variance**1.5)),
            kurtosis=float(np.divide(fourthly, variance**2) - 3),
            correlation=products / products[REACH, REACH],
            channels=covariance / np.outer(deviations, deviations),
            histogram=_histogram(sums["histogram"], np.sqrt(second), finest),
        )


def _histogram(counts: np.ndarray, size: float, finest: float) -> tuple[np.ndarray, np.ndarray]:
    """Densities in bins around 0, wide enough to be smooth and narrow enough to show the shape.

    They reach to 4 times ``size``, the root mean square, or to where 99.9 % of the values are.
    """
    width = finest * (2 * round(size / 12 / finest) + 1)  # odd, so that steps fall inside of bins
    group = round(width / STEP)
    values = np.abs(np.arange(len(counts)) * STEP - HIGHEST)
    order = np.argsort(values, kind="stable")
    reached = np.searchsorted(np.cumsum(counts[order]), 0.999 * counts.sum())
    reach = max(4 * size, 1.05 * values[order][reached] + width, 3 * width)
    side = int(min(reach, HIGHEST - 2 * width) / width)
    first = len(counts) // 2 - side * group - group // 2
    binned = counts[first : first + (2 * side + 1) * group].reshape(-1, group).sum(axis=1)
    return np.arange(-side, side + 1) * width, binned / (counts.sum() * width)
