"""A ranking as people read it: its numbers as a table of texts, and what is said under it."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from benchmark.cells.scores import CELL, Scores
from benchmark.protocol import in_words, name_of
from benchmark.reporting.board import label
from benchmark.reporting.certainty import (
    bold_words,
    covered,
    interval_words,
    rank_text,
    tie_words,
)
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.tables import ABSENT, Table

MOST_NOTES = 4  # caveats of noises below a table in the terminal
MOST_COLUMNS = 6  # noises beside each other in Markdown; more of them stand below each other


def standings(ranking: Ranking, brief: bool = False) -> Table:
    """The models and their numbers, a rule below the references; brief for the terminal."""
    scores, digits = ranking.table, ranking.scale.digits
    bounds = zip(scores["ood_low"], scores["ood_high"], strict=True)
    columns = {"model": [label(model) for model in scores.index]}
    means = {"in_distribution": _trained(ranking), "ood": "OOD mean"}
    marks = {}
    for name, heading in (means | {name: name for name in ranking.noises}).items():
        texts = [_number(value, digits) for value in scores[name]]
        marks |= {(row, len(columns)): mark for row, mark in _marks(name, ranking).items()}
        columns[heading] = texts
        if name == "ood":
            interval = "±" if brief else "95 % interval"
            columns[interval] = [_interval(*bound, digits, brief) for bound in bounds]
            columns |= _places(ranking, brief)
    columns["s/image"] = [_seconds(value) for value in scores["seconds"]]
    return Table(
        list(columns),
        list(zip(*columns.values(), strict=True)),
        marks,
        rule=len(ranking.references),
        caption=f"{ranking.dataset}: {ranking.scale.heading}",
    )


def notes(scores: Scores, rankings: Iterable[Ranking]) -> dict[str, str]:
    """The caveats of the noises of some rankings, each once and without its full stop."""
    found = {name: scores.notes.get(name, "") for one in rankings for name in one.noises}
    return {name: note.rstrip(".") for name, note in found.items() if note}


def brief_notes(scores: Scores, rankings: Iterable[Ranking]) -> list[str]:
    """The same as sentences for the terminal; where they are many, who has one."""
    found = notes(scores, rankings)
    if len(found) > MOST_NOTES:
        return [f"What is a guess or an estimate: leaderboard.md, {', '.join(found)}."]
    return [f"{noise}: {note}." for noise, note in found.items()]


def sentences(scores: Scores, ranking: Ranking, brief: bool = False) -> list[str]:
    """What stands under a leaderboard: how much is behind it, what its columns mean.

    The caveats of the noises stand apart, once for all leaderboards: see `notes`.

    Parameters
    ----------
    brief
        For the terminal: fewer words, the interval as half its width.
    """
    said = _counts(ranking)
    if absent := sorted(set(ranking.everything["model"]) - set(ranking.rows["model"])):
        names = ", ".join(label(model) for model in absent)
        said.append(f"Without a value of {ranking.scale.label}, so not shown: {names}.")
    models, inference = ranking.table.index, scores.inference.get(ranking.dataset, {})
    names = [name for model in models for name in ranking.members[model]]
    if unusual := [f"{label(m)} ({', '.join(inference[m])})" for m in names if m in inference]:
        said.append(f"Not in fp32 with whole images: {', '.join(unusual)}.")
    noted = scores.model_notes
    said += [f"{label(name)}: {noted[name]}." for name in names if name in noted]
    if scores.made and (mixed := scores.made.sentence(ranking.shared)):
        said.append(mixed)
    several = f"{len(ranking.noises)} noise{'s' * (len(ranking.noises) != 1)}"
    seen, trained = ranking.table["in_distribution"].notna().any(), _trained(ranking)
    if brief:
        apart = f", without {trained}, the training level" if seen else ""
        said.append(
            f"OOD mean: over {several}, each over its levels{apart}; ± is half its 95 % bootstrap "
            f"interval over {covered(ranking)}."
        )
        said += [f"Protocol {name_of(facts)}." for facts in scores.protocols]
    else:
        apart = f"; {trained}, the training level, counts in its own column only" if seen else ""
        said += [
            f"OOD mean: unweighted mean over {several}, each the unweighted mean over its levels"
            f"{apart}.",
            *interval_words(ranking),
            *_protocol(scores, ranking),
        ]
    return [*said, *tie_words(ranking, brief), *bold_words(ranking, brief)]


def _counts(ranking: Ranking) -> list[str]:
    """How many images and cells are behind a ranking, and why others are not."""
    rows, shared = ranking.rows, ranking.shared
    cells = len(rows[CELL].drop_duplicates())
    used = len(shared[CELL].drop_duplicates())
    images, all_images = shared["image"].nunique(), rows["image"].nunique()
    of_all = "" if images == all_images else f" of {all_images}"
    models = rows["model"].nunique()
    who = f"all {models} models" if models > 1 else "1 model"
    pictures = f"{images}{of_all} image{'s' * (images != 1)}"
    said = [f"{pictures}; {used} of {cells} cells shared by {who}."]
    if used < cells:
        own = rows.drop_duplicates(["model", *CELL]).groupby("model").size()
        lacking = [f"{label(str(m))} lacks {cells - n}" for m, n in own.items() if n < cells]
        why = ", ".join(lacking) or "their images differ"
        said.append(f"{cells - used} cells of others are left out: {why}.")
    return said


def _protocol(scores: Scores, ranking: Ranking) -> list[str]:
    """How images were compared, as far as the table knows it."""
    parts = [in_words(facts) for facts in scores.protocols]
    if border := scores.border.get(ranking.dataset, {}).get(ranking.scale.metric):
        parts.append(f"a {border}-pixel border left out")
    return [f"Protocol {', '.join(parts)}."] if parts else []


def _trained(ranking: Ranking) -> str:
    noise, level = ranking.in_distribution
    return f"{noise} {level:g}"


def _places(ranking: Ranking, brief: bool) -> dict[str, list[str]]:
    """The columns which say who is tied, and how many trainings stand behind each model."""
    places = ranking.places
    ranks = zip(places["rank_low"], places["rank_high"], strict=True)
    columns = {"rank": [rank_text(*bounds) for bounds in ranks], "group": [*places["group"]]}
    if not ranking.tells_apart:
        columns = {}
    elif brief:
        del columns["rank"]
    if (ranking.trainings > 1).any():
        columns["trainings"] = [str(count) for count in ranking.trainings]
    return columns


def _marks(column: str, ranking: Ranking) -> dict[int, str]:
    """By row, bold for the best group of a column, italic for references which no model reaches."""
    values = ranking.table[column]
    values = values if ranking.scale.is_higher_better else -values
    reached = values[~values.index.isin(ranking.reference)].max()
    best = ranking.best.get(column, ())
    marks = {row: "bold" for row, model in enumerate(values.index) if model in best}
    for row, model in enumerate(values.index):
        if model in ranking.reference and values[model] > reached:
            marks[row] = "italic"
    return marks


def _number(value: float, digits: int) -> str:
    return ABSENT if pd.isna(value) else f"{value:.{digits}f}"


def _interval(low: float, high: float, digits: int, brief: bool) -> str:
    if pd.isna(low):
        return ABSENT
    if brief:
        return f"±{(high - low) / 2:.{digits}f}"
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _seconds(value: float) -> str:
    if pd.isna(value):
        return ABSENT
    if value < 0.01:
        return "<0.01"
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"
