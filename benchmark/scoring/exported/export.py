"""The noisy images of a grid, written as files for programs that run elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.cells import Cell
from benchmark.cells.cell import plan
from benchmark.cells.provenance import pixels_hash
from benchmark.console.log import log
from benchmark.console.progress import track
from benchmark.environment.versions import describe_environment
from benchmark.files.lease import Leases
from benchmark.files.whole import file_hash, write_whole
from benchmark.protocol import name_of
from benchmark.scoring.evaluate import noisy_pair
from benchmark.scoring.exported.images import encoded
from benchmark.scoring.exported.manifest import NAME, Entry, Manifest, read_manifest
from benchmark.scoring.grid import Grid

CLEAN = "clean"  # the folder of clean images
LEASE = ".export.lease"


def export(grid: Grid, folder: Path, clean: bool = False) -> Manifest:
    """Write every noisy image of a grid, exactly as its models would get it, and the manifest.

    An image is ``DATASET/NOISE-LEVEL-SEED/IMAGE``, `encoded`. The manifest is written after each
    level and seed, and has what was exported into the folder before as well. What is there already
    is not written again. Where another process exports into the folder, its end is waited for.

    Parameters
    ----------
    grid
        It needs no model.
    clean
        Whether the clean images are written as well: under the same names in the folder `CLEAN`.

    Returns
    -------
    Manifest
        Of all that the folder has.

    Raises
    ------
    ValueError
        If an image of a dataset cannot be used, or the folder has images by another protocol, or
        another file where one is to be written.
    """
    with Leases().waiting(folder / LEASE, log.info):
        return _exported(grid, folder, clean)


def _exported(grid: Grid, folder: Path, clean: bool) -> Manifest:
    manifest = Manifest(grid.protocol.facts, describe_environment("cpu"), {})
    if (folder / NAME).exists():
        before = read_manifest(folder / NAME)
        if before.protocol != manifest.protocol:
            raise ValueError(
                f"{folder} holds images by protocol {name_of(before.protocol)}, and these are by "
                f"protocol {grid.protocol.name}; choose another folder (out=FOLDER)"
            )
        manifest = replace(manifest, entries=before.entries)
    for dataset in grid.datasets.values():
        dataset.check(protocol=grid.protocol)
    cells = list(plan(["export"], grid.levels, grid.seeds))
    for cell in track(cells, "conditions", len(cells), "noisy images"):
        for entry in _written(grid, cell, folder, manifest, clean):
            manifest.entries[entry.place] = entry
        manifest.write(folder)
    return manifest


def _written(
    grid: Grid, cell: Cell, folder: Path, manifest: Manifest, clean: bool
) -> Iterator[Entry]:
    """Write the images of one cell, of whatever model."""
    dataset = grid.datasets[cell.dataset]
    noise = None if cell.recorded else grid.noises[cell.noise]
    for image in dataset.images():
        pair = noisy_pair(cell, dataset, noise, image, grid.protocol)
        place = cell.pictures(image).as_posix()
        if clean:
            _write(folder, f"{CLEAN}/{place}", pair[0])
        noisy = pair[1]
        known = manifest.entries.get(place)
        if known and known.pixels == pixels_hash(noisy) and _is_there(folder, known):
            yield known
            continue
        file, digest = _write(folder, place, noisy)
        height, width = noisy.shape[:2]
        key = (cell.dataset, cell.noise, cell.level, cell.seed, image)
        yield Entry(file, *key, height, width, digest, pixels_hash(noisy))


def _is_there(folder: Path, entry: Entry) -> bool:
    path = folder / entry.file
    return path.is_file() and file_hash(path) == entry.sha256


def _write(folder: Path, place: str, image: np.ndarray) -> tuple[str, str]:
    """Write an image where there is none yet: the name of its file, and the file's SHA-256."""
    suffix, content = encoded(image)
    path = folder / f"{place}{suffix}"
    if not path.exists():
        write_whole(path, content)
    elif path.read_bytes() != content:
        raise ValueError(
            f"{path} is there and is not the image that would be written: it was restored, or "
            f"exported of other images or by another version; choose another folder (out=FOLDER), "
            f"or move it away"
        )
    return f"{place}{suffix}", file_hash(path)
