"""All that the explorer shows of a table of scores, as one dict which JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.protocol import in_words, name_of
from benchmark.reporting.board import Board
from benchmark.reporting.explorer.provenance import cells_and_records, settings_by
from benchmark.reporting.explorer.standings import families, number, points, standings
from benchmark.reporting.figures.style import Style
from benchmark.reporting.leaderboard import notes
from benchmark.reporting.ranking import noise_order
from benchmark.reporting.statistics import mild_to_hard, shared_rows
from benchmark.reporting.statistics.trainings import network_of, trainings_of

NOISY = "identity"  # the model whose scores are those of the noisy images
HASH = "sha256:"


@dataclass(frozen=True)
class Cost:
    """What a model takes.

    Parameters
    ----------
    parameters, gmacs
        How many numbers it has, and 10^9 products with their sums per megapixel; None where that
        is not known.
    note
        Why it is not known, as a sentence.
    """

    parameters: int | None = None
    gmacs: float | None = None
    note: str = ""


def facts(
    board: Board,
    folder: str,
    commands: Sequence[str] = (),
    costs: Mapping[str, Cost] | None = None,
    sheets: Mapping[str, str] | None = None,
    scenes: Sequence[Mapping[str, Any]] = (),
    style: Style | None = None,
) -> dict[str, Any]:
    """Everything that the explorer shows; numbers rounded to two digits more than are printed.

    Parameters
    ----------
    folder
        Of the cells, as commands name it.
    commands
        Those which filled the folder, and the one which made the page.
    costs
        By model.
    sheets
        By noise, what it is, as elements of HTML.
    scenes
        What there is to look at, as `pictures.embed` gives it.
    style
        How models look; see `benchmark.reporting.figures.style.Style`.

    Raises
    ------
    ValueError
        As `Board.rows` and `Board.metrics`, or if the direction of a metric is unknown.
    """
    rankings = [ranking for of in board.rankings.values() for ranking in of.values()]
    cells, records = cells_and_records(board)
    style = style or Style()
    style = replace(style, everyone=style.everyone or board.scores.models)
    (noise, level), (protocol, *_) = board.in_distribution, (*board.scores.protocols, None)
    return {
        "title": Path(folder).resolve().name,
        "folder": folder,
        "commands": list(commands),
        "protocol": {
            "name": name_of(protocol) if protocol else "",
            "words": in_words(protocol) if protocol else "",
        },
        "trained": {"noise": noise, "level": level},
        "footnotes": [f"{name}: {note}." for name, note in notes(board.scores, rankings).items()],
        "models": _models(board, costs or {}, style),
        "noises": _noises(board, sheets or {}),
        "datasets": _datasets(board),
        "metrics": _metrics(board),
        "cells": cells,
        "standings": standings(board),
        "points": points(board),
        "records": records,
        "scenes": list(scenes),
    }


def _models(board: Board, costs: Mapping[str, Cost], style: Style) -> list[dict[str, Any]]:
    scores, rows = board.scores, board.rows
    members, known = trainings_of(rows), settings_by(board, "model", "model")
    styles = style.lines(list(members), board.reference)
    partners = {network_of(one): network_of(other) for one, other in scores.partners.items()}
    models = []
    for name in _ranked(board, members):
        own = [dict(known.get(member, {})) for member in members[name]]
        weights = [str(settings.pop("weights", None) or "") for settings in own]
        noted = [scores.model_notes.get(member, "") for member in members[name]]
        cost = next((costs[member] for member in members[name] if member in costs), Cost())
        models.append(
            {
                "name": name,
                "label": scores.label(name),
                **_look(styles[name]),
                "reference": name in board.reference,
                "note": "; ".join(dict.fromkeys(filter(None, noted))),
                "compared_with": partners.get(name),
                "trainings": members[name],
                "counted": _counted(board, name) if len(members[name]) > 1 else {},
                "parameters": cost.parameters,
                "gmacs": cost.gmacs,
                "cost_note": cost.note,
                "settings": own[0],
                "weights": " ".join(w.removeprefix(HASH) for w in weights if w) or None,
            }
        )
    return models


def _counted(board: Board, network: str) -> dict[str, dict[str, list[str]]]:
    """By dataset and metric, the trainings over which the network's means are taken."""
    own = board.rows[board.rows["model"].map(network_of) == network]
    counted: dict[str, dict[str, list[str]]] = {}
    for dataset, rows in own.groupby("dataset"):
        of_metrics = counted[str(dataset)] = {}
        for metric in board.metrics:
            scored = rows.dropna(subset=metric)
            shared = shared_rows(scored)
            found = trainings_of(scored if shared.empty else shared, metric)
            of_metrics[metric] = found.get(network, [])
    return counted


