"""How trainings went: quality and loss against the steps done, as curves."""

from pathlib import Path

from benchmark.files.whole import write_whole
from benchmark.reporting.figures.saving import save_svg
from benchmark.reporting.trainings.figure import training_curves
from benchmark.reporting.trainings.page import page, read_runs


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
    drawn = save_svg(out / "training_curves.svg", training_curves, runs)
    return [drawn, out / "training.md"]
