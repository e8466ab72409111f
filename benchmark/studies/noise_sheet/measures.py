"""What a noise does, measured: its law on flat patches, its residual on photographs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from benchmark.datasets import Dataset, Recorded
from benchmark.metrics.pixelwise import ssim
from benchmark.noise import Key, NoiseModel, to_uint8
from benchmark.pixels import central, psnr, without_border
from benchmark.settings import identity_of
from benchmark.signature import settings_of
from benchmark.studies.noise_sheet.sheet import CHART, PATCH, PATCHES, Measured, Picture, Sheet
from benchmark.studies.noise_sheet.spread import STEP, Sums, added, spread_of, spread_sums

MARGIN = 8  # pixels left out around a patch: a law need not hold at the border of an image
BIN = 8  # 8-bit steps of intensity which are measured together on photographs
FEWEST = 300  # values below which such a bin says nothing
PICTURES = 3  # images kept as crops, from all over the dataset
CROP = 128  # their side
SMALLEST = 16  # side of an image which can be measured: SSIM has a window of 11


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
        If there is no dataset, or an image cannot be read or is smaller than 16x16.
    """
    kind = type(subject)
    if isinstance(subject, Recorded):
        dataset = subject
    if dataset is None:
        raise ValueError(f"noise '{name}' is measured on images; pass a dataset")
    dataset.check(minimum=SMALLEST)
    border = 1 if dataset.border is None else dataset.border
    images = dataset.images()
    shown = [images[int((place + 0.5) / PICTURES * len(images))] for place in range(PICTURES)]
    levels, pictures = [], {}
    for level in subject.levels:
        pairs = _pairs(name, subject, dataset, level, seed)
        chart = _chart(name, subject, level, seed) if isinstance(subject, NoiseModel) else None
        levels.append(_level(level, _keep(pairs, level, shown, pictures), chart, border))
    return Sheet(
        name=name,
        kind=kind,
        unit=subject.unit,
        note=subject.note,
        settings=identity_of(kind, {key: getattr(subject, key) for key in settings_of(kind)}),
        dataset=dataset.name,
        images=images,
        border=border,
        seed=None if dataset.recorded else seed,
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
        target, noisy = sample.clean, cast(np.ndarray, sample.noisy)  # recorded noise brings one
        if isinstance(subject, NoiseModel):
            rng = Key(dataset.name, image, name, level, seed).rng()
            target, noisy = subject.pair(sample.clean, level, rng)
        yield _Pair(image, *map(to_uint8, (sample.clean, target, noisy)))


def _keep(
    pairs: Iterable[_Pair], level: float, images: list[str], pictures: dict[str, Picture]
) -> Iterator[_Pair]:
    """Pass pairs on, and put the middle of ``images`` into ``pictures``."""
    for pair in pairs:
        if pair.image in images:
            clean, target, noisy = (
                central(pixels, CROP) for pixels in (pair.clean, pair.target, pair.noisy)
            )
            picture = pictures.setdefault(pair.image, Picture(pair.image, clean, {}, {}))
            picture.target[level], picture.noisy[level] = target, noisy
        yield pair


def _chart(name: str, noise: NoiseModel, level: float, seed: int) -> _Chart | None:
    """Unclipped noise on flat patches, if the noise promises their variance."""
    with np.errstate(over="ignore"):
        promised = noise.variance(CHART, np.float64(level))  # whose square may be infinite
    if promised is None or not np.isfinite(promised).all():
        return None

    def residual(place: str, intensity: float) -> np.ndarray:
        flat = np.full((PATCH + 2 * MARGIN, PATCH + 2 * MARGIN, 3), intensity, np.float32)
        rng = Key("sheet", place, name, level, seed).rng()
        target, noisy = noise.sample_pair(flat, level, rng)
        return 255 * without_border(np.asarray(noisy, np.float64) - target, MARGIN)

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
        sums.append(part if chart else part | spread_sums(residual))
        psnrs.append(psnr(pair.target, pair.noisy, border))
        ssims.append(ssim(*(without_border(x, border) for x in (pair.target, pair.noisy))))
    total = added(sums)
    flat = added(map(spread_sums, chart.grey)) if chart else None
    spread = spread_of(flat, STEP) if flat else spread_of(total, 1)
    return Measured(
        level=level,
        psnr=np.array(psnrs),
        ssim=np.array(ssims),
        spread=spread,
        seen=_variances(total["seen"]),
        promised=chart.promised if chart else None,
        charted=chart.charted if chart else None,
    )


def _seen_sums(target: np.ndarray, residual: np.ndarray) -> Sums:
    """How many values each bin of intensity has, the sum of their residuals, and of the squares."""
    bins, values = target.ravel() // BIN, residual.ravel()
    sums = [np.bincount(bins, weights, 256 // BIN) for weights in (None, values, values**2)]
    return {"seen": np.array(sums)}


def _variances(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intensities and variances in [0, 1] of the bins with enough values."""
    count, first, second = sums[:, sums[0] >= FEWEST]
    centres = np.flatnonzero(sums[0] >= FEWEST) * BIN + (BIN - 1) / 2
    return centres / 255, (second / count - (first / count) ** 2) / 255**2
