"""The indices of generalization, a line per model; docs/generalization.md has every formula."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from benchmark.cells.scores import Scores
from benchmark.reporting.board import Board
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.statistics import Estimate, estimate, score_matrices
from benchmark.reporting.statistics.trainings import by_network

SEVERITIES = (19.5, 27.5)  # dB of the noisy input: all noises have them which reach 19 and 28 dB
ENOUGH = 0.5  # of the noises, which have to have these severities for an area
NOISY, CLASSIC = "identity", "bm3d"
UNKNOWN = Estimate(np.nan, np.nan, np.nan)
INTERVALS = {  # the indices with an interval over images, by their columns
    "ood_families": ("ood_families_low", "ood_families_high"),
    "gap": ("gap_low", "gap_high"),
    "gain_noisy": ("gain_noisy_low", "gain_noisy_high"),
    "gain_bm3d": ("gain_bm3d_low", "gain_bm3d_high"),
    "area": ("area_low", "area_high"),
}
COLUMNS = [
    "in_distribution",
    "ood",
    *(name for index in list(INTERVALS)[:2] for name in (index, *INTERVALS[index])),
    *("worst_family", "worst"),
    *(name for index in list(INTERVALS)[2:] for name in (index, *INTERVALS[index])),
    "oracle_share",
]

Condition = tuple[str, float]  # a noise and a level
Weights = Mapping[Condition, float]


@dataclass(frozen=True, eq=False)
class Generalization:
    """The indices of one ranking, from the lines which all its models have.

    Parameters
    ----------
    scores
        What is known of noises and models: families, suites, trainings.
    """

    scores: Scores
    ranking: Ranking

    @cached_property
    def table(self) -> pd.DataFrame:
        """A line per model, in the order of the ranking, of `COLUMNS` and ``ood_SUITE``.

        NaN stands where an index cannot be had: without the noisy input, BM3D, enough noises of
        the severities or an oracle, or without the training level.
        """
        lines = [{"model": model, **self._line(model)} for model in self.ranking.table.index]
        columns = [*COLUMNS, *(f"ood_{suite}" for suite in self.suites)]
        return pd.DataFrame(lines, columns=["model", *columns]).set_index("model")

    @cached_property
    def conditions(self) -> list[Condition]:
        """Every noise and level beyond training which all models have."""
        rows = self.ranking.shared[["noise", "level"]].drop_duplicates()
        found = zip(rows["noise"].astype(str), rows["level"].astype(float), strict=True)
        return sorted(set(found) - {self.ranking.in_distribution})

    @cached_property
    def families(self) -> dict[str, list[str]]:
        """The noises beyond training of each family, by name."""
        found = defaultdict(set)
        for noise, _ in self.conditions:
            found[self._family(noise)].add(noise)
        return {family: sorted(found[family]) for family in sorted(found)}

    @cached_property
    def suites(self) -> dict[str, list[str]]:
        """The noises of each suite which has some of those beyond training, and not all of them."""
        noises = {noise for noise, _ in self.conditions}
        found = {suite: sorted(noises & set(own)) for suite, own in self.scores.suites.items()}
        return {suite: own for suite, own in found.items() if own and set(own) != noises}

    @cached_property
    def curves(self) -> dict[str, dict[float, float]]:
        """By noise which has the severities, what each of its levels counts in the area."""
        rows = by_network(self.ranking.shared, self.ranking.scale.metric)
        if NOISY not in self._matrices or "psnr" not in rows or not rows["psnr"].notna().any():
            return {}
        noisy = score_matrices(rows[rows["model"] == NOISY], "psnr")[NOISY]
        severities = condition_means(noisy)
        found = {}
        for noise in {noise for noise, _ in self.conditions}:
            levels = [level for name, level in self.conditions if name == noise]
            weights = shares_of_area([severities[noise, level] for level in levels])
            if weights is not None:
                found[noise] = dict(zip(levels, weights, strict=True))
        return {noise: found[noise] for noise in sorted(found)}

    @cached_property
    def oracles(self) -> dict[Condition, str]:
        """By condition beyond training, the best of the models which were trained on it."""
        found = {}
        for condition in self.conditions:
            own = [
                model for model in self._matrices if condition in (self._trained_on(model) or ())
            ]
            if own:
                means = {m: self._sign * self._mean(m, {condition: 1.0}) for m in sorted(own)}
                found[condition] = max(means, key=lambda model: means[model])
        return found

    def is_trained_elsewhere(self, model: str) -> bool:
        """Whether a model was tested on the ranking's training noise, and trained on another."""
        known, trained = self._trained_on(model), self.ranking.in_distribution
        tested = self.ranking.table["in_distribution"].notna()[model]
        return bool(tested) and known is not None and trained not in known

    @property
    def _sign(self) -> int:
        return 1 if self.ranking.scale.is_higher_better else -1

    @cached_property
    def _matrices(self) -> dict[str, pd.DataFrame]:
        """By model, means over its trainings."""
        metric = self.ranking.scale.metric
        return score_matrices(by_network(self.ranking.shared, metric), metric)

    def _trained_on(self, model: str) -> Collection[Condition] | None:
        """What all trainings of a model are known to have seen; None where that is not known."""
        seen = [self.scores.trained_on.get(member) for member in self.ranking.members[model]]
        known = [set(conditions) for conditions in seen if conditions is not None]
        return set.intersection(*known) if len(known) == len(seen) else None

    @cached_property
    def _means(self) -> dict[str, dict[Any, float]]:
        return {model: condition_means(of).to_dict() for model, of in self._matrices.items()}

    def _family(self, noise: str) -> str:
        return self.scores.families.get(noise) or noise

    def _line(self, model: str) -> dict[str, object]:
        places, trained = self.ranking.table.loc[model], self.ranking.in_distribution
        equal = mean_weights(self.conditions, self._family)
        estimates = dict.fromkeys(INTERVALS, UNKNOWN)
        seen = np.nan if self.is_trained_elsewhere(model) else places["in_distribution"]
        line: dict[str, object] = {"in_distribution": seen, "ood": places["ood"]}
        if equal:
            ours, sign = self._matrices[model], self._sign
            estimates["ood_families"] = weighted(ours, equal)
            if not np.isnan(seen):
                beyond = {condition: -sign * share for condition, share in equal.items()}
                estimates["gap"] = weighted(ours, {trained: float(sign), **beyond})
            for index, other in (("gain_noisy", NOISY), ("gain_bm3d", CLASSIC)):
                if other in self._matrices and other != model:
                    gains = sign * (ours - self._matrices[other])
                    estimates[index] = weighted(gains, equal)
            estimates["area"] = self._area(ours)
            line["worst_family"], line["worst"] = self._worst(model)
            line["oracle_share"] = self._oracle_share(model)
            for suite, noises in self.suites.items():
                own = [condition for condition in self.conditions if condition[0] in noises]
                line[f"ood_{suite}"] = self._mean(model, mean_weights(own))
        for index, found in estimates.items():
            low, high = INTERVALS[index]
            line |= {index: found.mean, low: found.low, high: found.high}
        return line

    def _mean(self, model: str, weights: Weights) -> float:
        return float(sum(share * self._means[model][c] for c, share in weights.items()))

    def _worst(self, model: str) -> tuple[str, float]:
        """The family with the worst mean, and that mean."""
        means = {}
        for family, noises in self.families.items():
            own = [condition for condition in self.conditions if condition[0] in noises]
            means[family] = self._mean(model, mean_weights(own))
        worst = min(means, key=lambda family: self._sign * means[family])
        return worst, means[worst]

    def _area(self, ours: pd.DataFrame) -> Estimate:
        noises = {noise for noise, _ in self.conditions}
        if len(self.curves) < ENOUGH * len(noises):
            return UNKNOWN
        of_noise = mean_weights([(noise, 0.0) for noise in self.curves], self._family)
        weights = {
            (noise, level): of_noise[noise, 0.0] * share
            for noise, levels in self.curves.items()
            for level, share in levels.items()
        }
        return weighted(ours, weights)

    def _oracle_share(self, model: str) -> float:
        """What a model gains over the noisy input, over what the oracles gain, where they are."""
        if not self.oracles or NOISY not in self._matrices:
            return np.nan
        weights = mean_weights(self.oracles, self._family)
        noisy = self._mean(NOISY, weights)
        best = sum(
            share * self._mean(self.oracles[condition], {condition: 1.0})
            for condition, share in weights.items()
        )
        possible = self._sign * (best - noisy)
        gain = self._sign * (self._mean(model, weights) - noisy)
        return gain / possible if possible > 0 else np.nan


