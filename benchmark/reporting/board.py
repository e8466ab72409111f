"""All that is shown of a table of scores: a ranking for each dataset and metric, means of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from benchmark.cells.scores import CELL, ROW, Scale, Scores, as_scores, known_scale, metric_names
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE, name_of
from benchmark.reporting.ranking import DIFFERENCE, SUMMARY, Ranking, noise_order
from benchmark.reporting.statistics import check_table, group_means, shared_rows


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
    only
        Of the metrics those which are shown, in their order; by default all, PSNR first.
    """

    scores: Scores
    in_distribution: tuple[str, float] = IN_DISTRIBUTION
    reference: Sequence[str] = REFERENCE
    order: Sequence[str] | None = None
    only: Sequence[str] | None = None

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
                f"them apart: protocol=NAME, and to=PLACE"
            )
        return check_table(self.scores.rows).sort_values([*ROW, "model"], ignore_index=True)

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics shown which have values, in order; ``ValueError`` if none has."""
        if present := self._with_values(self.rows):
            return present
        raise ValueError("no metric in the table of scores has a value, so there is no leaderboard")

    @property
    def empty_metrics(self) -> list[str]:
        """The metrics without any value."""
        return [name for name in metric_names(self.shown) if name not in self.metrics]

    @property
    def shown(self) -> pd.DataFrame:
        """`rows` without the metrics which are not shown."""
        others = {*metric_names(self.rows)} - {*(self.only or metric_names(self.rows))}
        return self.rows.drop(columns=others)

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
            more = (self.in_distribution, self.reference, self.order)
            names = (self.scores.partners, self.scores.labels)
            found[dataset] = {
                name: Ranking(dataset, self.scale(name), part, *more, *names)
                for name in self._with_values(part)
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
    def standings(self) -> pd.DataFrame:
        """A line per dataset, metric and model: `Ranking.table`'s means, and `Ranking.places`.

        Only models with an out-of-distribution mean are ranked; empty where none has one.
        """
        lines = [
            ranking.table[SUMMARY]
            .join(ranking.places)
            .assign(trainings=ranking.trainings, images=ranking.shared["image"].nunique())
            .reset_index()
            .assign(dataset=ranking.dataset, metric=ranking.scale.metric)
            for ranking in self._all
        ]
        ends = ["images", "trainings", *SUMMARY, "rank_low", "rank_high", "group"]
        columns = ["dataset", "metric", "model", *ends]
        return pd.concat(lines)[columns] if lines else pd.DataFrame(columns=columns)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """A line per dataset, metric and two models: `Ranking.all_differences`."""
        lines = [
            ranking.all_differences.assign(dataset=ranking.dataset, metric=ranking.scale.metric)
            for ranking in self._all
        ]
        columns = ["dataset", "metric", "model", "other", *DIFFERENCE[1:]]
        return pd.concat(lines)[columns] if lines else pd.DataFrame(columns=columns)

    @cached_property
    def cell_means(self) -> pd.DataFrame:
        """A line per model, dataset, noise and level that all models share: means over images.

        Seeds count equally. A mean is NaN if one of its values is. Timings come last.
        """
        rows, key = shared_rows(self.shown), ["model", "dataset", "noise", "level"]
        values = [*metric_names(rows), "seconds"]
        means = group_means(group_means(rows, ["model", *CELL], values), key, values)
        images = rows.groupby(key)["image"].nunique()
        means.insert(len(means.columns) - 1, "n_images", images.to_numpy())
        return means

    @property
    def _all(self) -> list[Ranking]:
        found = [ranking for of in self.rankings.values() for ranking in of.values()]
        return [ranking for ranking in found if not ranking.shared.empty]

    def scale(self, metric: str) -> Scale:
        """How a metric's numbers are read."""
        return self.scores.scales.get(metric, known_scale(metric))

    def _with_values(self, rows: pd.DataFrame) -> list[str]:
        """The metrics shown which have values there, in order."""
        order = self.only or sorted(metric_names(rows), key=lambda name: name != "psnr")
        return [name for name in order if rows[name].notna().any()]
