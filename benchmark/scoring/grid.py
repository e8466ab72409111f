"""The grid: compares what is asked with what is stored, and scores the cells that are missing."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

from benchmark.cells import Cell, ResultStore, pictures
from benchmark.cells.cell import plan
from benchmark.cells.filling import Part, Request
from benchmark.cells.provenance import Code, code_of_cell
from benchmark.cells.records import Record
from benchmark.cells.reuse import Identities
from benchmark.cells.running.sharing import lacking, share
from benchmark.console.log import log
from benchmark.console.progress import progress
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import AUTOMATIC, Inference
from benchmark.environment.versions import describe_environment
from benchmark.metrics import Metric
from benchmark.noise import NoiseModel
from benchmark.noise.families import family_of
from benchmark.protocol import MASKED, Protocol
from benchmark.scoring.evaluate import Evaluated, evaluate, with_border
from benchmark.scoring.pictures import FIRST, Kept
from benchmark.scoring.rescore import (
    again,
    check_choice,
    refuse_mixtures,
    refuse_other_pixels,
    refuse_other_protocol,
    written,
)
from benchmark.settings import Settings, joined

LOOK = 2.0  # seconds between two looks at what other processes have finished
RARELY = 20  # and at least so many times what a look takes, of very many cells


@dataclass(frozen=True)
class Grid:
    """What a run compares: objects by the names the user gave them, and their settings.

    ``levels`` has for each dataset a dict from noise to its levels; recorded noise has the name of
    its dataset. ``settings`` has for each of "model", "noise", "data" and "metric" a dict from name
    to what a cell's file records: the settings, for a learned network also its weights' hash, for a
    dataset that of its files at each level of recorded noise, else at 0. ``inference`` says how a
    model is run, where it is not as by default. ``identities`` has for each dataset, by the same
    levels, what `Dataset.identities` says of its images; without it a dataset is known as a whole.
    """

    models: Mapping[str, Denoiser]
    noises: Mapping[str, NoiseModel]
    datasets: Mapping[str, Dataset]
    metrics: Mapping[str, Metric]
    levels: Mapping[str, Mapping[str, tuple[float, ...]]]
    seeds: list[int]
    settings: Mapping[str, Mapping[str, Settings]]
    inference: Mapping[str, Inference] = field(default_factory=dict)
    identities: Mapping[str, Mapping[float, Mapping[str, str]]] = field(default_factory=dict)
    protocol: Protocol = MASKED

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell, in the order of `benchmark.cells.cell.plan`."""
        return list(plan(self.models, self.levels, self.seeds))

    @cached_property
    def _known(self) -> dict[tuple[str, str, str, float], Settings]:
        return {}

    @cached_property
    def _codes(self) -> dict[tuple[str, str, str], Code]:
        return {}

    def metrics_of(self, cell: Cell) -> dict[str, Metric]:
        """The metrics with the border which they leave out; see `with_border`."""
        border = self.datasets[cell.dataset].border
        return {
            name: with_border(metric, border, self.protocol)
            for name, metric in self.metrics.items()
        }

    def smallest(self, cell: Cell) -> int:
        """The shortest side of an image which the metrics of a cell take."""
        metrics = self.metrics_of(cell).values()
        return max((metric.minimum_size for metric in metrics), default=1)

    def settings_of(self, cell: Cell) -> Settings:
        """Everything a cell's scores depend on beside its key; one object for all with the same."""
        if type(self.models[cell.model]).recorded_at is not Denoiser.recorded_at:
            return self._settings_of(cell)
        key = (cell.model, cell.dataset, cell.noise, cell.level if cell.recorded else 0.0)
        if key not in self._known:
            self._known[key] = self._settings_of(cell)
        return self._known[key]

    def _settings_of(self, cell: Cell) -> Settings:
        recorded, data = {"of": "recorded"}, self.settings["data"][cell.dataset]
        metrics = {name: dict(found) for name, found in self.settings["metric"].items()}
        for name, metric in self.metrics_of(cell).items():
            if "border" in metrics[name]:
                metrics[name]["border"] = getattr(metric, "border", 0)
        model, images = self.settings["model"][cell.model], self.identities_of(cell)
        images = images or self.datasets[cell.dataset].images()
        more = self.models[cell.model].recorded_at(map(cell.pictures, images))
        return {
            "model": joined(f"model '{cell.model}'", model, more),
            "noise": recorded if cell.recorded else self.settings["noise"][cell.noise],
            "dataset": {**data, "sha256": data["sha256"][cell.level if cell.recorded else 0.0]},
            "metrics": metrics,
            "protocol": self.protocol.facts,
        }

    def identities_of(self, cell: Cell) -> Identities:
        """The images which a cell is to have, if they are known one by one."""
        level = cell.level if cell.recorded else 0.0
        return self.identities[cell.dataset][level] if cell.dataset in self.identities else None

    def code_of(self, cell: Cell) -> Code:
        """The code that makes a cell's scores, as it is now."""
        key = (cell.model, cell.dataset, cell.noise)
        if key not in self._codes:
            noise = None if cell.recorded else self.noises[cell.noise]
            dataset = self.datasets[cell.dataset]
            self._codes[key] = code_of_cell(self.models[cell.model], noise, dataset, self.metrics)
        return self._codes[key]

    def request(self, cell: Cell, environment: Record | None = None) -> Request:
        """A cell as a store is asked for it, and where it is scored, if it is."""
        facts = self.settings_of(cell), self.identities_of(cell), self.code_of(cell)
        return Request(cell, *facts, environment)

    def evaluate(
        self,
        cell: Cell,
        images: Sequence[str],
        device: str,
        metrics: Mapping[str, Metric] | None = None,
        tiles: Mapping[str, int] | None = None,
    ) -> Iterator[Evaluated]:
        """Restore images of a cell, and score them by these metrics; nothing is stored.

        Parameters
        ----------
        tiles
            By image, the side of the tiles in which memory let it be restored before: it is again,
            unless the model has tiles of its own.
        """
        noise = None if cell.recorded else self.noises[cell.noise]
        model, dataset = self.models[cell.model].to(device), self.datasets[cell.dataset]
        inference = self.inference.get(cell.model, AUTOMATIC)
        groups: dict[Inference, list[str]] = {}
        for image in images:
            fixed = isinstance(inference.tile, int) or image not in (tiles or {})
            how = inference if fixed else replace(inference, tile=(tiles or {})[image])
            groups.setdefault(how, []).append(image)
        for how, part in groups.items():
            more = (metrics or {}, part, device, how, self.protocol)
            yield from evaluate(cell, model, dataset, noise, *more)

    def labels_of(self, cell: Cell) -> dict[str, object]:
        """What a report needs to label a cell's scores."""
        noise = self.datasets[cell.dataset] if cell.recorded else self.noises[cell.noise]
        metrics = self.metrics_of(cell)
        model = self.models[cell.model]
        return {
            **({"model_note": {cell.model: model.note}} if model.note else {}),
            **({"compared_with": model.compared_with} if model.compared_with else {}),
            **({"trained_on": dict(model.trained_on)} if model.trained_on else {}),
            "higher_is_better": {n: m.higher_is_better for n, m in metrics.items()},
            "metric_unit": {n: m.unit for n, m in metrics.items()},
            "digits": {n: m.digits for n, m in metrics.items()},
            "border": {n: getattr(m, "border", 0) for n, m in metrics.items()},
            "unit": noise.unit,
            "note": noise.note,
            "family": family_of(noise),
        }

    def facts(self, device: str) -> list[Record]:
        """What a record of each cell would say, but for its scores."""
        environment = describe_environment(device)
        return [
            {
                "cell": asdict(cell),
                "labels": self.labels_of(cell),
                "settings": self.settings_of(cell),
                "environment": environment,
            }
            for cell in self.cells
        ]


