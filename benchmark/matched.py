"""Levels chosen by what they do: every noise as strong as every other, on one dataset."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from benchmark.dataset import Dataset
from benchmark.files import write_whole
from benchmark.noise import NoiseModel, stream, to_uint8

TARGETS = (28.0, 25.0, 22.0, 19.0)  # mean PSNR of the noisy images in dB, mildest first
BORDER = 1  # pixels left out on each side, as in the metric psnr
CLOSE = 0.25  # dB; a level which misses its target by more is no match
DIGITS = 4  # of a level
STEPS = 60  # doublings or halvings after which a target counts as out of reach

Severity = Callable[[float], float]  # a level to the mean PSNR of the noisy images, in dB


@dataclass(frozen=True)
class Match:
    """A level, and the mean PSNR in dB of the noisy images at it."""

    level: float
    psnr: float


def match_levels(
    noise: NoiseModel,
    noise_name: str,
    dataset: Dataset,
    dataset_name: str,
    facts: Mapping[str, object],
    path: Path,
) -> list[Match]:
    """The levels at which a noise gives a dataset's images the PSNRs of `TARGETS` on the mean.

    The random numbers are the same at every level, so that the PSNR falls smoothly, and are not
    those of a run: a noise which draws its strength anew for each image meets the target on the
    mean over seeds only. Targets which the noise cannot reach, or only with a level that is not
    whole where it has to be, have no level.

    Parameters
    ----------
    facts
        What the levels depend on: the settings of the noise and the dataset, with its hash.
    path
        The file which keeps them; another noise, data or targets in it are measured anew.
    """
    facts = json.loads(json.dumps({**facts, "targets": TARGETS}))
    if path.is_file():
        stored = json.loads(path.read_text())
        if stored["facts"] == facts:
            return [Match(**match) for match in stored["matches"]]
    matches = find_matches(noise, severity_of(noise, noise_name, dataset, dataset_name))
    record = {"facts": facts, "numpy": np.__version__, "matches": [asdict(m) for m in matches]}
    write_whole(path, json.dumps(record, indent=1) + "\n")
    return matches


def severity_of(
    noise: NoiseModel, noise_name: str, dataset: Dataset, dataset_name: str
) -> Severity:
    """The mean PSNR of a dataset's noisy images as a function of the level, each computed once.

    Clipped, rounded to 8 bits and without the border, as in a run.
    """
    images = dataset.images()

    @cache
    def severity(level: float) -> float:
        scores = []
        for image in images:
            key = stream("matched", dataset_name, image, noise_name)
            rng = np.random.Generator(np.random.PCG64(key))
            target, noisy = noise.pair(dataset.read(image).clean, level, rng)
            scores.append(_psnr(to_uint8(noisy), to_uint8(target)))
        return float(np.mean(scores))

    return severity


def find_matches(noise: NoiseModel, severity: Severity) -> list[Match]:
    """The levels for `TARGETS` by bisection, mildest first, without those out of reach.

    Parameters
    ----------
    severity
        Monotone in the level, over the noise's domain.
    """
    search = _whole if noise.whole_levels else _continuous
    falls = noise.levels[0] <= noise.levels[-1]  # whether a higher level is harder
    found = [search(noise, severity, target, falls) for target in TARGETS]
    matches = {level: severity(level) for level in found if level is not None}
    near = [
        Match(level, psnr)
        for level, psnr in matches.items()
        if min(abs(psnr - target) for target in TARGETS) <= CLOSE
    ]
    return near


def _continuous(noise: NoiseModel, severity: Severity, target: float, falls: bool) -> float | None:
    """Brent's method on the logarithm of the level, between two levels around the target."""
    low, high = noise.domain
    start = noise.levels[len(noise.levels) // 2]
    if start <= 0:
        return None
    harder = (severity(start) > target) == falls  # whether the level has to rise
    near = start
    for _ in range(STEPS):
        far = min(near * 2, high) if harder else max(near / 2, low)
        if far == near or far <= 0:
            return None
        if (severity(far) > target) != (severity(near) > target):
            break
        near = far
    else:
        return None
    root = brentq(
        lambda power: severity(math.exp(power)) - target,
        math.log(min(near, far)),
        math.log(max(near, far)),
        xtol=1e-3,
    )
    return min(max(float(f"{math.exp(root):.{DIGITS}g}"), low), high)


def _whole(noise: NoiseModel, severity: Severity, target: float, falls: bool) -> float | None:
    """The whole level whose PSNR is nearest to the target, by bisection."""
    low, high = (int(bound) for bound in noise.domain)
    while high - low > 1:
        middle = (low + high) // 2
        if (severity(middle) > target) == falls:
            low = middle
        else:
            high = middle
    return float(min((low, high), key=lambda level: abs(severity(level) - target)))


def _psnr(noisy: np.ndarray, clean: np.ndarray) -> float:
    """PSNR in dB of two (H, W, C) uint8 images, capped at 100."""
    inner = slice(BORDER, -BORDER)
    difference = noisy[inner, inner].astype(np.float32) - clean[inner, inner]
    error = float(np.square(difference).mean(dtype=np.float64))
    return min(100.0, 20 * math.log10(255) - 10 * math.log10(max(error, 1e-12)))
