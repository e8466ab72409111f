"""What the author of masked training says of stochastic inference, held against what is measured.

Said of the released network, on images and noise not named:
https://github.com/haoyuc/MaskedDenoising/issues/1
"""

from dataclasses import dataclass

import numpy as np

from benchmark.studies.passes.statistics import Summary

SOURCE = "https://github.com/haoyuc/MaskedDenoising/issues/1"
RUNS = 50
SPREAD = 0.00971  # dB, standard deviation of the PSNR of those runs
GAIN = 0.3  # dB, "about", by the mean of several outputs
ABOUT = 0.05  # dB: what rounds to the claimed gain is about as much

TAILS = (0.975, 0.025)  # of a 95 % interval


@dataclass(frozen=True)
class Verdict:
    """What is said of a claim: a word, the number behind it, and both as a sentence."""

    word: str
    number: str
    sentence: str


def stability(summary: Summary) -> Verdict:
    """Whether single runs differ no more than the author's do.

    The claim holds where the whole interval of the measured spread, of a normal law and 95 %, is
    not above the claimed one, fails where all of it is, and stays open where a part of it is.
    """
    line = summary.means[0]
    low, high = _interval(line.spread, line.runs)
    if high <= SPREAD:
        word = "holds"
    elif low <= SPREAD:
        word = "stays open"
    else:
        word = "does not hold"
    number = f"{line.spread:.5f} dB"
    sentence = (
        f"The claim of stability {word} here: the PSNR of {line.runs} runs of one pass has a "
        f"standard deviation of {number} (95 % interval {low:.5f} to {high:.5f}), claimed are "
        f"{SPREAD} dB; a single image's has {line.image_spread:.5f} dB."
    )
    return Verdict(word, number, sentence)


def gain(summary: Summary) -> Verdict:
    """Whether the largest mean gains about as much as the author says."""
    line = summary.means[-1]
    if line.gain < GAIN - ABOUT:
        word = "does not hold"
    elif line.gain < GAIN + ABOUT:
        word = "holds"
    else:
        word = "is exceeded"
    number = f"{line.gain:+.3f} dB by the {line.inference}"
    sentence = (
        f"The claim of a gain {word} here: {number} ({line.gain_low:+.3f} to "
        f"{line.gain_high:+.3f} dB in single images), claimed are about {GAIN} dB; "
        f"{100 * summary.share:.2f} % of the squared error of one pass change with its "
        f"seed, so that no number of passes gains more than about {summary.limit:+.3f} dB."
    )
    return Verdict(word, number, sentence)


def _interval(spread: float, runs: int) -> tuple[float, float]:
    """Where the standard deviation of a normal law lies which was measured in so many runs."""
    from scipy.stats import chi2  # a second that other commands do not need

    low, high = (spread * np.sqrt((runs - 1) / chi2.ppf(tail, runs - 1)) for tail in TAILS)
    return float(low), float(high)
