"""What the draws of one cell say: means, gains over one pass, spread over runs, cost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.cells.records import Record
from benchmark.studies.passes.draws import SCORES

ONE_PASS, NOISY = "one pass", "noisy input"


@dataclass(frozen=True, eq=False)
class Summary:
    """The statistics of a cell.

    Parameters
    ----------
    record
        The cell, as `benchmark.studies.passes.measure` gives it.
    table
        One line per way of inference: the noisy input, K = 1 and so on, and each variant. Its
        columns: inference, passes (K, 0 for the noisy input), runs, images; psnr (dB) and ssim,
        means over runs and images; gain, of psnr over one pass, and gain_low and gain_high, the
        least and the most of an image; spread, the standard deviation over runs of the mean PSNR
        of all images, and image_spread, the same of one image, as root mean square; seconds per
        image, and relative, to one pass. A spread is NaN where there is one run.
    share
        The part of one pass's squared error, in [0, 1), that changes with its seed: a mean of K
        leaves the K-th part of it. A mean over images, as ``limit`` is.
    limit
        The gain (dB) without that part, which no number of passes exceeds.
    """

    record: Record
    table: pd.DataFrame
    share: float
    limit: float

    @property
    def condition(self) -> str:
        """The cell's noise and level."""
        cell = self.record["cell"]
        return f"{cell['noise']} {cell['level']:g}"

    def line(self, inference: str) -> pd.Series:
        """The line of one way of inference, `ONE_PASS` or `NOISY`."""
        return self.table[self.table["inference"] == inference].iloc[0]

    @property
    def variants(self) -> pd.DataFrame:
        """The lines of the variants."""
        return self.table[1 + len(self.record["images"][0]["means"]) :]

    @property
    def largest_mean(self) -> pd.Series:
        """The line of the mean of most passes."""
        return self.table.loc[self.table["passes"].idxmax()]


def summarize(record: Record) -> Summary:
    """The statistics of the images of a cell's record; variants are those which all images have."""
    images = record["images"]
    once = np.array([row["means"]["1"]["psnr"] for row in images]).mean(axis=1)
    seconds = float(np.mean([row["seconds"] for row in images]))
    noisy = [np.array([[row["noisy"][name]] for row in images]) for name in SCORES]
    lines = [_line(NOISY, 0, *noisy, once, 0.0, seconds)]
    for count in images[0]["means"]:
        scores = [np.array([row["means"][count][name] for row in images]) for name in SCORES]
        way = ONE_PASS if count == "1" else f"mean of {count}"
        lines.append(_line(way, int(count), *scores, once, int(count) * seconds, seconds))
    for variant in images[0]["variants"]:
        if all(variant in row["variants"] for row in images):
            rows = [row["variants"][variant] for row in images]
            scores = [np.array([[row[name]] for row in rows]) for name in SCORES]
            alone = float(np.mean([row["seconds"] for row in rows]))
            lines.append(_line(variant, 1, *scores, once, alone, seconds))
    shares = np.array([_share(row["means"]) for row in images])
    limit = np.mean(_decibels(1 - shares))
    return Summary(record, pd.DataFrame(lines), float(shares.mean()), float(limit))


def _share(means: Mapping[str, Mapping[str, list[float]]]) -> float:
    """The part of one pass' squared error which a mean of K divides by K, from 0 to below 1."""
    errors = {
        int(count): np.mean(10 ** (-np.array(scores["psnr"]) / 10))
        for count, scores in means.items()
    }
    most = max(errors)
    share = (1 - errors[most] / errors[1]) / (1 - 1 / most)
    return float(np.clip(share, 0, 1 - 1e-9))  # few runs can leave more than there is, or less


def _decibels(error: np.ndarray) -> np.ndarray:
    """By how many dB the PSNR grows where so much of the squared error is left."""
    return -10 * np.log10(error)


def _line(
    way: str,
    count: int,
    psnr: np.ndarray,
    ssim: np.ndarray,
    once: np.ndarray,
    seconds: float,
    seconds_once: float,
) -> dict[str, object]:
    """One line of a summary; scores are (images, runs), ``once`` the PSNR of one pass."""
    images, runs = psnr.shape
    gains = psnr.mean(axis=1) - once
    several = runs > 1
    return {
        "inference": way,
        "passes": count,
        "runs": runs,
        "images": images,
        "psnr": float(psnr.mean()),
        "ssim": float(ssim.mean()),
        "gain": float(gains.mean()),
        "gain_low": float(gains.min()),
        "gain_high": float(gains.max()),
        "spread": float(psnr.mean(axis=0).std(ddof=1)) if several else np.nan,
        "image_spread": float(np.sqrt(psnr.var(axis=1, ddof=1).mean())) if several else np.nan,
        "seconds": seconds,
        "relative": seconds / seconds_once,
    }
