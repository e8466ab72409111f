"""Levels chosen by what they do: every noise as strong as every other, on one dataset."""

import json
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.cells.provenance import code_of
from benchmark.datasets import Dataset
from benchmark.files.whole import write_whole
from benchmark.metrics.pixelwise import PSNR, in_colour
from benchmark.noise import Key, NoiseModel, stream
from benchmark.noise.formula import key_name
from benchmark.protocol import MASKED, Protocol
from benchmark.scoring.evaluate import as_tensor, compared, made_noisy, rng_of, with_border
from benchmark.settings import plain

TARGETS = (28.0, 25.0, 22.0, 19.0)  # mean PSNR of the noisy images in dB, mildest first
CLOSE = 0.5  # dB; a level which misses its target by more is no match
EXACT = 0.05  # dB; near enough to look no further
DIGITS = 4  # of a level
TRIES = 24  # of levels beside the expected one, for noises whose strength is drawn
MOST_TRIES = 96  # where none of those is a match
DRAWS = 24  # noisy images, at least, behind each expected PSNR
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
    seeds: Sequence[int],
    facts: Mapping[str, object],
    path: Path,
    protocol: Protocol = MASKED,
) -> list[Match]:
    """The levels at which a noise gives a dataset's images the PSNRs of `TARGETS` on the mean.

    The expected PSNR at a level comes from random numbers which are the same at every level, so
    that it falls smoothly; its root is the level. A noise which draws its strength for each image,
    as `isp` does, has another PSNR with the numbers of a run: then the levels next to the root,
    0.1 % apart, are tried with those numbers, and the one nearest to the target is taken. Published
    scripts draw the same numbers at every level, so that those of the run are the expected ones.
    Targets out of reach, also those between two whole levels where levels are whole, have no level.

    Parameters
    ----------
    seeds
        Those of the run.
    facts
        What the levels depend on: the settings of the noise and the dataset, with its hash.
    path
        The file which keeps them. What it says of another noise, data, code or targets is measured
        anew, and so it is where it is damaged, with a warning.
    protocol
        That of the run.
    """
    depends = plain({**facts, "seeds": list(seeds), "targets": TARGETS})
    if protocol != MASKED:
        depends |= {"protocol": plain(protocol.facts)}
    code = [
        code_of(cls)["source"] for cls in (type(noise), *getattr(noise, "made_of", {}).values())
    ]
    stored = _stored(path)
    if stored and stored["facts"] == depends and stored.get("code", code) == code:
        return [Match(**match) for match in stored["matches"]]
    images = dataset.images()
    draws = 1 if noise.deterministic else -(-DRAWS // len(images))

    def expected_rng(image: str, level: float, draw: int) -> np.random.Generator:
        key = stream("matched", dataset_name, image, key_name(noise_name), draw)
        return np.random.Generator(np.random.PCG64(key))

    def run_rng(image: str, level: float, seed: int) -> np.random.Generator:
        return rng_of(Key(dataset_name, image, noise_name, level, seed), protocol)

    realised = expected = severity_of(noise, dataset, run_rng, seeds, protocol)
    if protocol.draw == "key":
        expected = severity_of(noise, dataset, expected_rng, range(draws), protocol)
    matches = find_matches(noise, expected, realised)
    found = {"code": code, "matches": [asdict(match) for match in matches]}
    record = {"facts": depends, "numpy": np.__version__, **found}
    write_whole(path, json.dumps(record, indent=1) + "\n")
    return matches


def _stored(path: Path) -> dict[str, Any] | None:
    """What a file keeps; None where there is none, or it keeps no matches."""
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_bytes())
        pairs = [(match["level"], match["psnr"]) for match in stored["matches"] if len(match) == 2]
        whole = len(pairs) == len(stored["matches"]) and "facts" in stored
        if whole and all(math.isfinite(value) for pair in pairs for value in pair):
            return stored
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        pass
    warnings.warn(f"{path} keeps no levels and is made again", stacklevel=3)
    return None


def severity_of(
    noise: NoiseModel,
    dataset: Dataset,
    rng_of: Callable[[str, float, int], np.random.Generator],
    draws: Iterable[int],
    protocol: Protocol = MASKED,
) -> Severity:
    """The mean PSNR of a dataset's noisy images as a function of the level, each computed once.

    It is what a run says of the noisy images themselves.

    Parameters
    ----------
    rng_of
        The generator of an image, a level and a draw.
    protocol
        As in `match_levels`.
    """
    images, draws = dataset.images(), list(draws)
    metric = with_border(PSNR(), dataset.border, protocol)

    @cache
    def severity(level: float) -> float:
        scores = []
        for image in images:
            clean = dataset.read(image, protocol=protocol).clean
            for draw in draws:
                made = made_noisy(noise, clean, level, rng_of(image, level, draw), protocol)
                target, noisy = map(as_tensor, made)
                pair = as_tensor(compared(noisy, protocol)), target
                scores.append(metric(*(in_colour(one, protocol.colour) for one in pair)))
        return float(np.mean(scores))

    return severity


def find_matches(noise: NoiseModel, expected: Severity, realised: Severity) -> list[Match]:
    """The levels for `TARGETS`, mildest first, without those out of reach.

    Parameters
    ----------
    expected
        Monotone in the level, over the noise's domain.
    realised
        With the random numbers of the run; its values are those of the matches.
    """
    search = _whole if noise.whole_levels else _continuous
    falls = noise.levels[0] <= noise.levels[-1]  # whether a higher level is harder
    matches = []
    for target in TARGETS:
        level = search(noise, expected, target, falls)
        if level is None:
            continue
        best = _nearest(noise, level, realised, target)
        if abs(best.psnr - target) <= CLOSE:
            matches.append(best)
    return matches


def _nearest(noise: NoiseModel, level: float, realised: Severity, target: float) -> Match:
    """The level next to the expected one whose PSNR in the run is nearest to the target."""
    best = Match(level, realised(level))
    for step in range(1, 1 if noise.whole_levels else MOST_TRIES + 1):
        if abs(best.psnr - target) <= (EXACT if step <= TRIES else CLOSE):
            break
        beside = level * (1 + 0.001 * (-step // 2 if step % 2 else step // 2))
        beside = _rounded(beside, noise.domain)
        best = min(best, Match(beside, realised(beside)), key=lambda m: abs(m.psnr - target))
    return best


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
    from scipy.optimize import root_scalar  # slow to load, and matching alone needs it

    found = root_scalar(
        lambda power: severity(math.exp(power)) - target,
        method="brentq",
        bracket=(math.log(min(near, far)), math.log(max(near, far))),
        xtol=1e-3,
    )
    return _rounded(math.exp(found.root), noise.domain)


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


def _rounded(level: float, domain: tuple[float, float]) -> float:
    low, high = domain
    return min(max(float(f"{level:.{DIGITS}g}"), low), high)
