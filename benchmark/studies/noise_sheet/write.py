"""Measure a noise, and write its data sheet: one figure and one page of numbers."""

from collections.abc import Iterable
from pathlib import Path

from benchmark.datasets import Dataset, Recorded
from benchmark.files.whole import file_name, write_whole
from benchmark.noise import NoiseModel
from benchmark.pixels import small_png_bytes
from benchmark.studies.noise_sheet.drawing import draw, pixels
from benchmark.studies.noise_sheet.measures import measure
from benchmark.studies.noise_sheet.page import index_page, page
from benchmark.studies.noise_sheet.sheet import Sheet


def write_sheet(
    name: str,
    subject: NoiseModel | Recorded,
    dataset: Dataset | None,
    out: Path,
    command: str,
    seed: int = 0,
) -> Sheet:
    """Measure a noise and write ``NAME.png`` and ``NAME.md``: the same bytes for the same input.

    Parameters
    ----------
    dataset
        The clean images; recorded noise brings its own.
    command
        What the page says it was made with.

    Raises
    ------
    ValueError
        As `benchmark.studies.noise_sheet.measures.measure` does.
    """
    sheet = measure(name, subject, dataset, seed)
    write_whole(out / f"{file_name(name)}.md", page(sheet, command))
    write_whole(out / f"{file_name(name)}.png", small_png_bytes(pixels(draw(sheet))))
    return sheet


def write_index(sheets: Iterable[Sheet], out: Path, command: str) -> Path:
    """Write ``README.md``, the table of all sheets in a folder."""
    path = out / "README.md"
    write_whole(path, index_page(sheets, command))
    return path
