"""The places of models on the leaderboards of two tables of scores, beside each other."""

from __future__ import annotations

import pandas as pd

from benchmark.cells.scores import Scores
from benchmark.protocol import name_of
from benchmark.reporting.board import Board

PLACES = ["dataset", "metric", "model", "place_before", "place_after", "before", "after"]


def places(before: Scores, after: Scores) -> pd.DataFrame:
    """The place and the OOD mean of each ranked model, as each table's own leaderboard has them.

    Places count from 1, without the references; NaN where a leaderboard lacks the model. Only
    datasets and metrics are there which both have, and none where `why_none`.

    Raises
    ------
    ValueError
        If a table has no leaderboard; see `benchmark.reporting.board.Board`.
    """
    if why_none(before, after):
        return pd.DataFrame(columns=PLACES)
    sides = [_standings(scores) for scores in (before, after)]
    lines = []
    for key in [key for key in sides[0] if key in sides[1]]:
        ours, theirs = (side[key] for side in sides)
        for model in dict.fromkeys([*theirs, *ours]):
            (place_before, mean_before), (place_after, mean_after) = (
                side.get(model, (float("nan"), float("nan"))) for side in (ours, theirs)
            )
            lines.append((*key, model, place_before, place_after, mean_before, mean_after))
    return pd.DataFrame(lines, columns=PLACES)


def why_none(before: Scores, after: Scores) -> str:
    """Why there are no places to compare, as a sentence; "" where there are."""
    protocols = sorted({name_of(of) for scores in (before, after) for of in scores.protocols})
    if len(protocols) < 2:
        return ""
    return (
        f"left out: these scores are by protocols {' and '.join(protocols)}, and a leaderboard has "
        f"one protocol"
    )


def changed_places(table: pd.DataFrame) -> pd.DataFrame:
    """The lines of `places` whose model has another place now, or is on one side alone."""
    return table[table["place_before"] != table["place_after"]]


def _standings(scores: Scores) -> dict[tuple[str, str], dict[str, tuple[float, float]]]:
    """By dataset and metric, the ranked models with their places and means, the best first."""
    found = {}
    for dataset, rankings in Board(scores).rankings.items() if len(scores.rows) else ():
        for metric, ranking in rankings.items():
            ranked = ranking.table.drop(index=ranking.references)
            means = zip(ranked.index, ranked["ood"], strict=True)
            found[dataset, metric] = {
                str(model): (place, mean) for place, (model, mean) in enumerate(means, start=1)
            }
    return found