def missing(
    grid: Grid,
    store: ResultStore,
    shard: str = "1/1",
    rescore: str | None = None,
    since: int | None = None,
) -> list[Cell]:
    """The grid's cells which the store lacks; every stored cell is compared with the grid first.

    What killed processes left over in the folder is removed, and damaged cells are set aside.

    Parameters
    ----------
    rescore
        ``"changed"`` also gives the finished cells which were scored by other code than there is
        now, ``"all"`` all of them.
    since
        When that was begun, as `benchmark.scoring.rescore.again` takes it.

    Raises
    ------
    ValueError
        If a stored cell was scored with other settings, or would keep scores of other code, or if
        the folder holds cells of another protocol.
    """
    part, parts = _shard(shard)
    check_choice(rescore)
    refuse_other_protocol(grid, store)
    unscored = {request.cell for request in lacking(store, map(grid.request, grid.cells))}
    rescored = again(grid, store, rescore, since)
    todo = [cell for cell in grid.cells if cell in unscored or cell in rescored]
    refuse_mixtures(grid, store, todo, rescored)
    total = len(grid.cells)  # a share is a stretch of the plan: it has its part of every model
    mine = set(grid.cells[total * (part - 1) // parts : total * part // parts])
    return [cell for cell in todo if cell in mine]


def in_order_of(grid: Grid, cells: Sequence[Cell], shard: str) -> list[Cell]:
    """Cells in the order of one of several workers: first those of its shard and behind it.

    So each begins elsewhere, and whoever is done with its own goes on with what others have left.
    """
    part, parts = _shard(shard)
    places = {cell: place for place, cell in enumerate(grid.cells)}
    first = len(grid.cells) * (part - 1) // parts
    return sorted(cells, key=lambda cell: (places[cell] < first, places[cell]))


def alone(pixels: Mapping[str, int], cells: int) -> AbstractContextManager[object]:
    """In place of `benchmark.scoring.launch.helped`: this process scores all cells itself."""
    return nullcontext()


def fill(
    grid: Grid,
    store: ResultStore,
    cells: list[Cell],
    device: str,
    rescore: str | None = None,
    kept: Kept = FIRST,
    helped: Callable[[Mapping[str, int], int], AbstractContextManager[object]] = alone,
    since: int | None = None,
) -> None:
    """Score cells and store each one, image by image, under a progress bar.

    What other processes score of them meanwhile counts on the bar too.

    Parameters
    ----------
    rescore, since
        As in `missing`, which gave the cells.
    kept
        Which pictures are written as images are scored.
    helped
        Given the pixels of the largest image of each dataset and the number of cells, a context in
        which cells are scored: it may set how many threads there are, and start processes that
        score cells as well.

    Raises
    ------
    ValueError
        If an image of a dataset cannot be used; no model has run then.
    """
    pixels = {
        name: grid.datasets[name].check(minimum=grid.smallest(cell), protocol=grid.protocol)
        for name, cell in {cell.dataset: cell for cell in cells}.items()
    }
    outdated = again(grid, store, rescore, since).intersection(cells)
    before = {cell: store.state(cell) for cell in outdated}
    there = {cell: when for cell in cells if (when := written(store, cell))}
    images = {cell: len(grid.datasets[cell.dataset]) for cell in cells}
    with helped(pixels, len(cells)), progress("images", "cells") as shown:
        environment = describe_environment(device)
        task = shown.add_task("", total=sum(images.values()), cells=f"0/{len(cells)} cells", now="")
        parts = share(
            store,
            (grid.request(cell, environment) for cell in cells),
            log.info,
            lambda cell: cell in before and store.state(cell) == before[cell],
        )
        left, looked, pause = dict.fromkeys(cells), time.monotonic(), LOOK
        for part in parts:
            counts = part.cell in left  # else others have finished it, and it was counted
            left.pop(part.cell, None)
            shown.update(task, now=str(part.cell))
            with part:
                for _ in _fill_cell(grid, store, part, device, environment, kept):
                    shown.advance(task, counts)
                    if (begin := time.monotonic()) - looked > pause:
                        for cell in _taken_finished(store, left, there):
                            shown.advance(task, images[cell])
                        looked = time.monotonic()
                        pause = max(LOOK, RARELY * (looked - begin))
            shown.update(task, cells=f"{len(cells) - len(left)}/{len(cells)} cells")
        shown.update(task, cells=f"{len(cells)}/{len(cells)} cells", now="done")


def _taken_finished(
    store: ResultStore, left: dict[Cell, None], there: Mapping[Cell, int]
) -> list[Cell]:
    """The cells which others have finished by now, taken out of those that are left.

    Parameters
    ----------
    there
        When the files of cells were written that were there before any was scored.
    """
    finished = [cell for cell in left if written(store, cell) != there.get(cell, 0)]
    for cell in finished:
        del left[cell]
    return finished


def _fill_cell(
    grid: Grid,
    store: ResultStore,
    part: Part,
    device: str,
    environment: dict[str, object],
    kept: Kept,
) -> Iterator[str]:
    yield from part.rows
    if part.finished:
        return
    cell = part.cell
    names = grid.datasets[cell.dataset].images()
    todo, metrics = part.lacking(names), grid.metrics_of(cell)
    inference = grid.inference.get(cell.model, AUTOMATIC)
    stored = store.read(cell) if cell in store else None
    for done in grid.evaluate(cell, todo, device, metrics):
        refuse_other_pixels(cell, stored, done.row)
        image = done.row["image"]
        if image in kept.at_once(names):  # before the row: what is scored has its pictures
            pictures.keep(store.pictures(cell, image), cell.model, done, kept.side)
        part.append(done.row)
        yield image
    environment = {**environment, **inference.recorded}
    labels = grid.labels_of(cell)
    part.finish(names, labels=labels, environment=environment, picture=names[0])


def _shard(text: str) -> tuple[int, int]:
    try:
        part, parts = (int(number) for number in text.split("/"))
    except ValueError:
        part, parts = 0, 0
    if not 1 <= part <= parts:
        raise ValueError(f"shard={text} should be PART/PARTS, such as 2/8 for the second of eight")
    return part, parts
