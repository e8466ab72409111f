"""What of a table of scores is shown: models in an order, noises, levels, metrics, datasets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.cells.scores import Scores, metric_names
from benchmark.registry import did_you_mean
from benchmark.reporting.board import Board
from benchmark.reporting.statistics.trainings import network_of

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
COLUMNS = {"model": "model", "noise": "noise", "data": "dataset"}  # of the table, by setting
Names = Sequence[str]


@dataclass(frozen=True)
class Selection:
    """What is shown; by default all.

    Parameters
    ----------
    model
        Names, in the order of their lines; a network's name means its trainings as well.
    noise
        Names, and those of suites and families.
    level
        Only these levels; all where none is named.
    metric
        Names, in the order of their tables.
    data
        Names of datasets.
    """

    model: Names = (ALL,)
    noise: Names = (ALL,)
    level: Sequence[float] = ()
    metric: Names = (ALL,)
    data: Names = (ALL,)

    def board(self, scores: Scores) -> Board:
        """The board of what is chosen; its tests and ranks are of the chosen models alone.

        Raises
        ------
        ValueError
            If nothing has a name or a level, or nothing with that name is of all else chosen.
        """
        names = {"model": _trainings(scores.rows), "noise": _noises(scores)}
        data, noise, model = (
            self._found(setting, scores, names.get(setting, {}))
            for setting in ("data", "noise", "model")
        )
        metrics = None if ALL in self.metric else [*self.metric]
        for metric in metrics or ():
            check_name("metric", metric, metric_names(scores.rows))
        self._check_levels(scores.of(datasets=data, noises=noise).rows)
        levels = self.level or None
        part = scores.of(models=model, datasets=data, noises=noise, levels=levels)
        self._check_rows(part.rows, names)
        order = None if model is None else [*dict.fromkeys(map(network_of, model))]
        return Board(part, order=order, only=metrics)

    @property
    def words(self) -> dict[str, str]:
        """What is chosen, by setting, without those of which everything is."""
        levels = [f"{level:.15g}" for level in self.level]
        given = {"model": self.model, "noise": self.noise, "level": levels}
        given |= {"metric": self.metric, "data": self.data}
        return {key: "+".join(of) for key, of in given.items() if of and ALL not in of}

    def _found(
        self, setting: str, scores: Scores, several: Mapping[str, Names]
    ) -> list[str] | None:
        """The names in a column of the table which are chosen, in their order; None for all."""
        given, known = getattr(self, setting), scores.rows[COLUMNS[setting]].unique()
        if ALL in given:
            return None
        for name in given:
            check_name(setting, name, known, several)
        return [*dict.fromkeys(own for name in given for own in several.get(name, [name]))]

    def _check_levels(self, rows: pd.DataFrame) -> None:
        """Raise ``ValueError`` for a level which none of the chosen noises has."""
        for level in self.level:
            if level not in rows["level"].to_numpy():
                there = [
                    f"{noise} {', '.join(f'{one:g}' for one in sorted(own.unique()))}"
                    for noise, own in rows.groupby("noise")["level"]
                ]
                raise ValueError(f"no scores at level {level:g}; there are: {'; '.join(there)}")

    def _check_rows(self, rows: pd.DataFrame, several: Mapping[str, Mapping[str, Names]]) -> None:
        """Raise ``ValueError`` if a name has no line among what else is chosen."""
        for setting, column in COLUMNS.items():
            there = {*rows[column]}
            for name in getattr(self, setting):
                own = several.get(setting, {}).get(name, [name])
                if name != ALL and there.isdisjoint(own):
                    others = [f"{key}={of}" for key, of in self.words.items() if key != setting]
                    raise ValueError(
                        f"{setting} '{name}' has no scores of {' '.join(others)}; choose others, "
                        f"or leave {name} out"
                    )


def is_part(board: Board, scores: Scores) -> bool:
    """Whether a board leaves out some of the scores."""
    return len(board.rows) < len(scores.rows) or len(board.shown.columns) < len(board.rows.columns)


def absent_models(board: Board, scores: Scores) -> list[str]:
    """The models of the scores which have none on the board."""
    return sorted({*scores.rows["model"]} - {*board.rows["model"]})


def check_name(
    setting: str, name: str, known: Iterable[str], several: Mapping[str, Names] | None = None
) -> None:
    """Raise ``ValueError`` for a name which there is not."""
    names, more = sorted(known), sorted({*(several or {})} - {*known})
    if name not in [*names, *more]:
        also = f"; and of several at once: {', '.join(more)}" if more else ""
        raise ValueError(
            f"no scores of {setting} '{name}'{did_you_mean(name, [*names, *more])} There are: "
            f"{', '.join(names)}{also}"
        )


def _trainings(rows: pd.DataFrame) -> dict[str, list[str]]:
    """By network of which only trainings are there, their names."""
    found: dict[str, list[str]] = {}
    models = sorted(rows["model"].unique())
    for model in models:
        found.setdefault(network_of(model), []).append(model)
    return {name: own for name, own in found.items() if name not in models}


def _noises(scores: Scores) -> dict[str, list[str]]:
    """The noises of the table by suite and by family, where that is no noise's name."""
    noises, found = sorted(scores.rows["noise"].unique()), {}
    for noise in noises:
        suites = [suite for suite, own in scores.suites.items() if noise in own]
        for name in {*suites, scores.families.get(noise, noise)} - {*noises, ALL}:
            found.setdefault(name, []).append(noise)
    return found
