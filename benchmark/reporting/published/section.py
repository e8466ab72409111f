"""Published numbers as a page shows them: a table, and what stands under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.cells.scores import Scores, known_scale
from benchmark.reporting.published.agreement import Comparison, comparisons
from benchmark.reporting.published.numbers import Published, Source, sources
from benchmark.reporting.tables import Table

COLUMNS = ["dataset", "noise", "level", "model", "metric", "measured", "published", "difference"]
NOT_NUMBERS = ["dataset", "noise", "model", "metric", "published weights", "source"]


@dataclass(frozen=True)
class Section:
    """The values of the template ``published.md``.

    Parameters
    ----------
    sources
        Those which the table cites.
    notes
        By source and table, what has to be known of their numbers, each once.
    """

    table: Table
    sources: Sequence[Source]
    notes: Sequence[str]


def section(scores: Scores, printed: Sequence[Published] | None = None) -> Section | None:
    """What is published of these cells; None where nothing agrees. See `comparisons`."""
    found = comparisons(scores, printed)
    if not found:
        return None
    order = [name for name in scores.scales if name in {one.metric for one in found}]
    found.sort(
        key=lambda one: (one.dataset, one.noise, one.level, one.model, order.index(one.metric))
    )
    numbers = [one.published for one in found]
    known = sources()
    return Section(
        _table(scores, found),
        [known[key] for key in dict.fromkeys(number.source for number in numbers)],
        list(
            dict.fromkeys(
                f"{number.source}, {number.table}: {number.note}"
                for number in numbers
                if number.note
            )
        ),
    )


def _table(scores: Scores, found: Sequence[Comparison]) -> Table:
    rows = []
    for one in found:
        scale = scores.scales.get(one.metric, known_scale(one.metric))
        number = one.published
        rows.append(
            [
                one.dataset,
                scores.label(one.noise),
                f"{one.level:g}",
                scores.label(one.model),
                scale.heading,
                f"{one.measured:.{scale.digits}f}",
                str(one.printed),
                f"{one.difference:+.{-int(one.printed.as_tuple().exponent)}f}",
                number.training,
                f"{number.source}{', second hand' if number.second_hand else ''}",
            ]
        )
    return Table([*COLUMNS, "published weights", "source"], rows, left=NOT_NUMBERS)
