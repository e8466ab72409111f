"""The grid: compares what is asked with what is stored, and scores the cells that are missing."""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import cv2
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmark import __version__
from benchmark.cells import Cell, ResultStore, plan
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.evaluate import PROTOCOL, Evaluated, evaluate
from benchmark.images import central
from benchmark.inference import AUTOMATIC, Inference
from benchmark.metrics import Metric
from benchmark.noise import NoiseModel
from benchmark.provenance import (
    MADE_BY,
    Code,
    code_of_cell,
    same_made,
    stamp,
    with_other_metrics,
    without_stamp,
)
from benchmark.rescore import again, check_choice, refuse_mixtures, refuse_other_pixels

PICTURE = 128  # side of the small pictures kept for the report, in pixels


@dataclass(frozen=True)
class Grid:
    """What a run compares: objects by the names the user gave them, and their settings.

    ``levels`` has for each dataset a dict from noise to its levels; recorded noise has the name of
    its dataset. ``settings`` has for each of "model", "noise", "data" and "metric" a dict from name
    to what a cell's file records: the settings, for a learned network also its weights' hash, for a
    dataset that of its files at each level of recorded noise, else at 0. ``inference`` says how a
    model is run, where it is not as by default.
    """

    models: Mapping[str, Denoiser]
    noises: Mapping[str, NoiseModel]
    datasets: Mapping[str, Dataset]
    metrics: Mapping[str, Metric]
    levels: Mapping[str, Mapping[str, tuple[float, ...]]]
    seeds: list[int]
    settings: Mapping[str, Mapping[str, dict[str, object]]]
    inference: Mapping[str, Inference] = field(default_factory=dict)

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell, in the order of `benchmark.cells.plan`."""
        return list(plan(self.models, self.levels, self.seeds))

    def metrics_of(self, cell: Cell) -> dict[str, Metric]:
        """The metrics, with the border which the dataset's own protocol leaves out, if it says."""
        border = self.datasets[cell.dataset].border
        if border is None:
            return dict(self.metrics)
        return {
            name: replace(metric, border=border) if hasattr(metric, "border") else metric
            for name, metric in self.metrics.items()
        }

    def settings_of(self, cell: Cell) -> dict[str, object]:
        """Everything a cell's scores depend on, beside its key."""
        recorded, data = {"of": "recorded"}, self.settings["data"][cell.dataset]
        metrics = {name: dict(found) for name, found in self.settings["metric"].items()}
        for name, metric in self.metrics_of(cell).items():
            if "border" in metrics[name]:
                metrics[name]["border"] = metric.border
        return {
            "model": self.settings["model"][cell.model],
            "noise": recorded if cell.recorded else self.settings["noise"][cell.noise],
            "dataset": {**data, "sha256": data["sha256"][cell.level if cell.recorded else 0.0]},
            "metrics": metrics,
            "protocol": PROTOCOL,
        }

    def code_of(self, cell: Cell) -> Code:
        """The code that makes a cell's scores, as it is now."""
        noise = None if cell.recorded else self.noises[cell.noise]
        dataset = self.datasets[cell.dataset]
        return code_of_cell(self.models[cell.model], noise, dataset, self.metrics)

    def labels_of(self, cell: Cell) -> dict[str, object]:
        """What a report needs to label a cell's scores."""
        noise = self.datasets[cell.dataset] if cell.recorded else self.noises[cell.noise]
        metrics = self.metrics_of(cell)
        return {
            "higher_is_better": {n: m.higher_is_better for n, m in metrics.items()},
            "border": {n: getattr(m, "border", 0) for n, m in metrics.items()},
            "unit": noise.unit,
            "note": noise.note,
        }