@lru_cache(maxsize=32)  # a page and a file are made of the same numbers
def of(scores: Scores, ranking: Ranking) -> Generalization:
    """The indices of a ranking of these scores, each computed once."""
    return Generalization(scores, ranking)


def mean_weights(
    conditions: Iterable[Condition], family_of: Callable[[str], str] = lambda noise: noise
) -> dict[Condition, float]:
    """What each condition counts in a mean of families, in each of noises, in each of levels."""
    conditions = list(conditions)
    levels = Counter(noise for noise, _ in conditions)
    noises = Counter(family_of(noise) for noise in levels)
    return {
        (noise, level): 1 / (len(noises) * noises[family_of(noise)] * levels[noise])
        for noise, level in conditions
    }


def condition_means(scores: pd.DataFrame) -> pd.Series:
    """The mean of each noise and level, over images and then seeds, in one of `score_matrices`."""
    return scores.mean().groupby(level=["noise", "level"]).mean()


def weighted(scores: pd.DataFrame, weights: Weights) -> Estimate:
    """The sum of `condition_means`, each with its weight, and its interval over images.

    `estimate` is of the mean over noises of that over levels, so a column is scaled by what its
    condition is to count over what it counts there.
    """
    levels = Counter(noise for noise, _ in weights)
    cells = [(str(noise), float(level)) for noise, level, _ in scores.columns]
    factors = [weights.get(cell, 0.0) * len(levels) * levels[cell[0]] for cell in cells]
    kept = np.array([cell in weights for cell in cells])
    return estimate(scores.loc[:, kept] * np.array(factors)[kept])


