"""Many outputs of stochastic networks for each image: drawn, scored alone and averaged, stored."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from benchmark.cells import Cell, ResultStore
from benchmark.cells.filling import Part, Request
from benchmark.cells.records import Damaged, Record, Row, all_finite
from benchmark.cells.running.sharing import lacking, share
from benchmark.console.log import log
from benchmark.console.progress import track
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import WHOLE
from benchmark.environment.versions import describe_environment
from benchmark.metrics import Metric
from benchmark.scoring.evaluate import as_pixels, as_tensor, key_of, noisy_pair, score_of
from benchmark.scoring.grid import Grid
from benchmark.settings import plain
from benchmark.studies.stochastic import is_stochastic

SCORES = ("psnr", "ssim")

Variants = Mapping[str, Mapping[str, Denoiser]]  # by name of the model and of the variant


@dataclass(frozen=True)
class Draws:
    """How many outputs are drawn for each image, and how many of them are averaged.

    Parameters
    ----------
    passes
        Outputs of each image, 2 or more.
    averaged
        Sizes K of the means: 1 and larger ones, none above ``passes``. The outputs are cut into
        ``passes // K`` groups which share none, so that a mean of K is drawn as often.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    passes: int = 32
    averaged: tuple[int, ...] = (1, 2, 4, 8, 16)

    def __post_init__(self) -> None:
        if self.passes < 2:
            raise ValueError(
                f"a spread needs two outputs or more, got passes={self.passes}; take passes=32"
            )
        sizes = tuple(sorted(set(self.averaged)))
        if len(sizes) < 2 or sizes[0] != 1 or sizes[-1] > self.passes:
            raise ValueError(
                f"averaged={list(self.averaged)} should have 1, which the others are compared "
                f"with, and larger numbers up to passes={self.passes}"
            )
        object.__setattr__(self, "averaged", sizes)


def refuse_deterministic(models: Mapping[str, Denoiser], device: str = "cpu") -> None:
    """Raise ``ValueError`` for a model whose output does not depend on the seed."""
    for name, model in models.items():
        if not is_stochastic(model, device):
            raise ValueError(
                f"'{name}' gives the same output under two seeds, so its outputs have no spread "
                f"and their mean no gain; choose a stochastic network"
            )


def measure(
    grid: Grid, variants: Variants, store: ResultStore, draws: Draws, device: str
) -> list[Record]:
    """Draw and score what the store lacks of the grid, image by image; all of its cells' records.

    Pass p of an image depends on (dataset, image, noise, level, seed, p) alone, the noisy image is
    that of ``bench run``, and every mean is clipped and rounded to 8 bits before it is scored.

    Parameters
    ----------
    grid
        Its metrics are `SCORES`; none of its models averages several passes by itself.
    variants
        Other ways to test the same weights, each of which restores every image once.
    store
        One whose rows are complete where `is_drawn` says so.

    Raises
    ------
    ValueError
        If a cell is stored with other settings, an image cannot be used, or a model is not
        stochastic; nothing has been drawn then.
    """
    requests = lacking(store, [_request(grid, draws, cell) for cell in grid.cells])
    cells = [request.cell for request in requests]
    for name, cell in {cell.dataset: cell for cell in cells}.items():
        grid.datasets[name].check(minimum=grid.smallest(cell))
    names = dict.fromkeys(cell.model for cell in cells)
    refuse_deterministic({name: grid.models[name] for name in names}, device)
    for part in share(store, requests, log.info):
        images = _fill(grid, part, variants.get(part.cell.model, {}), draws, device)
        total = len(grid.datasets[part.cell.dataset])
        with part:
            for _ in track(images, "images", total, str(part.cell)):
                pass
    return [_wanted(store.read(cell), grid, cell) for cell in grid.cells]


