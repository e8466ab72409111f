"""One cell of the grid, and the folder which keeps each finished cell as one file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from benchmark.files import file_name, write_whole
from benchmark.provenance import made_of


@dataclass(frozen=True, order=True)
class Cell:
    """One square of the grid: this model, this dataset, this noise at this level and seed."""

    model: str
    dataset: str
    noise: str
    level: float
    seed: int

    @property
    def condition(self) -> str:
        """The noise, its level and its seed as one word: ``gaussian-25-0``."""
        return f"{file_name(self.noise)}-{self.level:.15g}-{self.seed}"

    @property
    def path(self) -> Path:
        """Where a store keeps this cell: ``masked/kodak24/gaussian-25-0.json``."""
        return Path(self.model, self.dataset, f"{self.condition}.json")

    @property
    def recorded(self) -> bool:
        """Whether the dataset itself brings the noisy images: the noise has its name then."""
        return self.noise == self.dataset

    def __str__(self) -> str:
        return f"{self.model} on {self.dataset}, {self.noise} {self.level:g}, seed {self.seed}"


def plan(
    models: Iterable[str],
    levels: Mapping[str, Mapping[str, Iterable[float]]],
    seeds: Iterable[int],
) -> Iterator[Cell]:
    """Every cell of the grid, models innermost, so that an unfinished run compares them fairly.

    Parameters
    ----------
    models
        Names, in the order they are to run.
    levels
        Dataset to noise to levels. A noise with its dataset's name is recorded there.
    seeds
        One noisy version of every image each; recorded noise has one, 0.
    """
    models, seeds = list(models), list(seeds)
    for dataset, noises in levels.items():
        for noise, its_levels in noises.items():
            for level in its_levels:
                for seed in [0] if noise == dataset else seeds:
                    for model in models:
                        yield Cell(model, dataset, noise, float(level), int(seed))


class ResultStore:
    """A folder of cells: the cache, the resume point and the record.

    Copy folders together to merge them; delete a file to redo its cell. While a cell is being
    scored, its finished images stand in a file ``*.json.part``, one line each, which becomes the
    cell's file when the last one is done.
    """

    def __init__(self, root: str | Path):
        self.root = Path(root)
        self._loaded: dict[Path, tuple[tuple[int, ...], dict[str, object]]] = {}

    def __contains__(self, cell: Cell) -> bool:
        return self._path(cell).is_file()

    def read(self, cell: Cell) -> dict[str, object]:
        """A finished cell: its settings, labels, environment, and a dict for each image."""
        return self._load(self._path(cell))

    def has(self, cell: Cell, settings: Mapping[str, object]) -> bool:
        """Whether a cell is stored, with exactly these settings and all these metrics.

        Raises
        ------
        ValueError
            If the cell is stored, or half done, with other settings; the message names them.
        """
        part = self._part(cell)
        if part.is_file():
            head, newline, _ = part.read_text().partition("\n")
            if newline:
                self._refuse_other(part, json.loads(head), settings)
        if cell not in self:
            return False
        stored = self.read(cell)["settings"]
        self._refuse_other(self._path(cell), stored, settings)
        return settings["metrics"].keys() <= stored["metrics"].keys()

    def resume(self, cell: Cell, settings: Mapping[str, object]) -> list[dict[str, object]]:
        """The images of a half-done cell which are scored already; starts the cell if none are."""
        part = self._part(cell)
        lines = part.read_text().splitlines(keepends=True) if part.is_file() else []
        whole = [json.loads(line) for line in lines if line.endswith("\n")]  # the last may be torn
        if whole and settings["metrics"].keys() <= whole[0]["metrics"].keys():
            images = list({row["image"]: row for row in whole[1:]}.values())
        else:
            images = []
        write_whole(part, "".join(json.dumps(line) + "\n" for line in [settings, *images]))
        return images

    def append(self, cell: Cell, image: Mapping[str, object]) -> None:
        """Keep one scored image of a cell that is not finished yet."""
        with self._part(cell).open("a") as file:
            file.write(json.dumps(image) + "\n")

    def write(
        self,
        cell: Cell,
        images: list[dict[str, object]],
        settings: Mapping[str, object],
        **provenance: object,
    ) -> Path:
        """Write a finished cell, whole or not at all, and drop its part file.

        Scores of other metrics that the cell already had are kept.
        """
        settings = dict(settings)
        if cell in self:
            stored = self.read(cell)
            settings["metrics"] = {**stored["settings"]["metrics"], **settings["metrics"]}
            before = {row["image"]: row for row in stored["images"]}
            images = [{**before.get(row["image"], {}), **row} for row in images]
            provenance["labels"] = _merged(stored["labels"], provenance["labels"])
        record = {**provenance, "cell": asdict(cell), "settings": settings, "images": images}
        write_whole(self._path(cell), json.dumps(record, indent=1) + "\n")
        self._part(cell).unlink(missing_ok=True)
        return self._path(cell)

    def table(self) -> pd.DataFrame:
        """One line per image: the cell's five names, image, a column per metric, seconds.

        ``attrs`` holds what a report needs to label it: "higher_is_better" by metric, "border" by
        dataset and metric, "unit" and "note" by noise; "inference" by dataset and model, where
        images were tiled or in bf16; and "made", where cells were not made alike, what by. Columns
        ``noisy`` and ``clean`` are hashes of pixels.
        """
        rows, labels, records = [], {}, []
        for path in sorted(self.root.glob("cells/*/*/*.json")):
            record = self._load(path)
            records.append(record)
            cell = record["cell"]
            for image in record["images"]:
                rows.append({**cell, **image})
            for name, label in record["labels"].items():  # by metric, or one of the cell's noise
                known = labels.setdefault(name, {})
                if name == "border":
                    known = known.setdefault(cell["dataset"], {})
                known.update(label if isinstance(label, Mapping) else {cell["noise"]: label})
            if unusual := _unusual(record.get("environment", {})):
                known = labels.setdefault("inference", {}).setdefault(cell["dataset"], {})
                known[cell["model"]] = sorted({*known.get(cell["model"], []), *unusual})
        table = pd.DataFrame(rows)
        if rows:
            table.insert(len(table.columns) - 1, "seconds", table.pop("seconds"))
            order = ["dataset", "noise", "level", "seed", "model"]
            table = table.sort_values(order, kind="stable", ignore_index=True)
        if made := made_of(records):
            labels["made"] = made
        table.attrs = labels
        return table

    def pictures(self, cell: Cell) -> Path:
        """The folder for small pictures of a cell's first image, shared by all models."""
        return self.root / "pictures" / cell.dataset / cell.condition

    def _load(self, path: Path) -> dict[str, object]:
        """A cell's file; one which has not changed since is not read again."""
        found = path.stat()
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        if path not in self._loaded or self._loaded[path][0] != state:
            try:
                self._loaded[path] = state, json.loads(path.read_text())
            except json.JSONDecodeError as error:
                advice = "delete it to score it again"
                raise ValueError(f"{path} is no cell ({error}); {advice}") from None
        return self._loaded[path][1]

    def _path(self, cell: Cell) -> Path:
        return self.root / "cells" / cell.path

    def _part(self, cell: Cell) -> Path:
        return self._path(cell).with_suffix(".json.part")

    def _refuse_other(
        self, path: Path, stored: Mapping[str, object], settings: Mapping[str, object]
    ) -> None:
        changes = differences(stored, settings)
        if changes:
            raise ValueError(
                f"{path} was scored with {' and '.join(changes)}; give the variant a name of its "
                f"own ('+model.NAME={{of: ...}}', '+noise.NAME={{of: ...}}'), choose another "
                f"folder (out=FOLDER), or delete that file"
            )


def _unusual(environment: Mapping[str, object]) -> set[str]:
    """How a cell's images were restored, if not whole and in fp32."""
    found = {f"tiles of {side}" for side in environment.get("tile", {}).values()}
    return found | ({"bf16"} if environment.get("precision") == "bf16" else set())


def _merged(stored: Mapping[str, object], now: Mapping[str, object]) -> dict[str, object]:
    """Labels of both, those of now winning; a dict by metric keeps the metrics of before."""
    return {k: {**stored[k], **v} if isinstance(v, Mapping) else v for k, v in now.items()}


def differences(stored: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Settings that differ, each as ``model.weights 'a' (now 'b')``.

    Metrics only one side has are no difference: they can be scored later.
    """
    found = []
    for key in [*stored, *(k for k in now if k not in stored)]:
        before, after = stored.get(key, "absent"), now.get(key, "absent")
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            if key == "metrics":
                shared = before.keys() & after.keys()
                before = {k: v for k, v in before.items() if k in shared}
                after = {k: v for k, v in after.items() if k in shared}
            found += [f"{key}.{change}" for change in differences(before, after)]
        elif before != after:
            found.append(f"{key} {before!r} (now {after!r})")
    return found
