"""What of a results folder is shown and how it looks: the options which reports share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.cells import ResultStore
    from benchmark.cells.scores import Scores
    from benchmark.reporting.board import Board
    from benchmark.reporting.figures.style import Style
    from benchmark.reporting.selection import Selection


@dataclass(frozen=True)
class LookOptions:
    """Which folder is shown, and how it looks.

    Parameters
    ----------
    out
        The results folder.
    labels
        What readers see in place of a model's or noise's name: [masked: Masked (ours)].
    style
        A YAML file with labels, and the colours, markers and sizes of figures: docs/papers.md.
    protocol
        Of a folder with scores by several protocols, the one which is shown.
    """

    out: str = "results/local"
    labels: tuple[str, ...] = ()
    style: str | None = None
    protocol: str | None = None


@dataclass(frozen=True)
class ShownOptions(LookOptions):
    """What of a folder is shown.

    Parameters
    ----------
    model
        Names of scored models, in the order in which they are shown, or all, by rank.
    noise
        Names of scored noises, of suites (paper) and families (camera), or all.
    level
        Only these levels, by default all.
    metric
        Names of metrics, in the order of their tables, or all.
    data
        Names of datasets, or all.
    """

    model: tuple[str, ...] = ("all",)
    noise: tuple[str, ...] = ("all",)
    level: tuple[float, ...] = ()
    metric: tuple[str, ...] = ("all",)
    data: tuple[str, ...] = ("all",)


def stored_scores(store: ResultStore, protocol: str | None) -> Scores:
    """The scores of a folder's cells by a protocol, or by any where none is named.

    Raises
    ------
    ValueError
        If there is no such protocol.
    """
    from benchmark.cli.output import families, partners, suites
    from benchmark.cli.registered.catalogue import open_catalogue
    from benchmark.protocol import name_of, protocol_of

    asked = protocol_of(protocol).name if protocol else None
    catalogue = open_catalogue()
    return store.scores(
        partners(catalogue),
        lambda record: asked in (None, name_of(record["settings"]["protocol"])),
        families=families(catalogue),
        suites=suites(catalogue),
    )


def some_scores(store: ResultStore, protocol: str | None) -> Scores:
    """As `stored_scores`; ``ValueError`` as well if there are none."""
    scores = stored_scores(store, protocol)
    if scores.rows.empty:
        by = f" by protocol {protocol}" if protocol else ""
        raise ValueError(
            f"no finished cells under {store.root}{by}; fill it with: bench run out={store.root}"
        )
    return scores


def selection_of(options: ShownOptions) -> Selection:
    """What is chosen."""
    from benchmark.reporting.selection import Selection

    noise = stored_noises(options.noise)
    return Selection(options.model, noise, options.level, options.metric, options.data)


def stored_noises(typed: Sequence[str]) -> tuple[str, ...]:
    """The names that stored cells have of noises; formulas may be spelled in any way.

    Raises
    ------
    ValueError
        If a formula is wrong, or is a registered noise at one level, which has no name of its own.
    """
    from benchmark.cli.words.known import is_formula

    return tuple(_name_of_formula(one) if is_formula(one) else one for one in typed)


def _name_of_formula(typed: str) -> str:
    from benchmark.cli.registered.plugins import load_fitting_plugins
    from benchmark.noise.formula import as_choice

    load_fitting_plugins()
    name, settings = as_choice(typed)
    if "of" not in settings:
        (level,) = settings["levels"]
        raise ValueError(
            f"noise={typed} is one level of a noise, and levels are chosen by themselves: "
            f"noise={name} level={level:g}"
        )
    return name


def shown(options: ShownOptions, scores: Scores) -> tuple[Scores, Board, Style]:
    """All scores with their labels, the board of those which are chosen, and how it looks.

    Raises
    ------
    ValueError
        If something chosen is not there, or as `labelled`; see `Selection.board`.
    """
    scores, style = labelled(options, scores)
    return scores, selection_of(options).board(scores), style


def labelled(options: LookOptions, scores: Scores) -> tuple[Scores, Style]:
    """All scores with their labels, and how they look.

    Raises
    ------
    ValueError
        As `looks`.
    """
    names = [list(map(str, scores.rows[column].unique())) for column in ("model", "noise")]
    labels, style = looks(options.labels, options.style, *names)
    return replace(scores, labels=labels), style


def looks(
    labels: Sequence[str], style: str | None, models: Collection[str], noises: Collection[str]
) -> tuple[dict[str, str], Style]:
    """What models and noises are called, by name, and how figures look.

    Raises
    ------
    ValueError
        If something labelled or styled cannot be; see `read_labels` and `read_style`.
    """
    from benchmark.reporting.figures.style import Style
    from benchmark.reporting.style_file import read_labels, read_style

    of_file, found = read_style(style, models, noises) if style else ({}, Style())
    return read_labels(labels, models, noises, of_file), found
