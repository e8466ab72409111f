"""Scores of four models whose means are worked out by hand."""

import numpy as np
import pandas as pd

from benchmark.cells.scores import Scale, Scores
from benchmark.reporting.board import Board

CELLS = [("gaussian", 15.0), ("gaussian", 25.0), ("gaussian", 50.0), ("spots", 0.1), ("spots", 0.2)]
# PSNR of each cell; images lie up to 1 dB below and above it
PSNR = {
    "identity": [25, 20, 15, 22, 20],
    "bm3d": [31, 28, 24, 25, 23],
    "baseline": [34, 26, 20, 24, 20],
    "masked": [32, 27, 23, 28, 26],
}
SCALES = {
    "psnr": Scale("psnr", True, "dB", 2),
    "ssim": Scale("ssim", True),
    "lpips": Scale("lpips", False),
}


def labelled(rows: pd.DataFrame, **labels: object) -> Scores:
    """The rows with what cells say of them."""
    given = {
        "units": {"gaussian": "sigma, in 8-bit steps", "spots": "share of the pixels"},
        "notes": {"gaussian": "", "spots": "an estimate of something"},
        "partners": {"masked": "baseline"},
    }
    return Scores(rows, SCALES, **{**given, **labels})


def leaderboard(table: Scores | pd.DataFrame, metric: str | None = None) -> pd.DataFrame:
    return Board.of(table).leaderboard(metric)


def toy(psnr: dict[str, list[float]], dataset: str = "toy", seeds: int = 1) -> pd.DataFrame:
    lines = [
        {"model": model, "dataset": dataset, "noise": noise, "level": level, "seed": seed}
        | {"image": f"0{place}", "psnr": mean + shift, "ssim": (mean + shift) / 50}
        | {"lpips": 1 - (mean + shift) / 50, "seconds": 0.5}
        for model, means in psnr.items()
        for (noise, level), mean in zip(CELLS, means, strict=True)
        for seed in range(seeds)
        for place, shift in enumerate(np.linspace(-1, 1, 9))
    ]
    return pd.DataFrame(lines)


def line_of(text: str, model: str) -> list[str]:
    """The cells of a model's first line in a Markdown text."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {model} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def many_noises(table: pd.DataFrame) -> Scores:
    """The table with eight more noises, each as ``spots`` and with a caveat."""
    spots = table[table["noise"] == "spots"]
    more = [spots.assign(noise=f"spots{n}") for n in range(8)]
    notes = {f"spots{n}": f"guess number {n}" for n in range(8)}
    frame = pd.concat([table, *more], ignore_index=True)
    return labelled(frame, notes={"spots": "an estimate of something", **notes})


def with_trainings(table: pd.DataFrame) -> pd.DataFrame:
    """The table with three trainings of masked, 1 dB apart, and ``masked`` itself not in it."""
    masked = table["model"] == "masked"
    trainings = []
    for number, shift in enumerate([-1, 0, 1], start=1):
        one = table[masked].assign(model=f"masked@{number}")
        one["psnr"] += shift
        trainings.append(one)
    return pd.concat([table[~masked], *trainings], ignore_index=True)
