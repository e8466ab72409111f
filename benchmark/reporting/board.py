"""Who is best: models ranked by their mean over noises, on the lines all of them have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from benchmark.cells.scores import CELL, ROW, Scale, Scores, as_scores, known_scale, metric_names
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE, name_of
from benchmark.reporting.intervals import (
    check_table,
    estimate,
    group_means,
    noise_means,
    paired_difference,
    score_matrices,
    shared_rows,
)

SUMMARY = ["in_distribution", "ood", "ood_low", "ood_high"]
DIFFERENCE = ["against", "difference", "low", "high", "p"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The models of one dataset by one metric; each part is computed when it is first asked for.

    Parameters
    ----------
    everything
        The dataset's lines, those without a value of the metric as well.
    in_distribution, reference, order
        As in `Board`.
    partners
        By model, the one with which it is to be compared.
    """

    dataset: str
    scale: Scale
    everything: pd.DataFrame
    in_distribution: tuple[str, float]
    reference: Sequence[str]
    order: Sequence[str] | None
    partners: Mapping[str, str]

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
        and ``ood_high``, its 95 % interval over images; a column per noise, the unweighted mean
        over its levels; ``seconds`` per image.
        """
        sign = -1 if self.scale.is_higher_better else 1
        lines, noises = [], []
        for name, part in self.shared.groupby("model"):
            model = str(name)
            scores = self._matrices.get(model, pd.DataFrame())
            trained = part[self._is_trained(part)]
            ood = estimate(scores)
            line = {
                "model": model,
                "place": [*self.reference, model].index(model),
                "in_distribution": trained.groupby("seed")[self.scale.metric].mean().mean(),
                "ood": ood.mean,
                "ood_low": ood.low,
                "ood_high": ood.high,
                "seconds": part["seconds"].mean(),
            }
            means = noise_means(scores).to_dict()
            noises += means
            lines.append(line | means)
        columns = [*SUMMARY, *noise_order(noises, self.in_distribution[0]), "seconds"]
        table = pd.DataFrame(lines, columns=["model", "place", *columns])
        table["loss"], table["loss_trained"] = sign * table["ood"], sign * table["in_distribution"]
        table = table.sort_values(["place", "loss", "loss_trained", "model"])
        table = table.set_index("model")[columns]
        return table if self.order is None else table.loc[[*self.order]]

    @property
    def noises(self) -> list[str]:
        """The noises with a score beyond training."""
        columns = self.table.columns[len(SUMMARY) : -1]
        return [name for name in columns if self.table[name].notna().any()]

    @property
    def references(self) -> list[str]:
        """The models which stand above the others and are not ranked."""
        return [model for model in self.table.index if model in self.reference]

    @cached_property
    def differences(self) -> pd.DataFrame:
        """The mean over noises of each model less that of one other, image by image.

        The other is the one with which a model is to be compared, where both are there, else the
        first which is no reference. A line per model, in the order of the ranking: ``against``,
        ``difference``, its 95 % interval ``low`` to ``high``, and Wilcoxon's ``p``. Empty for a
        single model.
        """
        models = list(self.table.index)
        if not models:
            return pd.DataFrame(columns=["model", *DIFFERENCE]).set_index("model")
        ranked = [model for model in models if model not in self.reference] or models
        partners = {model: self.partners.get(model, model) for model in ranked}
        declared = [other for model, other in partners.items() if other != model]
        against = next((other for other in declared if other in ranked), ranked[0])
        lines = []
        for model in models:
            if model != against and model in self._matrices:
                found = paired_difference(self._matrices[model], self._matrices[against])
                lines.append((model, against, found.mean, found.low, found.high, found.p))
        return pd.DataFrame(lines, columns=["model", *DIFFERENCE]).set_index("model")

    @cached_property
    def _matrices(self) -> dict[str, pd.DataFrame]:
        others = self.shared[~self._is_trained(self.shared)]
        return score_matrices(others, self.scale.metric)

    def _is_trained(self, rows: pd.DataFrame) -> pd.Series:
        """Which lines are of the noise and level of training."""
        noise, level = self.in_distribution
        return (rows["noise"] == noise) & (rows["level"] == level)


@dataclass(frozen=True, eq=False)
class Board:
    """All that is shown of a table of scores, each part computed once, when it is first asked for.

    Parameters
    ----------
    in_distribution
        Noise and level of training; it has its own column and counts in no other.
    reference
        Models which stand above the others, in this order, and are not ranked.
    order
        The models in the order of their lines, where that is not by their rank.
    """

    scores: Scores
    in_distribution: tuple[str, float] = IN_DISTRIBUTION
    reference: Sequence[str] = REFERENCE
    order: Sequence[str] | None = None

    @classmethod
    def of(
        cls,
        table: Board | Scores | pd.DataFrame | str | Path,
        higher_is_better: Mapping[str, bool] | None = None,
    ) -> Board:
        """The board of a table; see `benchmark.cells.scores.as_scores`."""
        return table if isinstance(table, Board) else cls(as_scores(table, higher_is_better))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The lines, in one order however they were given.

        Raises
        ------
        ValueError
            If they are of several protocols, or as `check_table`.
        """
        if len(self.scores.protocols) > 1:
            names = " and ".join(sorted(map(name_of, self.scores.protocols)))
            raise ValueError(
                f"these scores are by protocols {names}, and two never stand in one table; show "
                f"them apart: bench report protocol=NAME to=FOLDER"
            )
        return check_table(self.scores.rows).sort_values([*ROW, "model"], ignore_index=True)

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics which have values, PSNR first; ``ValueError`` if none has."""
        if present := _with_values(self.rows):
            return present
        raise ValueError("no metric in the table of scores has a value, so there is no leaderboard")

    @property
    def empty_metrics(self) -> list[str]:
        """The metrics without any value."""
        return [name for name in metric_names(self.rows) if name not in self.metrics]

    @cached_property
    def datasets(self) -> list[str]:
        """Datasets by name, those with recorded noise last: they have its name."""
        recorded = set(self.rows.loc[self.rows["noise"] == self.rows["dataset"], "dataset"])
        return sorted(self.rows["dataset"].unique(), key=lambda name: (name in recorded, name))

    @cached_property
    def rankings(self) -> dict[str, dict[str, Ranking]]:
        """By dataset, then by metric which has values there."""
        found = {}
        for dataset in self.datasets:
            part = self.rows[self.rows["dataset"] == dataset]
            more = (self.in_distribution, self.reference, self.order, self.scores.partners)
            found[dataset] = {
                name: Ranking(dataset, self.scale(name), part, *more) for name in _with_values(part)
            }
        return found

    def by(self, metric: str | None = None) -> list[Ranking]:
        """The ranking of each dataset whose models share something.

        Parameters
        ----------
        metric
            By default PSNR, or the first metric which has values.

        Raises
        ------
        ValueError
            If the metric is unknown or empty, or nothing is shared.
        """
        metric = metric or self.metrics[0]
        if metric not in self.metrics:
            raise ValueError(
                f"the table of scores has no {metric}; it has {', '.join(self.metrics)}"
            )
        found = [of[metric] for of in self.rankings.values() if metric in of]
        found = [ranking for ranking in found if not ranking.shared.empty]
        if not found:
            raise ValueError(
                f"no cell with {metric} is shared by all models; compare fewer models or finish "
                f"the run"
            )
        return found

    def leaderboard(self, metric: str | None = None) -> pd.DataFrame:
        """Each `Ranking.table`, indexed by (dataset, model).

        Raises
        ------
        ValueError
            As `by`, or if the metric's direction is unknown.
        """
        tables = {ranking.dataset: ranking.table for ranking in self.by(metric)}
        found = pd.concat(tables, names=["dataset"])
        noises = [name for name in found.columns if name not in [*SUMMARY, "seconds"]]
        return found[[*SUMMARY, *noise_order(noises, self.in_distribution[0]), "seconds"]]

    def comparison(self, metric: str | None = None) -> pd.DataFrame:
        """Each `Ranking.differences`, indexed by (dataset, model); raises as `by`."""
        found = {ranking.dataset: ranking.differences for ranking in self.by(metric)}
        return pd.concat(found, names=["dataset"])

    @cached_property
    def cell_means(self) -> pd.DataFrame:
        """A line per model, dataset, noise and level that all models share: means over images.

        Seeds count equally. A mean is NaN if one of its values is. Timings come last.
        """
        rows, key = shared_rows(self.rows), ["model", "dataset", "noise", "level"]
        values = [*metric_names(self.rows), "seconds"]
        means = group_means(group_means(rows, ["model", *CELL], values), key, values)
        images = rows.groupby(key)["image"].nunique()
        means.insert(len(means.columns) - 1, "n_images", images.to_numpy())
        return means

    def scale(self, metric: str) -> Scale:
        """How a metric's numbers are read."""
        return self.scores.scales.get(metric, known_scale(metric))


def noise_order(noises: Iterable[str], first: str = IN_DISTRIBUTION[0]) -> list[str]:
    """The noise of training first, the others by name: the same from any table."""
    return sorted(set(noises), key=lambda noise: (noise != first, noise))


def label(model: str) -> str:
    """What readers see for a model: ``identity`` is the noisy input itself."""
    return "noisy input" if model == "identity" else model


def _with_values(rows: pd.DataFrame) -> list[str]:
    """The metrics which have values, PSNR first."""
    present = [name for name in metric_names(rows) if rows[name].notna().any()]
    return sorted(present, key=lambda name: name != "psnr")
