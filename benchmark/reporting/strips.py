"""Which crops the strips of a report show, and what is said of those that are not there."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmark.cells import Cell, pictures
from benchmark.cells.provenance import some_of
from benchmark.cells.scores import Scores
from benchmark.pixels import central
from benchmark.protocol import REFERENCE
from benchmark.reporting.statistics import mild_to_hard
from benchmark.reporting.statistics.trainings import network_of

NAMED = 5  # pictures named in a sentence


def strips(
    scores: Scores, dataset: str, root: Path | None, order: Sequence[str] | None = None
) -> Iterator[tuple[str, dict[str, np.ndarray], str]]:
    """Each noise with pictures of its first image at the third of its levels, or the last.

    Parameters
    ----------
    root
        The folder of the pictures.
    order
        That of the models; by default the references come first, the others by name.

    Returns
    -------
    iterator
        The noise, crops by label as `benchmark.reporting.figures.strips.strip` takes them, and a
        title. One warning names the pictures which are missing or damaged.
    """
    if root is None or not root.is_dir():
        return
    table = scores.rows[scores.rows["dataset"] == dataset]
    lacking: dict[str, list[str]] = {}  # by noise
    models_lacking: set[str] = set()
    for noise in sorted(table["noise"].unique()):
        rows = table[table["noise"] == noise]
        level, seed = mild_to_hard(table, noise)[:3][-1], rows["seed"].min()
        rows = rows[(rows["level"] == level) & (rows["seed"] == seed)]
        models = sorted(rows["model"].unique(), key=lambda model: (model not in REFERENCE, model))
        if order is not None:
            models.sort(key=lambda model: [*order].index(network_of(model)))
        names = ["clean", "noisy", *(model for model in models if model != "identity")]
        cells = [Cell(model, dataset, noise, float(level), int(seed)) for model in models]
        image = rows["image"].iloc[0]
        folder = root / cells[0].pictures(image)
        scene = pictures.scene(folder, cells, image)
        paths = scene.paths if scene else {}
        if absent := [name for name in names if name not in paths]:
            place = folder.relative_to(root / dataset)
            absent = absent if scene else ["clean"]
            lacking[noise] = [f"{place}/{name}.png" for name in absent]
            lacking[noise] = lacking[noise] if folder.is_dir() else [f"{place}/"]
            models_lacking.update(absent if folder.is_dir() else models)
        if scene:
            crops = {
                name: central(scene.read(name), pictures.SIDE) for name in names if name in paths
            }
            title = f"{dataset}, {scores.label(noise)} {level:g}; PSNR of these crops"
            yield noise, {scores.label(name): crop for name, crop in crops.items()}, title
    if lacking:
        files = [name for names in lacking.values() for name in names]
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        models = sorted(models_lacking - {*pictures.SHARED}) or [table["model"].min()]
        settings = {"model": models, "noise": list(lacking), "data": dataset}
        warnings.warn(
            f"strips of {dataset} lack pictures which are missing or damaged in "
            f"{root / dataset}: {', '.join(files[:NAMED])}{more}; make them again with: "
            f"{_run_command(settings, root.parent)}, and the other settings of that run",
            stacklevel=3,
        )


def warn_of_old_strips(out: Path, root: Path | None) -> None:
    """Where pictures are no longer there: they are not copied by git, say, but their strips are."""
    old = sorted(path.name for path in out.glob("strip_*.png"))
    if old and root is not None and not root.is_dir():
        warnings.warn(
            f"there are no pictures in {root}: {some_of(old)} cannot be drawn again, and "
            f"leaderboard.md shows no strips; the bench run of README.md makes the pictures",
            stacklevel=3,
        )


def _run_command(settings: Mapping[str, object], out: Path) -> str:
    """The ``bench run`` of these models, noises and dataset, quoted for a shell."""
    listed = {k: f"[{','.join(v)}]" if isinstance(v, list) else v for k, v in settings.items()}
    if settings["noise"] == [settings["data"]]:
        del listed["data"]  # recorded noise brings its own images
    return shlex.join(["bench", "run", *(f"{k}={v}" for k, v in listed.items()), f"out={out}"])
