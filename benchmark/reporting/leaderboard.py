"""A ranking as people read it: its numbers as a table of texts, and what is said under it."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from benchmark.cells.scores import CELL, Scores
from benchmark.protocol import in_words, name_of
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


def standings(ranking: Ranking, brief: bool = False, underlined: bool = False) -> Table:
    """The models and their numbers, a rule below the references; brief where room is short.

    Parameters
    ----------
    underlined
        Mark the second best of each column as well, and where no two models can be told apart the
        first and the second value.
    """
    scores, digits = ranking.table, ranking.scale.digits
    bounds = zip(scores["ood_low"], scores["ood_high"], strict=True)
    columns = [("model", [ranking.label(model) for model in scores.index])]
    means = {"in_distribution": trained_words(ranking), "ood": "OOD mean"}
    means = {name: heading for name, heading in means.items() if scores[name].notna().any()}
    marks = {}
    for name, heading in (means | {name: ranking.label(name) for name in ranking.noises}).items():
        texts = [_number(value, digits) for value in scores[name]]
        marked = column_marks(name, ranking, underlined)
        marks |= {(row, len(columns)): mark for row, mark in marked.items()}
        columns.append((heading, texts))
        if name == "ood":
            interval = "±" if brief else "95 % interval"
            columns.append((interval, [_interval(*bound, digits, brief) for bound in bounds]))
            columns += _places(ranking, brief).items()
    columns.append(("s/image", [_seconds(value) for value in scores["seconds"]]))
    header, texts = zip(*columns, strict=True)
    return Table(
        header,
        list(zip(*texts, strict=True)),
        marks,
        rule=ranking.rule,
        caption=f"{ranking.dataset}: {ranking.scale.heading}",
    )


def notes(scores: Scores, rankings: Iterable[Ranking]) -> dict[str, str]:
    """The caveats of the noises of some rankings, each once and without its full stop."""
    found = {name: scores.notes.get(name, "") for one in rankings for name in one.noises}
    return {scores.label(name): note.rstrip(".") for name, note in found.items() if note}


def brief_notes(scores: Scores, rankings: Iterable[Ranking]) -> list[str]:
    """The same as sentences for the terminal; where they are many, who has one."""
    found = notes(scores, rankings)
    if len(found) > MOST_NOTES:
        *others, last = found
        names = f"{', '.join(others)} and {last}"
        return [f"{names} are guesses or estimates in part: bench list NAME says in which."]
    return [f"{noise}: {note}." for noise, note in found.items()]


def sentences(scores: Scores, ranking: Ranking, brief: bool = False) -> list[str]:
    """What stands under a leaderboard: how much is behind it, what its columns mean.

    The caveats of the noises stand apart, once for all leaderboards: see `notes`.

    Parameters
    ----------
    brief
        For the terminal: fewer words, the interval as half its width.
    """
    said = [*counts(scores, ranking), *caveats(scores, ranking), *mean_words(ranking, brief)]
    if brief:
        said += [f"Protocol {name_of(facts)}." for facts in scores.protocols]
    else:
        said += interval_words(ranking) if ranking.noises else []
        said += protocol_words(scores, ranking)
    return [*said, *tie_words(ranking, brief), *bold_words(ranking, brief)]


def caveats(scores: Scores, ranking: Ranking) -> list[str]:
    """What is to be known of single models: who is not shown, who was restored otherwise."""
    said = []
    if absent := sorted(set(ranking.everything["model"]) - set(ranking.rows["model"])):
        names = ", ".join(map(scores.label, absent))
        said.append(f"Without a value of {ranking.scale.label}, so not shown: {names}.")
    models, inference = ranking.table.index, scores.inference.get(ranking.dataset, {})
    names = [name for model in models for name in ranking.members[model]]
    restored = {scores.label(name): inference[name] for name in names if name in inference}
    if unusual := [f"{name} ({', '.join(how)})" for name, how in restored.items()]:
        said.append(f"Restored whole, in fp32 and by torch, but for: {', '.join(unusual)}.")
    notes: dict[str, list[str]] = {}
    for name in names:
        if note := scores.model_notes.get(name):
            notes.setdefault(note, []).append(scores.label(name))
    said += [f"{', '.join(noted)}: {note}." for note, noted in notes.items()]
    if scores.made and (mixed := scores.made.sentence(ranking.shared)):
        said.append(mixed)
    return said


def mean_words(ranking: Ranking, brief: bool = False) -> list[str]:
    """What the OOD mean is over, where there is one; brief, what ± is as well."""
    if not ranking.noises:
        return []
    several = f"{len(ranking.noises)} noise{'s' * (len(ranking.noises) != 1)}"
    seen, trained = ranking.table["in_distribution"].notna().any(), trained_words(ranking)
    if brief:
        apart = f", without {trained}, the training level" if seen else ""
        return [
            f"OOD mean: over {several}, each over its levels{apart}; ± is half its 95 % bootstrap "
            f"interval over {covered(ranking)}."
        ]
    apart = f"; {trained}, the training level, counts in its own column only" if seen else ""
    return [
        f"OOD mean: unweighted mean over {several}, each the unweighted mean over its levels"
        f"{apart}."
    ]


def counts(scores: Scores, ranking: Ranking) -> list[str]:
    """How many images, of what, and cells are behind a ranking, and why others are not."""
    rows, shared = ranking.rows, ranking.shared
    cells = len(rows[CELL].drop_duplicates())
    used = len(shared[CELL].drop_duplicates())
    images, all_images = shared["image"].nunique(), rows["image"].nunique()
    of_all = "" if images == all_images else f" of {all_images}"
    models = rows["model"].nunique()
    who = f"all {models} models" if models > 1 else "1 model"
    pictures = f"{images}{of_all} image{'s' * (images != 1)}"
    if (dataset := scores.dataset_label(ranking.dataset, shared)) != ranking.dataset:
        pictures += f" of {dataset}"
    said = [f"{pictures}; {used} of {cells} cells shared by {who}."]
    if len(crops := scores.parts_of(ranking.dataset, shared).get("crop", ())) > 1:
        said.append(f"Images of {len(crops)} crops count alike here: score all noises by one.")
    if used < cells:
        own = rows.drop_duplicates(["model", *CELL]).groupby("model").size()
        own = own[own < cells]
        lacking = [f"{ranking.label(str(m))} lacks {cells - n}" for m, n in own.items()]
        why = ", ".join(lacking) or "their images differ"
        lacked = cells - used
        said.append(
            f"{lacked} cell{'s' * (lacked != 1)} of others {'are' if lacked != 1 else 'is'} left "
            f"out: {why}."
        )
    return said


def protocol_words(scores: Scores, ranking: Ranking) -> list[str]:
    """How images were compared, as far as the table knows it."""
    parts = [in_words(facts) for facts in scores.protocols]
    if border := scores.border.get(ranking.dataset, {}).get(ranking.scale.metric):
        parts.append(f"a {border}-pixel border left out")
    return [f"Protocol {', '.join(parts)}."] if parts else []


def trained_words(ranking: Ranking) -> str:
    """The noise and level of training: ``gaussian 15``."""
    noise, level = ranking.in_distribution
    return f"{ranking.label(noise)} {level:g}"


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


def column_marks(column: str, ranking: Ranking, underlined: bool = False) -> dict[int, str]:
    """By row, how the best of a column are marked, and as italic references no model reaches."""
    values = ranking.table[column]
    values = values if ranking.scale.is_higher_better else -values
    competing = values[~values.index.isin(ranking.reference)].dropna()
    best, second = ranking.best.get(column, set()), ranking.second.get(column, set())
    if underlined and not best and len(competing) > 1:
        place = competing.round(ranking.scale.digits).rank(method="dense", ascending=False)
        best, second = set(place.index[place == 1]), set(place.index[place == 2])
    marks = {}
    for row, model in enumerate(values.index):
        if model in best:
            marks[row] = "bold"
        elif model in second and underlined:
            marks[row] = "underline"
        elif model in ranking.reference and values[model] > competing.max():
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
