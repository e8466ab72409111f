"""What is said below a figure: what it shows, over what, how sure, which levels are a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.cells.scores import Scores
from benchmark.reporting.certainty import covered
from benchmark.reporting.figures.curves import Curves
from benchmark.reporting.leaderboard import protocol_words
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.statistics import RESAMPLES


def curves_caption(
    curves: Curves, scores: Scores, rankings: Sequence[Ranking], columns: int = 0
) -> str:
    """Of `benchmark.reporting.figures.curves.figure11`.

    Parameters
    ----------
    rankings
        Those of its metrics, whose images, seeds and trainings it shows.
    columns
        As in `Style`; where it is not 0 the figure has room for the first words of a unit alone,
        and the caption says the others.
    """
    dataset = scores.dataset_label(rankings[0].dataset, rankings[0].shared)
    said = [
        f"{_listed(curves.metrics.values())} against the level of the noise on {dataset}, the "
        f"hardest level to the right."
    ]
    if rankings[0].shared["image"].nunique() > 1:
        single = ", where there is one level a stroke," if curves.has_single_levels else ""
        said[0] += (
            f" A point is the mean over the images which all models of a level have, a band"
            f"{single} its 95 % interval: bootstrap over {covered(rankings[0])}, {RESAMPLES} "
            f"resamples."
        )
    if curves.others:
        said.append(f"Grey: {_listed(map(scores.label, curves.others))}.")
    noise, level = curves.in_distribution
    if ((curves.rows["noise"] == noise) & (curves.rows["level"] == level)).any():
        said.append(f"Dotted: {scores.label(noise)} {level:g}, the level of training.")
    said += _protocol(scores, rankings)
    told = {
        scores.label(name): curves.unit(name)
        for name in curves.noises
        if columns and curves.unit(name) != curves.unit(name, short=True)
    }
    said += _list("Levels", told)
    noted = {
        scores.label(name): curves.notes[name] for name in curves.noises if name in curves.notes
    }
    return " ".join([*said, *_list("Starred", noted)])


def ranks_caption(scores: Scores, rankings: Sequence[Ranking]) -> str:
    """Of `benchmark.reporting.figures.ranks.ranks_figure`."""
    images = rankings[0].pairs.measured.of_images.shape[1]
    dataset = scores.dataset_label(rankings[0].dataset, rankings[0].shared)
    said = [
        f"Mean ranks over the {images} images of {dataset}, 1 the best, by the mean over "
        f"{len(rankings[0].noises)} noises.",
        "A bar joins models which cannot be told apart, those of one letter in the table, with a "
        "dot at each. After Demšar (2006), with the tests of the table in place of Nemenyi's "
        "critical difference.",
    ]
    return " ".join([*said, *_protocol(scores, rankings)])


def _protocol(scores: Scores, rankings: Sequence[Ranking]) -> list[str]:
    """How images were compared: once, where it is the same by every metric."""
    words = {one.scale.label: " ".join(protocol_words(scores, one)) for one in rankings}
    if len({*words.values()}) == 1:
        return [text for text in {*words.values()} if text]
    return [f"{metric}: {text}" for metric, text in words.items()]


def _list(heading: str, told: dict[str, str]) -> list[str]:
    """``Levels: gaussian, sigma in 8-bit steps; poisson, alpha.``; nothing of nothing."""
    texts = [f"{name} ({text.rstrip('.')})" for name, text in told.items()]
    return [f"{heading}: {'; '.join(texts)}."] if texts else []


def _listed(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