def shares_of_area(severities: Iterable[float]) -> np.ndarray | None:
    """What the score at each severity counts in the mean of a curve over `SEVERITIES`.

    The curve is linear between the severities, in dB and in any order; scores at equal ones are
    averaged. The shares add up to 1. None for a curve which does not reach both ends.
    """
    places, place, count = np.unique(list(severities), return_inverse=True, return_counts=True)
    low, high = SEVERITIES
    if not places[0] <= low < high <= places[-1]:
        return None
    nodes = np.union1d(SEVERITIES, places[(places > low) & (places < high)])
    hats = np.array([np.interp(nodes, places, hat) for hat in np.eye(len(places))])
    shares = (hats[:, 1:] + hats[:, :-1]) / 2 @ np.diff(nodes) / (high - low)  # trapezoids
    return (shares / count)[place]


def indices(board: Board) -> pd.DataFrame:
    """The indices of every dataset and metric, a line per model, unrounded."""
    tables = [
        of(board.scores, ranking)
        .table.reset_index()
        .assign(dataset=ranking.dataset, metric=ranking.scale.metric)
        for rankings in board.rankings.values()
        for ranking in rankings.values()
        if not ranking.shared.empty
    ]
    found = pd.concat(tables) if tables else pd.DataFrame()
    suites = sorted(set(found.columns) - {"dataset", "metric", "model", *COLUMNS})
    return found.reindex(columns=["dataset", "metric", "model", *COLUMNS, *suites])