def is_drawn(row: Row, settings: Mapping[str, object]) -> bool:
    """Whether a row of ``bench passes`` has all its numbers: `is_scored` for its store.

    Rows of older versions, which knew one variant and had another key for it, are to be drawn
    again.
    """
    means, noisy, variants = (row.get(name) for name in ("means", "noisy", "variants"))
    draws, named = settings.get("draws"), {"image": row["image"]}
    if not (isinstance(draws, dict) and isinstance(noisy, dict) and isinstance(means, dict)):
        raise Damaged(f"image {row['image']!r} has no draws")
    complete = all_finite(row, ["seconds"]) and all_finite(noisy | named, SCORES)
    for scores in means.values():
        for name in SCORES:
            values = scores.get(name) if isinstance(scores, dict) else None
            if not isinstance(values, list) or not values:
                raise Damaged(f"the means of image {row['image']!r} have no {name}")
            numbered = {str(number): value for number, value in enumerate(values)}
            complete &= all_finite(numbered | named, numbered)
    if variants is None:
        return False
    if not isinstance(variants, dict) or not all(isinstance(v, dict) for v in variants.values()):
        raise Damaged(f"'variants' of image {row['image']!r} have no scores")
    for scores in variants.values():
        complete &= all_finite(scores | named, (*SCORES, "seconds"))
    return complete and "1" in means


def _wanted(record: Record, grid: Grid, cell: Cell) -> Record:
    """A cell as if it had no images beside those of the grid."""
    rows = {row["image"]: row for row in record["images"]}
    images = [rows[name] for name in grid.datasets[cell.dataset].images()]
    settings = {**record["settings"], "dataset": grid.settings_of(cell)["dataset"]}
    return {**record, "settings": settings, "images": images}


def _request(grid: Grid, draws: Draws, cell: Cell) -> Request:
    request = grid.request(cell)
    return replace(request, settings={**request.settings, "draws": plain(asdict(draws))})


def _fill(
    grid: Grid, part: Part, variants: Mapping[str, Denoiser], draws: Draws, device: str
) -> Iterator[str]:
    yield from part.rows
    cell = part.cell
    names = grid.datasets[cell.dataset].images()
    for image in part.lacking(names):
        part.append(_image(grid, cell, image, variants, draws, device))
        yield image
    part.finish(names, labels=grid.labels_of(cell), environment=describe_environment(device))


def _image(
    grid: Grid,
    cell: Cell,
    image: str,
    variants: Mapping[str, Denoiser],
    draws: Draws,
    device: str,
) -> Row:
    """One image: the scores of every mean by K, those of each variant, mean seconds of a pass."""
    key = key_of(cell, image)
    noise = None if cell.recorded else grid.noises[cell.noise]
    clean, noisy = map(as_tensor, noisy_pair(cell, grid.datasets[cell.dataset], noise, image))
    noisy, metrics = noisy.to(device), grid.metrics_of(cell)
    model = grid.models[cell.model].to(device)
    what = f"{cell}, image {image}"
    sums = {count: torch.zeros_like(noisy) for count in draws.averaged}
    means = {str(count): {name: [] for name in metrics} for count in draws.averaged}
    seconds = []
    for number in range(draws.passes):
        restored = WHOLE.run(model, noisy, key.torch_seed("passes", number), what)
        seconds.append(restored.seconds)
        for count, total in sums.items():
            total += restored.image
            if (number + 1) % count == 0:
                for name, value in _scores(metrics, total / count, clean).items():
                    means[str(count)][name].append(value)
                total.zero_()
    row: Row = {
        "image": image,
        "noisy": _scores(metrics, noisy, clean),
        "means": means,
        "variants": {},
        "seconds": float(np.mean(seconds)),
    }
    for name, variant in variants.items():
        seed = key.torch_seed("passes", 0)
        restored = WHOLE.run(variant.to(device), noisy, seed, f"{what}, {name}")
        scores = _scores(metrics, restored.image, clean)
        row["variants"][name] = {**scores, "seconds": restored.seconds}
    return row


def _scores(metrics: Mapping[str, Metric], restored: Tensor, clean: Tensor) -> dict[str, float]:
    pixels = as_tensor(as_pixels(restored))
    return {name: score_of(name, metric, (pixels, clean)) for name, metric in metrics.items()}
