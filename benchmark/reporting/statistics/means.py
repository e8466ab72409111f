"""Means over images, seeds, levels and noises: each step unweighted, nothing pooled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from benchmark.reporting.statistics.trainings import trainings_of


@dataclass(frozen=True, eq=False)
class Measured:
    """Models scored on the same images under the same noises, each as one or several trainings.

    Parameters
    ----------
    scores
        By model, (trainings, images, cells) float64; NaN where an image is not in a cell, at the
        same places for all models.
    cells
        The (noise, level, seed) of each.
    """

    scores: Mapping[str, np.ndarray]
    cells: pd.Index

    @classmethod
    def of(cls, rows: pd.DataFrame, metric: str) -> Measured:
        """The scores of shared rows of one dataset; ``masked@1``, ``masked@2`` are one model."""
        matrices = score_matrices(rows, metric)
        models = {
            name: np.stack([matrices[member].to_numpy(float) for member in members])
            for name, members in trainings_of(rows, metric).items()
        }
        cells = next((matrix.columns for matrix in matrices.values()), pd.Index([]))
        return cls(models, cells)

    def of_noise(self, noise: str) -> Measured:
        """The same under one noise alone."""
        chosen = self.cells.get_level_values("noise") == noise
        return Measured(
            {m: values[..., chosen] for m, values in self.scores.items()}, self.cells[chosen]
        )

    @property
    def names(self) -> list[str]:
        """The models."""
        return list(self.scores)

    @cached_property
    def weights(self) -> np.ndarray:
        """What each cell counts, (cells,)."""
        return cell_weights(self.cells)

    @cached_property
    def pooled(self) -> np.ndarray:
        """Means over trainings, (models, images, cells)."""
        return np.stack([values.mean(axis=0) for values in self.scores.values()])

    @cached_property
    def means(self) -> np.ndarray:
        """The mean of each model over everything, (models,)."""
        return np.nanmean(self.pooled, axis=1) @ self.weights

    @cached_property
    def of_images(self) -> np.ndarray:
        """The mean of each image which has all cells, (models, images)."""
        scores = self.pooled @ self.weights
        return scores[:, ~np.isnan(scores).any(axis=0)]

    @cached_property
    def of_trainings(self) -> list[np.ndarray]:
        """By model the mean of each of its trainings, (trainings,)."""
        return [np.nanmean(values, axis=1) @ self.weights for values in self.scores.values()]

    @cached_property
    def counts(self) -> np.ndarray:
        """How many trainings each model has, (models,)."""
        return np.array([len(values) for values in self.scores.values()])

    @cached_property
    def training_variance(self) -> np.ndarray:
        """The variance of each model's mean by its trainings, (models,); 0 where there is one."""
        variances = [of.var(ddof=1) / len(of) if len(of) > 1 else 0.0 for of in self.of_trainings]
        return np.array(variances)


def group_means(rows: pd.DataFrame, by: list[str], columns: list[str]) -> pd.DataFrame:
    """Unweighted means of columns, a line per group; NaN where a value is (pandas skips those)."""
    groups = rows.groupby(by)
    keys, places = list(groups.groups), groups.indices
    means = {
        name: [values[places[key]].mean() for key in keys]
        for name, values in ((name, rows[name].to_numpy(float)) for name in columns)
    }
    return pd.DataFrame(keys, columns=by).assign(**means)


def score_matrices(rows: pd.DataFrame, metric: str) -> dict[str, pd.DataFrame]:
    """By model, on one dataset: a line per image, a column per (noise, level, seed)."""
    keys = ["noise", "level", "seed"]
    wide = rows.pivot(index=["model", "image"], columns=keys, values=metric)
    return {model: wide.loc[model] for model in wide.index.unique("model")}


def noise_means(scores: pd.DataFrame) -> pd.Series:
    """The score of each noise in one of `score_matrices`: its levels count equally.

    Each step is an unweighted mean: over images, over seeds, over levels. Nothing is pooled.
    """
    if not scores.size:
        return pd.Series(dtype=float)
    levels = scores.mean().groupby(level=["noise", "level"]).mean()
    return levels.groupby(level="noise").mean()


def cell_weights(cells: pd.Index) -> np.ndarray:
    """What each (noise, level, seed) counts: noises equally, in a noise its levels, then seeds."""
    seeds = Counter((noise, level) for noise, level, _ in cells)
    levels = Counter(noise for noise, _ in seeds)
    shares = [len(levels) * levels[noise] * seeds[noise, level] for noise, level, _ in cells]
    return 1 / np.array(shares, float)
