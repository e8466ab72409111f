"""What tiles cost in quality: models on whole images and in tiles, compared pixel by pixel."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from benchmark.cells import Cell
from benchmark.console.progress import track
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import WHOLE, Inference
from benchmark.denoiser.tiling import MARGIN, OVERLAP, check_tile, tiled_share
from benchmark.files.whole import write_whole
from benchmark.pixels import psnr
from benchmark.reporting.pages import render
from benchmark.reporting.tables import Table
from benchmark.scoring.evaluate import as_pixels, as_tensor, key_of, noisy_pair
from benchmark.scoring.grid import Grid
from benchmark.studies.stochastic import is_stochastic

OTHER_SEED = "whole, another seed"
CONDITION = ["dataset", "noise", "level", "seed"]
LINE = [*CONDITION, "model", "inference"]

Row = dict[str, object]


def measure_tiles(
    grid: Grid,
    variants: Mapping[str, Mapping[str, Denoiser]],
    sides: Sequence[int],
    device: str,
) -> pd.DataFrame:
    """Restore every image of the grid whole and in tiles of each side.

    Noisy images are those of ``bench run``. A stochastic network draws its numbers tile by tile,
    so other ones than for the whole image: it is run on the whole image under another seed as
    well, which shows what that alone changes.

    Parameters
    ----------
    variants
        By name of a model and of the variant, other ways to test the same weights, measured beside
        it.
    sides
        Of tiles, in pixels.

    Returns
    -------
    pandas.DataFrame
        A line per image and way: dataset, noise, level, seed, model, inference, tile (0 for a whole
        image under another seed), image; pixels, of all tiles relative to the image; difference,
        the largest from the whole image, clipped and in 8-bit steps; psnr of the whole image and
        psnr_difference, that of the way less it (dB, rounded to 8 bits).

    Raises
    ------
    ValueError
        If a side is no tile of a model, or an image is no larger than a tile.
    """
    if not sides:
        raise ValueError("tiles=[] has nothing to compare; take tiles=[128,192]")
    for model in grid.models.values():
        for side in sides:
            check_tile(side, model.multiple)
    networks = []
    for name, model in grid.models.items():
        networks.append((name, name, model))
        networks += [(name, f"{name}, {v}", other) for v, other in variants.get(name, {}).items()]
    stochastic = {label for _, label, model in networks if is_stochastic(model, device)}
    rows: list[Row] = []
    todo = [
        (cell, label, model.to(device), image)
        for name, label, model in networks
        for cell in grid.cells
        if cell.model == name
        for image in grid.datasets[cell.dataset].images()
    ]
    for cell, label, model, image in track(todo, "images", len(todo)):
        key = {name: getattr(cell, name) for name in CONDITION} | {"model": label}
        ways = _image(grid, cell, image, model, sides, label in stochastic, device)
        rows += [{**key, "image": image, **way} for way in ways]
    return pd.DataFrame(rows)


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """One line per condition, model and way: the largest difference, mean PSNRs, their extremes."""
    groups = table.groupby([*LINE, "tile"], sort=False)
    return groups.agg(
        images=("image", "nunique"),
        pixels=("pixels", "mean"),
        difference=("difference", "max"),
        psnr=("psnr", "mean"),
        psnr_difference=("psnr_difference", "mean"),
        least=("psnr_difference", "min"),
        most=("psnr_difference", "max"),
    ).reset_index()


def write_pages(
    table: pd.DataFrame, out: Path, command: str, weights: Mapping[str, object]
) -> list[Path]:
    """Write ``tiles.md`` and ``tiles.csv``; ``weights`` has the hash of each network's."""
    summary = summarize(table)
    write_whole(out / "tiles.csv", summary.to_csv(index=False))
    write_whole(out / "tiles.md", page(summary, command, weights))
    return [out / "tiles.md", out / "tiles.csv"]


def page(summary: pd.DataFrame, command: str, weights: Mapping[str, object]) -> str:
    """The `summarize` of a table as Markdown, a table for each condition."""
    return render(
        "tiles.md",
        command=command,
        conditions=list(summary.groupby(CONDITION, sort=False)),
        table=_table,
        images=sorted(summary["images"].unique()),
        weights=[f"`{name}` {digest}" for name, digest in weights.items()],
        overlap=OVERLAP,
        margin=MARGIN,
    )


def _table(summary: pd.DataFrame) -> Table:
    header = ["model", "inference", "pixels", "max difference", "PSNR whole (dB)"]
    header += ["PSNR difference (dB)", "of an image"]
    rows = [
        [
            line["model"],
            line["inference"],
            f"{line['pixels']:.2f}",
            f"{line['difference']:.3f}",
            f"{line['psnr']:.3f}",
            f"{line['psnr_difference']:+.4f}",
            f"{line['least']:+.4f} to {line['most']:+.4f}",
        ]
        for _, line in summary.iterrows()
    ]
    return Table(header, rows)


def _image(
    grid: Grid,
    cell: Cell,
    image: str,
    model: Denoiser,
    sides: Sequence[int],
    stochastic: bool,
    device: str,
) -> Iterator[Row]:
    """One image in every way, compared with the whole one."""
    noise = None if cell.recorded else grid.noises[cell.noise]
    clean, pixels = noisy_pair(cell, grid.datasets[cell.dataset], noise, image)
    height, width = pixels.shape[:2]
    if min(height, width) <= max(sides):
        raise ValueError(
            f"{image} of {cell.dataset} is {height}x{width}, no larger than tiles of {max(sides)}; "
            f"take smaller tiles or images which are not cropped (data.{cell.dataset}.crop=null)"
        )
    noisy = as_tensor(pixels).to(device)
    seeds = [key_of(cell, image).torch_seed("tiles", number) for number in (0, 1)]
    what = f"{cell}, image {image}"
    whole = WHOLE.run(model, noisy, seeds[0], what).image
    score = psnr(as_pixels(whole), clean)
    ways = [(f"tiles of {side}", side, Inference(side), seeds[0]) for side in sides]
    if stochastic:
        ways.append((OTHER_SEED, 0, WHOLE, seeds[1]))
    for label, side, inference, seed in ways:
        other = inference.run(model, noisy, seed, f"{what}, {label}").image
        difference = (other.clamp(0, 1) - whole.clamp(0, 1)).abs().max().item()
        yield {
            "inference": label,
            "tile": side,
            "pixels": tiled_share(height, width, side, model.multiple) if side else 1.0,
            "difference": 255 * difference,
            "psnr": score,
            "psnr_difference": psnr(as_pixels(other), clean) - score,
        }