def missing(
    grid: Grid, store: ResultStore, shard: str = "1/1", rescore: str | None = None
) -> list[Cell]:
    """The grid's cells which the store lacks; every stored cell is compared with the grid first.

    Parameters
    ----------
    rescore
        ``"changed"`` also gives the finished cells which were scored by other code than there is
        now, ``"all"`` all of them.

    Raises
    ------
    ValueError
        If a stored cell was scored with other settings, or would keep scores of other code.
    """
    part, parts = _shard(shard)
    check_choice(rescore)
    lacking = [cell for cell in grid.cells if not store.has(cell, grid.settings_of(cell))]
    if rescored := again(grid, store, rescore):
        wanted = rescored.union(lacking)
        lacking = [cell for cell in grid.cells if cell in wanted]
    refuse_mixtures(grid, store, lacking, rescored)
    total = len(grid.cells)  # a share is a stretch of the plan: it has its part of every model
    mine = set(grid.cells[total * (part - 1) // parts : total * part // parts])
    return [cell for cell in lacking if cell in mine]


def fill(grid: Grid, store: ResultStore, cells: list[Cell], device: str, console: Console) -> None:
    """Score cells and store each one, image by image, under a progress bar.

    Raises
    ------
    ValueError
        If an image of a dataset cannot be used; no model has run then.
    """
    smallest = max((metric.minimum_size for metric in grid.metrics.values()), default=1)
    for name in dict.fromkeys(cell.dataset for cell in cells):
        grid.datasets[name].check(minimum=smallest)
    environment = describe_environment(device)
    with _progress(console) as progress:
        images = sum(len(grid.datasets[cell.dataset]) for cell in cells)
        task = progress.add_task("", total=images, cells=f"0/{len(cells)} cells", now="")
        for number, cell in enumerate(cells):
            progress.update(task, cells=f"{number}/{len(cells)} cells", now=str(cell))
            for _ in _fill_cell(grid, store, cell, device, environment):
                progress.advance(task)
        progress.update(task, cells=f"{len(cells)}/{len(cells)} cells", now="done")


def _fill_cell(
    grid: Grid, store: ResultStore, cell: Cell, device: str, environment: dict[str, object]
) -> Iterator[str]:
    settings, code = grid.settings_of(cell), grid.code_of(cell)
    made_by = stamp(asdict(cell), code, environment["torch"])
    dataset = grid.datasets[cell.dataset]
    rows = {row["image"]: row for row in same_made(store.resume(cell, settings), made_by)}
    yield from rows
    names = dataset.images()
    todo = [name for name in names if name not in rows]
    noise = None if cell.recorded else grid.noises[cell.noise]
    model, metrics = grid.models[cell.model].to(device), grid.metrics_of(cell)
    inference = grid.inference.get(cell.model, AUTOMATIC)
    stored = store.read(cell) if cell in store else None
    for done in evaluate(cell, model, dataset, noise, metrics, todo, device, inference):
        row = done.row | {MADE_BY: made_by}
        refuse_other_pixels(cell, stored, row)
        store.append(cell, row)
        rows[row["image"]] = row
        if row["image"] == names[0]:
            _keep_pictures(store.pictures(cell), cell.model, done)
        yield row["image"]
    ordered = [rows[name] for name in names]
    environment = {**environment, "precision": inference.precision}
    if tiles := {row["image"]: row.pop("tile") for row in ordered if "tile" in row}:
        environment["tile"] = tiles
    labels = grid.labels_of(cell)
    ordered, code = without_stamp(ordered), with_other_metrics(code, stored)
    store.write(cell, ordered, settings, labels=labels, environment=environment, code=code)


def _keep_pictures(folder: Path, model: str, done: Evaluated) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in (("clean", done.clean), ("noisy", done.noisy), (model, done.restored)):
        cv2.imwrite(str(folder / f"{name}.png"), central(picture, PICTURE)[..., ::-1])


def describe_environment(device: str) -> dict[str, object]:
    """Versions and hardware, as each cell records them."""
    return {
        "noisebench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "scipy", "scikit-image")},
        "opencv": cv2.__version__,
        "device": torch.cuda.get_device_name(device) if device != "cpu" else platform.machine(),
        "threads": torch.get_num_threads(),
    }


def pick_device(name: str) -> str:
    """``auto`` as cuda where there is one, else cpu; any other name as it is, if it exists."""
    available = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if available else "cpu"
    if name != "cpu" and not (name.startswith("cuda") and available):
        raise ValueError(
            f"device={name} is not here; there is {'cpu and cuda' if available else 'only cpu'}"
        )
    return name


def _shard(text: str) -> tuple[int, int]:
    try:
        part, parts = (int(number) for number in text.split("/"))
    except ValueError:
        part, parts = 0, 0
    if not 1 <= part <= parts:
        raise ValueError(f"shard={text} should be PART/PARTS, such as 2/8 for the second of eight")
    return part, parts


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.fields[cells]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("images, left:"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
        console=console,
    )
