"""Scores of models on noisy images, and who is best."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.api.registered import checked_seed, load_registries
from benchmark.api.words import speaking_python
from benchmark.cells import Cell, ResultStore
from benchmark.cells.provenance import some_of
from benchmark.cells.scores import Scores
from benchmark.console import log
from benchmark.denoiser.wrapped import identity_of_object, left_as_found
from benchmark.environment.device import pick_device
from benchmark.files.output import prepare, refuse_among_images
from benchmark.objects.given import chosen
from benchmark.objects.registries import REGISTRIES, suites
from benchmark.reporting.board import Board
from benchmark.scoring.compose import compose, protocol_asked
from benchmark.scoring.grid import Grid, fill, missing
from benchmark.scoring.pictures import Kept
from benchmark.scoring.rescore import changes_of
from benchmark.settings import GIVEN

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch

    from benchmark.datasets import Dataset
    from benchmark.denoiser.wrapped import Restores
    from benchmark.metrics import Metric
    from benchmark.noise import NoiseModel

    Settings = Mapping[str, Any]
    Models = str | Restores | Sequence[str | Restores] | Mapping[str, str | Restores | Settings]
    Noises = (
        str
        | NoiseModel
        | Dataset
        | Sequence[str | NoiseModel | Dataset]
        | Mapping[str, str | NoiseModel | Dataset | Settings]
    )
    Images = np.ndarray | Sequence[np.ndarray]
    Datasets = str | Images | Dataset | Sequence[str | Dataset] | Mapping[str, Any]
    Metrics = str | Metric | Sequence[str | Metric] | Mapping[str, str | Metric | Settings]


@speaking_python()
def score(
    model: Models,
    noise: Noises,
    data: Datasets = "photos",
    *,
    metric: Metrics = ("psnr", "ssim"),
    protocol: str = "masked",
    seeds: int | Iterable[int] = 0,
    tile: int | str = "auto",
    precision: str = "fp32",
    runtime: str = "torch",
    device: str | torch.device = "auto",
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Scores:
    """Score denoisers on noisy images, as ``bench run`` does, to the bit.

    Each of the first four arguments is a registered name, ``"all"``, an object, a list of these,
    or a dict from names of your own to these, or to the settings of a registered class:
    ``{"masked_off": {"of": "masked", "mask": False}}``, ``{"kodak24": {"limit": 4}}``.

    Parameters
    ----------
    model : str, torch.nn.Module, callable, list or dict
        What restores images: a (B, 3, H, W) float32 tensor in [0, 1], RGB, to the same; by a
        protocol of grey images (B, 1, H, W). A module
        has the name of its class where none is given; a function has to be given one. Modules,
        and those which a function reads by name, are run in evaluation mode, and are given back in
        the mode and on the device they were found.
    noise : str, NoiseModel, Dataset, list or dict
        Names (``"gaussian"``: at all its levels), the name of a suite (``"paper"``), formulas
        (``"gaussian(25)"``, ``"poisson(2)>>jpeg(50)"``), or noise models. Recorded noise, a
        dataset, brings its own images.
    data : str, array, list of array, Dataset, list or dict, optional
        Clean images: names, or arrays: (N, H, W, 3), or a list of (H, W, 3) of any sizes, RGB,
        uint8, or floating point in [0, 1]; by a protocol which takes them grey ones, (N, H, W) or
        (N, H, W, 1), and uint16. They are called ``"images"`` where no name is given, and each by
        its number. Noise depends on these names, see `add_noise`.
    metric : str, Metric, list or dict, optional
        What restored images are compared by.
    protocol : str, optional
        How images are clipped, rounded, drawn and compared: ``"masked"``, ``"kair"``, ``"float"``,
        ``"kair(border=2)"``, ``"kair_grey"``, ``"masked(bits=16)"``; see
        `benchmark.protocol.Protocol`.
    seeds : int or iterable of int, optional
        Noisy versions of each image, one for each.
    tile, precision, runtime : optional
        How models are run; see `benchmark.denoiser.inference.Inference`. ``precision`` and
        ``runtime`` are also ``"auto"``.
    device : str or torch.device, optional
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    store : path, optional
        A results folder, which ``bench report out=FOLDER`` reads. What is scored there already is
        not scored again, and whatever ends a run, the same call goes on. By default nothing is
        kept.
    progress : bool, optional
        Whether a bar is drawn: images and cells done, what is scored now, time left.

    Returns
    -------
    Scores
        ``.rows`` is the table, a `pandas.DataFrame` with a line for each image of each model,
        dataset, noise, level and seed: these names, a column for each metric, hashes of the noisy
        and clean pixels, and ``seconds``. See `leaderboard` for means.

    Raises
    ------
    ValueError
        If something is unknown, has no name or a wrong setting; if images or weights are missing;
        if a model returns no picture; or if ``store`` holds scores of something else under the
        same names: of other weights, code of a network, images or another protocol.
    benchmark.metrics.MetricUnavailable
        If the package or the weights of a metric are missing.

    Examples
    --------
    >>> import benchmark
    >>> small = {"photos": {"crop": 64, "limit": 1}}
    >>> scores = benchmark.score(["identity", "tv"], "gaussian(25)", small)
    >>> scores.rows[["model", "noise", "level", "image"]]
          model     noise  level      image
    0  identity  gaussian   25.0  astronaut
    1        tv  gaussian   25.0  astronaut
    """
    load_registries()
    device = pick_device(device)
    if not isinstance(protocol, str):
        raise ValueError(f"protocol= is the text of one, such as 'kair', got {protocol!r:.60}")
    grid = compose(
        chosen("model", model),
        chosen("noise", noise),
        chosen("data", data),
        chosen("metric", metric),
        protocol=protocol_asked(protocol),
        seeds=_checked(seeds),
        device=device,
        tile=str(tile),
        precision=precision,
        runtime=runtime,
    )
    drawn = log.shown() if progress else nullcontext()
    with _opened(store) as opened, left_as_found(grid.models.values()), drawn:
        if store is not None:
            refuse_among_images(opened.root, grid.datasets)
        lacking = missing(grid, opened)
        if store is not None:
            _warn_of_other_code(grid, opened, lacking)
        if lacking:
            for one in grid.metrics.values():
                one.prepare()
            fill(grid, opened, lacking, device, kept=Kept("none" if store is None else "first"))
            _warn_of_changed(grid)
        return _scores(grid, opened)


@speaking_python()
def leaderboard(scores: Scores, metric: str | None = None) -> pd.DataFrame:
    """Rank models by their mean over noises, with intervals and ties.

    Parameters
    ----------
    scores : Scores
        Of `score`.
    metric : str, optional
        By default PSNR, or the first there is.

    Returns
    -------
    pandas.DataFrame
        A line for each dataset and model, best first, ``identity`` and ``bm3d`` above the others.
        Columns are ``in_distribution``, the mean at Gaussian noise of sigma 15; ``ood``, the mean
        over all other noises, each the mean of its levels, with ``ood_low`` and ``ood_high``, its
        95 % interval; a column for each noise; ``seconds`` for an image; ``rank_low`` and
        ``rank_high``, the ranks which a model may have; and ``group``, letters which models share
        that cannot be told apart. What there is nothing of is NaN.

    Raises
    ------
    ValueError
        If there is no such metric, or models share no noisy images.
    """
    import pandas as pd

    if not isinstance(scores, Scores | pd.DataFrame):
        raise ValueError(f"scores= is what benchmark.score returns, got {scores!r:.60}")
    tables = {one.dataset: one.table.join(one.places) for one in Board.of(scores).by(metric)}
    return pd.concat(tables, names=["dataset"])


def _warn_of_other_code(grid: Grid, store: ResultStore, lacking: Collection[Cell]) -> None:
    """Warn of finished cells which other code scored than there is now, and which stay."""
    changed = changes_of(grid, store).changed
    if stay := [cell for cell in changed if cell not in lacking]:
        what = some_of(change for cell in stay for change in changed[cell])
        warnings.warn(
            f"{len(stay)} of {len(grid.cells)} cells in {store.root} were scored by other code "
            f"({what}) and stay as they are; take another store, or remove them there, to have "
            f"them scored anew",
            stacklevel=4,
        )


def _warn_of_changed(grid: Grid) -> None:
    """Warn of models of Python which are not what they were before they restored images."""
    for name, model in grid.models.items():
        before = grid.settings["model"][name]
        if str(before["of"]).startswith(GIVEN):
            now = identity_of_object(model)
            if changed := [key for key in now if before.get(key) != now[key]]:
                warnings.warn(
                    f"'{name}' changed its {' and '.join(changed)} while it restored images: its "
                    f"scores may depend on their order, and a store will not know it again",
                    stacklevel=4,
                )


def _checked(seeds: int | Iterable[int]) -> list[int]:
    given = list(seeds) if isinstance(seeds, Iterable) else [seeds]
    try:
        found = [checked_seed(seed) for seed in given]
    except ValueError:
        found = []
    if not found or len({*found}) < len(found):
        raise ValueError(f"seeds={seeds!r:.60} should be whole numbers of 0 or more, each once")
    return found


@contextmanager
def _opened(store: str | os.PathLike[str] | None) -> Iterator[ResultStore]:
    """A folder of results; one which is gone afterwards, where none is given."""
    if store is not None:
        if not isinstance(store, str | os.PathLike):
            raise ValueError(f"store= is the path of a folder, got {store!r:.60}")
        yield ResultStore(prepare(Path(store).expanduser() if os.fspath(store) else ""))
        return
    with tempfile.TemporaryDirectory(prefix="noisebench-") as folder:
        yield ResultStore(folder)


def _scores(grid: Grid, store: ResultStore) -> Scores:
    """The lines of a grid's cells and images, of all that a store has."""
    cells = {*grid.cells}
    partners = {n: cls.compared_with for n, cls in REGISTRIES["model"].items() if cls.compared_with}
    scores = store.scores(partners, lambda record: Cell(**record["cell"]) in cells, suites=suites())
    images = {(name, image) for name, data in grid.datasets.items() for image in data.images()}
    rows = scores.rows
    kept = [line in images for line in zip(rows["dataset"], rows["image"], strict=True)]
    return replace(scores, rows=rows[kept].reset_index(drop=True))
