"""What the draws of one cell say: means, gains over one pass, spread over runs, cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.cells.records import Record

ONE_PASS, NOISY = "one pass", "noisy input"


@dataclass(frozen=True)
class Line:
    """One way of inference: the noisy input, one pass, a mean of several, or a variant.

    Parameters
    ----------
    inference
        Its name.
    passes
        How many passes are averaged; 0 for the noisy input.
    runs, images
        How many of them there are.
    psnr, ssim
        Means over runs and images, in dB and in [-1, 1].
    gain, gain_low, gain_high
        Of the PSNR (dB) over one pass: the mean over images, the least and the most of an image.
    spread, image_spread
        Standard deviation over runs (dB) of the mean PSNR of all images, and of one image's, as
        root mean square; NaN where there is one run.
    seconds, relative
        Per image, and as a multiple of one pass.
    """

    inference: str
    passes: int
    runs: int
    images: int
    psnr: float
    ssim: float
    gain: float
    gain_low: float
    gain_high: float
    spread: float
    image_spread: float
    seconds: float
    relative: float


@dataclass(frozen=True, eq=False)
class Summary:
    """The statistics of a cell.

    Parameters
    ----------
    record
        The cell, as `benchmark.studies.passes.measure` gives it.
    noisy
        The noisy input.
    means
        One pass and the means of several, in rising order.
    variants
        Other ways to test the same weights, which all images have.
    share
        The part of one pass's squared error, in [0, 1), that changes with its seed: a mean of K
        leaves the K-th part of it. A mean over images, as ``limit`` is.
    limit
        The gain (dB) without that part, which no number of passes exceeds.
    """

    record: Record
    noisy: Line
    means: Sequence[Line]
    variants: Sequence[Line]
    share: float
    limit: float

    @property
    def lines(self) -> list[Line]:
        """Every way of inference."""
        return [self.noisy, *self.means, *self.variants]

    @property
    def condition(self) -> str:
        """The cell's noise and level."""
        cell = self.record["cell"]
        return f"{cell['noise']} {cell['level']:g}"


def summarize(record: Record) -> Summary:
    """The statistics of the images of a cell's record."""
    images = record["images"]
    once = np.array([row["means"]["1"]["psnr"] for row in images]).mean(axis=1)
    seconds = float(np.mean([row["seconds"] for row in images]))

    def line(way: str, count: int, scores: Sequence[Mapping[str, object]], cost: float) -> Line:
        psnr, ssim = (np.array([image[name] for image in scores]) for name in ("psnr", "ssim"))
        return _line(way, count, psnr.reshape(len(images), -1), ssim, once, cost, cost / seconds)

    means = []
    for count in images[0]["means"]:
        way = ONE_PASS if count == "1" else f"mean of {count}"
        scores = [row["means"][count] for row in images]
        means.append(line(way, int(count), scores, int(count) * seconds))
    variants = []
    for name in images[0]["variants"]:
        if all(name in row["variants"] for row in images):
            scores = [row["variants"][name] for row in images]
            variants.append(line(name, 1, scores, float(np.mean([s["seconds"] for s in scores]))))
    shares = np.array([_share(row["means"]) for row in images])
    return Summary(
        record,
        line(NOISY, 0, [row["noisy"] for row in images], 0.0),
        means,
        variants,
        share=float(shares.mean()),
        limit=float(np.mean(-10 * np.log10(1 - shares))),
    )


def _share(means: Mapping[str, Mapping[str, list[float]]]) -> float:
    """The part of one pass's squared error which a mean of K divides by K, from 0 to below 1."""
    errors = {
        int(count): np.mean(10 ** (-np.array(scores["psnr"]) / 10))
        for count, scores in means.items()
    }
    most = max(errors)
    share = (1 - errors[most] / errors[1]) / (1 - 1 / most)
    return float(np.clip(share, 0, 1 - 1e-9))  # few runs can leave more than there is, or less


def _line(
    way: str,
    count: int,
    psnr: np.ndarray,
    ssim: np.ndarray,
    once: np.ndarray,
    seconds: float,
    relative: float,
) -> Line:
    """One way of inference; ``psnr`` is (images, runs), ``once`` that of one pass, by image."""
    images, runs = psnr.shape
    gains = psnr.mean(axis=1) - once
    several = runs > 1
    return Line(
        inference=way,
        passes=count,
        runs=runs,
        images=images,
        psnr=float(psnr.mean()),
        ssim=float(ssim.mean()),
        gain=float(gains.mean()),
        gain_low=float(gains.min()),
        gain_high=float(gains.max()),
        spread=float(psnr.mean(axis=0).std(ddof=1)) if several else math.nan,
        image_spread=float(np.sqrt(psnr.var(axis=1, ddof=1).mean())) if several else math.nan,
        seconds=seconds,
        relative=relative,
    )