def _ranked(board: Board, members: Mapping[str, object]) -> list[str]:
    """The models as the first ranking has them, then those which it lacks, by name."""
    tables = [ranking.table for of in board.rankings.values() for ranking in of.values()]
    first = [str(name) for table in tables[:1] for name in table.index]
    return [*first, *sorted(set(members) - set(first))]


def _look(style: Mapping[str, Any]) -> dict[str, str]:
    """A line's look as SVG has it, but for the marker, which has its name of matplotlib."""
    from matplotlib.colors import to_hex

    dashes = () if isinstance(style["linestyle"], str) else style["linestyle"][1]
    pattern = " ".join(f"{length * style['linewidth']:g}" for length in dashes)
    return {"colour": to_hex(style["color"]), "marker": style["marker"], "dash": pattern}


def _noises(board: Board, sheets: Mapping[str, str]) -> list[dict[str, Any]]:
    scores, rows = board.scores, board.rows
    known, recorded = settings_by(board, "noise", "noise"), settings_by(board, "noise", "dataset")
    family_of = {noise: family for family, own in families(scores).items() for noise in own}
    noises = []
    for noise in noise_order(rows["noise"].unique(), board.in_distribution[0]):
        is_recorded = bool((rows.loc[rows["noise"] == noise, "dataset"] == noise).any())
        noises.append(
            {
                "name": noise,
                "label": scores.label(noise),
                "family": family_of[noise],
                "unit": scores.units.get(noise, ""),
                "note": scores.notes.get(noise, ""),
                "recorded": is_recorded,
                "levels": mild_to_hard(rows, noise),
                "settings": (recorded if is_recorded else known).get(noise, {}),
                "sheet": sheets.get(noise, ""),
                "noisy": _noisy(board, noise),
            }
        )
    return noises


def _noisy(board: Board, noise: str) -> list[dict[str, Any]]:
    """The PSNR of the noisy images themselves; none where they were not scored."""
    rows, metric = board.rows, "psnr"
    if metric not in rows:
        return []
    own = rows[(rows["model"] == NOISY) & (rows["noise"] == noise)].dropna(subset=metric)
    means = own.groupby(["dataset", "level"])[metric].mean()
    levels = mild_to_hard(rows, noise)
    return [
        {"dataset": dataset, "level": level, metric: number(means[dataset, level], 2)}
        for dataset in dict.fromkeys(own["dataset"])
        for level in levels
        if (dataset, level) in means
    ]


def _datasets(board: Board) -> list[dict[str, Any]]:
    known, rows = settings_by(board, "dataset", "dataset"), board.rows
    found = []
    for dataset in board.datasets:
        own = rows[rows["dataset"] == dataset]
        found.append(
            {
                "name": dataset,
                "recorded": bool((own["noise"] == dataset).any()),
                "images": sorted(own["image"].unique()),
                "settings": known.get(dataset, {}),
            }
        )
    return found


def _metrics(board: Board) -> list[dict[str, Any]]:
    scales = [board.scale(name) for name in board.metrics]
    return [
        {
            "name": scale.metric,
            "label": scale.label,
            "unit": scale.unit,
            "higher_is_better": scale.is_higher_better,
            "digits": scale.digits,
        }
        for scale in scales
    ]
