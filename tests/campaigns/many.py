"""Times what is done with a folder of very many cells: status, resuming, reading, a report.

``python -m tests.campaigns.many --cells 10000`` makes such a folder up, times each in a process of
its own, and prints seconds and the most memory. Twice the cells should take twice of either.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmark.cells import Cell, ResultStore
from benchmark.cells.packed import NAME, compact, pack
from benchmark.cells.running.plans import Plan
from benchmark.cells.running.status import Folder
from benchmark.denoiser import Denoiser
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS
from benchmark.protocol import MASKED
from benchmark.registry import load_plugins
from benchmark.reporting import report
from benchmark.reporting.board import Board
from benchmark.scoring.grid import Grid, missing
from benchmark.scoring.rescore import changes_of
from benchmark.settings import digest_of

MODELS = [f"model{number}" for number in range(10)]
NOISES = [f"noise{number}" for number in range(20)]
LEVELS = (1.0, 2.0, 3.0, 4.0, 5.0)
IMAGES = {f"image{number}": f"image{number} whole" for number in range(2)}
DIGEST = digest_of(IMAGES.values())
STEPS = ("status", "missing", "changes", "read", "scores", "report", "pack")
PER_SEED = len(MODELS) * len(NOISES) * len(LEVELS)


def settings(cell: Cell) -> dict:
    """As a run records them."""
    return {
        "model": {"of": cell.model, "weights": "0123456789abcdef", "tile": 256},
        "noise": {"of": cell.noise},
        "dataset": {"of": "photos", "images": len(IMAGES), "sha256": DIGEST},
        "metrics": {"psnr": {"of": "psnr", "border": 0}, "ssim": {"of": "ssim", "border": 0}},
        "protocol": MASKED.facts,
    }


def record(cell: Cell) -> dict:
    """A finished cell, about as large as a real one."""
    better = {"psnr": True, "ssim": True}
    source = {"class": "a.B", "distribution": "noisebench", "version": "1", "source": "0" * 16}
    roles = {role: source for role in ("model", "dataset", "noise")}
    value = (hash(cell) % 1000) / 100
    rows = [
        {"image": name, "psnr": 20 + value + place, "ssim": value / 11, "seconds": 0.1}
        | {"source": "0" * 16, "noisy": "1" * 16, "clean": "2" * 16}
        for place, name in enumerate(IMAGES)
    ]
    return {
        "labels": {"higher_is_better": better, "unit": "sigma", "note": "", "family": "additive"},
        "environment": {"torch": "2", "noisebench": "1", "threads": 1, "precision": "fp32"},
        "code": {**roles, "metrics": dict.fromkeys(better, source)},
        "cell": dict(vars(cell)),
        "settings": settings(cell),
        "images": rows,
    }


def cells(count: int) -> Iterator[Cell]:
    yield from planned(count).cells()


def planned(count: int) -> Plan:
    levels = {"photos": dict.fromkeys(NOISES, LEVELS)}
    return Plan("bench run", MODELS, levels, range(count // PER_SEED), {"photos": len(IMAGES)})


class Images:
    """A stand-in for a dataset: the names of its images, and no more."""

    border, images = None, lambda self: list(IMAGES)

    def __len__(self) -> int:
        return len(IMAGES)


def grid(count: int) -> Grid:
    """The grid of as many cells, of objects that do nothing."""
    images = {"of": "photos", "images": len(IMAGES), "sha256": {0.0: DIGEST}}
    weights = {"weights": "0123456789abcdef", "tile": 256}
    return Grid(
        models={model: Denoiser() for model in MODELS},
        noises=dict.fromkeys(NOISES, NOISE_MODELS["gaussian"]()),
        datasets={"photos": Images()},
        metrics={"psnr": METRICS["psnr"](border=0), "ssim": METRICS["ssim"](border=0)},
        levels={"photos": dict.fromkeys(NOISES, LEVELS)},
        seeds=list(range(count // PER_SEED)),
        settings={
            "model": {model: {"of": model, **weights} for model in MODELS},
            "noise": {noise: {"of": noise} for noise in NOISES},
            "data": {"photos": images},
            "metric": {name: {"of": name, "border": 0} for name in ("psnr", "ssim")},
        },
        identities={"photos": {0.0: IMAGES}},
    )


def make(root: Path, count: int, packed: bool) -> None:
    """Fill a folder, as files or as lines."""
    root.mkdir(parents=True, exist_ok=True)
    if packed:
        with (root / NAME).open("w") as file:
            for cell in cells(count):
                file.write(compact(record(cell)) + "\n")
        return
    for cell in cells(count):
        path = root / "cells" / cell.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record(cell), indent=1) + "\n")


def step(name: str, root: Path, count: int) -> None:
    """Do one of `STEPS`."""
    store = ResultStore(root)
    if name == "status":
        print(sum(counts.done for counts in Folder(store).of(planned(count)).values()), end=" ")
    elif name == "missing":
        print(len(missing(grid(count), store)), end=" ")
    elif name == "changes":
        print(changes_of(grid(count), store).finished, end=" ")
    elif name == "read":
        print(sum(1 for _ in store.records()), end=" ")
    elif name == "scores":
        print(len(store.scores().rows), end=" ")
    elif name == "report":
        report.write(Board.of(store.scores()), root, root / "pictures")
    elif name == "pack":
        print(pack(store), end=" ")


def timed(name: str, root: Path, count: int) -> None:
    """Print what a step took in this process: seconds, and the most memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    step(name, root, count)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name}: {wall:.1f} s, {cpu:.1f} s of CPU, {most - before:.0f} MB", flush=True)


def main() -> None:
    """Make a folder up and time each step, or one alone."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=10_000, help=f"a multiple of {PER_SEED}")
    parser.add_argument("--packed", action="store_true", help="all in one file")
    parser.add_argument("--folder", type=Path, help="kept; else a temporary one")
    parser.add_argument("--steps", nargs="*", default=STEPS, choices=STEPS)
    parser.add_argument("--here", action="store_true", help="in this process, in a made folder")
    told = parser.parse_args()
    if told.here:
        load_plugins()
        for name in told.steps:
            timed(name, told.folder, told.cells)
        return
    with tempfile.TemporaryDirectory() as temporary:
        root = told.folder or Path(temporary) / "many"
        if not root.exists():
            make(root, told.cells, told.packed)
        for name in told.steps:
            more = ["--folder", str(root), "--cells", str(told.cells), "--here", "--steps", name]
            subprocess.run([sys.executable, "-m", "tests.campaigns.many", *more], check=True)


if __name__ == "__main__":
    main()
