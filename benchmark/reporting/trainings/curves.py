"""How trainings went: quality and loss against the steps done, as curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.files.whole import write_whole
from benchmark.reporting.figures.saving import save_figure
from benchmark.reporting.readme import facts_of
from benchmark.reporting.readme import page as page_of
from benchmark.reporting.trainings.facts import facts_of_runs
from benchmark.reporting.trainings.figure import training_curves
from benchmark.reporting.trainings.page import page, read_runs

FILES = ("training.md", "training_curves.svg")


def readme(out: Path, commands: Sequence[str], shipped: Mapping[str, Path]) -> str:
    """The README of a folder of trainings, as Markdown: what they were of, and with what.

    Parameters
    ----------
    commands
        Those which reported it.
    shipped
        Further weights files by name, in which to look for what a training was.
    """
    facts = facts_of_runs(out, read_runs(out), shipped)
    scores = facts_of(record for records in facts.values() for record in records)
    unknown = [name for name, records in facts.items() if not records]
    return page_of(
        out.resolve().name, commands, scores, [*FILES, "logs"], verb="report", unknown=unknown
    )


def write_curves(out: Path) -> list[Path]:
    """Write ``training_curves.svg`` and ``training.md`` beside the runs of a folder.

    The same runs give the same bytes.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    ValueError
        As in `read_runs`, or if the folder has no run.
    """
    runs = read_runs(out)
    if not runs:
        raise ValueError(
            f"{out} has no NAME/validation.csv, so there is no training to draw; "
            f"begin one with: bench train model=NAME out={out}"
        )
    write_whole(out / "training.md", page(runs, f"bench report out={out}"))
    drawn = save_figure(out / "training_curves", ["svg"], training_curves, runs)
    return [*drawn, out / "training.md"]
