"""Who is best: models ranked by their mean over noises, and which of them are tied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from benchmark.cells.scores import Scale, label_of
from benchmark.protocol import IN_DISTRIBUTION
from benchmark.reporting.statistics import shared_rows
from benchmark.reporting.statistics.bootstrap import Bootstrap
from benchmark.reporting.statistics.groups import letters, mean_ranks, rank_bounds, tied_groups
from benchmark.reporting.statistics.means import Measured
from benchmark.reporting.statistics.pairs import Pairs
from benchmark.reporting.statistics.trainings import (
    Spread,
    network_of,
    spread_of,
    trainings_of,
)

SUMMARY = ["in_distribution", "ood", "ood_low", "ood_high"]
DIFFERENCE = ["against", "difference", "low", "high", "p", "p_holm"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The models of one dataset by one metric; each part is computed when it is first asked for.

    Models ``masked@1``, ``masked@2`` are trainings of one, ``masked``, which has the line.

    Parameters
    ----------
    everything
        The dataset's lines, those without a value of the metric as well.
    in_distribution, reference, order
        As in `benchmark.reporting.board.Board`.
    partners
        By model, the one with which it is to be compared.
    labels
        As in `benchmark.cells.scores.Scores`.
    """

    dataset: str
    scale: Scale
    everything: pd.DataFrame
    in_distribution: tuple[str, float]
    reference: Sequence[str]
    order: Sequence[str] | None
    partners: Mapping[str, str]
    labels: Mapping[str, str]

    def label(self, name: str) -> str:
        """What readers see for a model or a noise."""
        return label_of(name, self.labels)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The lines on which the metric has a value."""
        return self.everything.dropna(subset=self.scale.metric)

    @cached_property
    def shared(self) -> pd.DataFrame:
        """Of those, the lines of what all models have."""
        return shared_rows(self.rows)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A line per model, the references first, then the best, if no other order is wanted.

        Columns are ``in_distribution``; ``ood``, the unweighted mean over noises, with ``ood_low``
        and ``ood_high``, its 95 % interval over images and trainings; a column per noise, the
        unweighted mean over its levels; ``seconds`` per image.
        """
        names = list(trainings_of(self.shared))
        table = pd.DataFrame(index=pd.Index(names, name="model"), columns=SUMMARY, dtype=float)
        if self._trained.names:
            table["in_distribution"] = self._trained.means
        if others := self._others.names:
            low, high = Bootstrap(self._others).bounds(np.eye(len(others)))
            table["ood"] = self._others.means
            table["ood_low"], table["ood_high"] = table["ood"] + low, table["ood"] + high
        for noise, measured in self._by_noise.items():
            table[noise] = measured.means
        networks = self.shared["model"].map(network_of)
        table["seconds"] = self.shared["seconds"].groupby(networks).mean()
        sign = -1 if self.scale.is_higher_better else 1
        place = [[*self.reference, name].index(name) for name in names]
        loss = table.assign(place=place, loss=sign * table["ood"], name=names)
        loss["loss_trained"] = sign * table["in_distribution"]
        ranked = loss.sort_values(["place", "loss", "loss_trained", "name"]).index
        return table.loc[ranked if self.order is None else [n for n in self.order if n in names]]

    @property
    def noises(self) -> list[str]:
        """The noises with a score beyond training."""
        columns = self.table.columns[len(SUMMARY) : -1]
        return [name for name in columns if self.table[name].notna().any()]

    @property
    def references(self) -> list[str]:
        """The models which stand above the others and are not ranked."""
        return [model for model in self.table.index if model in self.reference]

    @property
    def rule(self) -> int:
        """After how many lines a rule stands: below the references, where these come first."""
        first = [*self.table.index[: len(self.references)]]
        return len(first) if first == self.references else 0

    @property
    def is_ranked(self) -> bool:
        """Whether there are means beyond training of several models, which may be tied."""
        return len(self._others.names) > 1

    @property
    def tells_apart(self) -> bool:
        """Whether any two models can be told apart; without, ranks and groups say nothing."""
        return self.is_ranked and len(self.tied) > 1

    @cached_property
    def trainings(self) -> pd.Series:
        """How many trainings stand behind each model, in the order of the table."""
        measured = self._others if self._others.names else self._trained
        return pd.Series(dict(zip(measured.names, measured.counts, strict=True)))[self.table.index]

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """By model, the names of its trainings."""
        return trainings_of(self.shared)

    @property
    def duplicates(self) -> list[str]:
        """Models with the scores of another training of their network, which count once."""
        counted = trainings_of(self.shared, self.scale.metric)
        return [one for name, of in self.members.items() for one in of if one not in counted[name]]

    @property
    def seeds(self) -> list[int]:
        """How many seeds of the noise the cells have, by noise and level; recorded ones have 1."""
        cells = self.shared[["noise", "level", "seed"]].drop_duplicates()
        return sorted(set(cells.groupby(["noise", "level"]).size()))

    @cached_property
    def pairs(self) -> Pairs:
        """Every two models by their means over noises, references as well; the table's order."""
        return Pairs(self._in_order(self._others), self.reference)

    @cached_property
    def places(self) -> pd.DataFrame:
        """By model ``rank_low`` to ``rank_high``, and ``group``: letters of those it is tied with.

        References have letters and no rank. Empty texts and NaN where nothing is ranked.
        """
        names = self.table.index
        found = pd.DataFrame({"rank_low": np.nan, "rank_high": np.nan, "group": ""}, index=names)
        if not self.is_ranked:
            return found
        significant = self.pairs.significant
        found.iloc[self._best_first, 2] = letters(self._tied, len(names))
        ranked = [place for place, name in enumerate(names) if name not in self.reference]
        chosen = np.ix_(ranked, ranked)
        low, high = rank_bounds(significant[chosen], self._better(self.pairs.difference[chosen]))
        found.iloc[ranked, 0], found.iloc[ranked, 1] = low, high
        return found

    @cached_property
    def tied(self) -> list[list[str]]:
        """The largest groups of models of which no two are told apart, the best group first."""
        names = [self.table.index[place] for place in self._best_first]
        return [[names[place] for place in members] for members in self._tied]

    @property
    def mean_ranks(self) -> pd.Series:
        """The mean over images of each model's rank on it, references as well."""
        measured = self._in_order(self._others)
        ranks = mean_ranks(measured.of_images, self.scale.is_higher_better)
        return pd.Series(ranks, index=measured.names)

    @property
    def best(self) -> dict[str, set[str]]:
        """By column, the models which cannot be told apart from the best there, and itself.

        Columns are ``in_distribution``, ``ood`` and the noises; references are compared, and in no
        group. Empty where all models are in it: then it says nothing.
        """
        return {name: first for name, (first, _) in self._leading.items()}

    @property
    def second(self) -> dict[str, set[str]]:
        """By column, the best of the models beside `best`, and those which it is not told from."""
        return {name: second for name, (_, second) in self._leading.items()}

    @cached_property
    def _leading(self) -> dict[str, tuple[set[str], set[str]]]:
        columns = {"in_distribution": self._trained, "ood": self._others, **self._by_noise}
        return {name: self._leading_of(measured) for name, measured in columns.items()}

    @cached_property
    def spreads(self) -> dict[str, Spread]:
        """By model what other images, another seed and another training change the OOD mean by."""
        measured = self._in_order(self._others)
        return {name: spread_of(measured, place) for place, name in enumerate(measured.names)}

    @cached_property
    def differences(self) -> pd.DataFrame:
        """The mean over noises of each model less that of one other, image by image.

        The other is the one with which a model is to be compared, where both are there, else the
        first which is no reference. A line per model, in the order of the ranking: ``against``,
        ``difference``, its 95 % interval ``low`` to ``high``, ``p`` (see `Pairs.p`) and ``p_holm``,
        corrected for all pairs of models. Empty for a single model.
        """
        models = [str(model) for model in self.table.index]
        if not self.is_ranked:
            return pd.DataFrame(columns=["model", *DIFFERENCE]).set_index("model")
        ranked = [model for model in models if model not in self.reference] or models
        named = {network_of(one): network_of(other) for one, other in self.partners.items()}
        partners = {model: named.get(model, model) for model in ranked}
        declared = [other for model, other in partners.items() if other != model]
        against = next((other for other in declared if other in ranked), ranked[0])
        others = [model for model in models if model != against]
        lines = [(model, against, *self._difference(model, against)) for model in others]
        return pd.DataFrame(lines, columns=["model", *DIFFERENCE]).set_index("model")

    @cached_property
    def all_differences(self) -> pd.DataFrame:
        """As `differences`, of every two models, ``model`` and ``other``, the upper one's first."""
        models = list(self.table.index) if self.is_ranked else []
        lines = [
            (one, other, *self._difference(one, other))
            for place, one in enumerate(models)
            for other in models[place + 1 :]
        ]
        return pd.DataFrame(lines, columns=["model", "other", *DIFFERENCE[1:]])

    def _difference(self, one: str, other: str) -> tuple[float, ...]:
        pairs = self.pairs
        place = pairs.measured.names.index(one), pairs.measured.names.index(other)
        matrices = (pairs.difference, *pairs.bounds, pairs.p, pairs.p_holm)
        return tuple(float(matrix[place]) for matrix in matrices)

    def _leading_of(self, measured: Measured) -> tuple[set[str], set[str]]:
        """The best of some columns' models, those it is not told from; the same of the others."""
        rest = [n for n, name in enumerate(measured.names) if name not in self.reference]
        if len(rest) < 2:
            return set(), set()
        significant = Pairs(measured, self.reference).significant
        groups: list[set[str]] = []
        while rest and len(groups) < 2:
            best = rest[int(self._better_first(measured.means[rest])[0])]
            apart = [place for place in rest if significant[best, place]]
            groups.append({measured.names[place] for place in rest if place not in apart})
            rest = apart
        return (groups[0], groups[1]) if len(groups) > 1 else (set(), set())

    @cached_property
    def _tied(self) -> list[list[int]]:
        """The groups of `tied`, by places in `_best_first`."""
        order = self._best_first
        return tied_groups(self.pairs.significant[np.ix_(order, order)])

    @property
    def _best_first(self) -> list[int]:
        """The places of the table's lines, the best mean beyond training first."""
        return [int(place) for place in self._better_first(self.table["ood"].to_numpy())]

    def _better_first(self, means: np.ndarray) -> np.ndarray:
        return np.argsort(-means if self.scale.is_higher_better else means, kind="stable")

    def _better(self, differences: np.ndarray) -> np.ndarray:
        return differences > 0 if self.scale.is_higher_better else differences < 0

    def _in_order(self, measured: Measured) -> Measured:
        return Measured({name: measured.scores[name] for name in self.table.index}, measured.cells)

    @cached_property
    def _others(self) -> Measured:
        return Measured.of(self.shared[~self._is_trained], self.scale.metric)

    @cached_property
    def _trained(self) -> Measured:
        return Measured.of(self.shared[self._is_trained], self.scale.metric)

    @cached_property
    def _by_noise(self) -> dict[str, Measured]:
        noises = self._others.cells.get_level_values("noise") if self._others.names else []
        order = noise_order(noises, self.in_distribution[0])
        return {noise: self._others.of_noise(noise) for noise in order}

    @cached_property
    def _is_trained(self) -> pd.Series:
        """Which shared lines are of the noise and level of training."""
        noise, level = self.in_distribution
        return (self.shared["noise"] == noise) & (self.shared["level"] == level)


def noise_order(noises: Iterable[str], first: str = IN_DISTRIBUTION[0]) -> list[str]:
    """The noise of training first, the others by name: the same from any table."""
    return sorted(set(noises), key=lambda noise: (noise != first, noise))
