"""Who is best within which noises, and each model's curve with its intervals."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmark.cells.scores import CELL, Scores
from benchmark.reporting.board import Board
from benchmark.reporting.leaderboard import column_marks, sentences
from benchmark.reporting.ranking import SUMMARY, Ranking, noise_order
from benchmark.reporting.statistics.levels import level_means

ALL = "all"  # the scope of every noise
MORE = 2  # digits beyond those which a metric's numbers are printed with


def families(scores: Scores) -> dict[str, list[str]]:
    """The noises of each family; one without a family is one of its own."""
    found: dict[str, list[str]] = defaultdict(list)
    for noise in noise_order(scores.rows["noise"].unique()):
        found[scores.families.get(noise) or noise].append(noise)
    return {family: found[family] for family in sorted(found)}


def standings(board: Board) -> list[dict[str, Any]]:
    """The ranking of every dataset and metric: over all noises, and over those of each family."""
    scopes = {ALL: board}
    for family, noises in families(board.scores).items():
        scopes[family] = replace(board, scores=board.scores.of(noises=noises))
    return [
        {**_standing(part.scores, ranking), "scope": scope}
        for scope, part in scopes.items()
        for of in part.rankings.values()
        for ranking in of.values()
        if not ranking.shared.empty
    ]


def points(board: Board) -> list[dict[str, Any]]:
    """The mean of every model at every noise and level, with its 95 % interval over images.

    It is over the images and seeds which all models of that level have.
    """
    return [
        point
        for dataset in board.datasets
        for ranking in board.rankings[dataset].values()
        for point in _points(ranking)
    ]


def number(value: float, digits: int) -> float | None:
    """A number of so many digits behind the point; None for NaN.

    It is left whole where `MORE` digits fewer of it would be printed otherwise than of the number:
    30.12499 is 30.12, and 30.1250 would be 30.13.
    """
    if math.isnan(value):
        return None
    short = round(float(value), digits)
    is_tie = f"{short:.{digits}f}".endswith("5".ljust(MORE, "0"))
    return float(value) if is_tie else short


def seconds(value: float) -> float | None:
    """A time to three digits; None for NaN."""
    return None if math.isnan(value) else float(f"{value:.3g}")


def _standing(scores: Scores, ranking: Ranking) -> dict[str, Any]:
    digits = ranking.scale.digits + MORE
    columns = [*SUMMARY[:2], *ranking.noises]
    of_column = {column: column_marks(column, ranking) for column in columns}
    rows = []
    by_model = zip(ranking.table.to_dict("records"), ranking.places.to_dict("records"), strict=True)
    for place, (line, told) in enumerate(by_model):
        model = str(ranking.table.index[place])
        marked = {c: found[place] for c, found in of_column.items() if place in found}
        rows.append(
            {
                "model": model,
                "in_distribution": number(line["in_distribution"], digits),
                "ood": number(line["ood"], digits),
                "low": number(line["ood_low"], digits),
                "high": number(line["ood_high"], digits),
                "rank_low": _rank(told["rank_low"]) if ranking.tells_apart else None,
                "rank_high": _rank(told["rank_high"]) if ranking.tells_apart else None,
                "group": told["group"] if ranking.tells_apart else "",
                "trainings": int(ranking.trainings[model]),
                "seconds": seconds(line["seconds"]),
                "noises": {noise: number(line[noise], digits) for noise in ranking.noises},
                "best": [column for column, mark in marked.items() if mark == "bold"],
                "unreached": [column for column, mark in marked.items() if mark == "italic"],
            }
        )
    return {
        "dataset": ranking.dataset,
        "metric": ranking.scale.metric,
        "cells": len(ranking.shared[CELL].drop_duplicates()),
        "images": int(ranking.shared["image"].nunique()),
        "sentences": sentences(scores, ranking),
        "noises": ranking.noises,
        "rows": rows,
    }


def _rank(value: float) -> int | None:
    return None if math.isnan(value) else int(value)


def _points(ranking: Ranking) -> Iterator[dict[str, Any]]:
    means, digits = level_means(ranking.rows, ranking.scale.metric), ranking.scale.digits + MORE
    by_model = zip(means.index.to_flat_index(), means.to_dict("records"), strict=True)
    for (noise, level, model), line in by_model:
        yield {
            "dataset": ranking.dataset,
            "metric": ranking.scale.metric,
            "noise": noise,
            "level": float(level),
            "model": model,
            **{name: number(line[name], digits) for name in ("mean", "low", "high")},
            "images": int(line["images"]),
            "seeds": [int(seed) for seed in line["seeds"]],
        }
