"""From a stored cell to the same cell made again: its record, read as the options of a run."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.cells import Cell
from benchmark.cells.provenance import OF_INFERENCE, OF_MODEL, Record
from benchmark.cli.objects.grid import compose_grid
from benchmark.cli.objects.grid_options import GridOptions, of_whole_images
from benchmark.cli.objects.specs import class_of, spec_of
from benchmark.cli.objects.stored import Choice, stored_cells
from benchmark.datasets import Folder
from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.load import all_shipped
from benchmark.environment.device import device_name, devices, pick_device, use_threads
from benchmark.files.whole import file_hash
from benchmark.objects.building import build_one
from benchmark.objects.spec import Spec
from benchmark.protocol import Protocol
from benchmark.registry import UnknownName
from benchmark.scoring.grid import Grid
from benchmark.scoring.repro import Reproduction, make_again
from benchmark.settings import GIVEN, declared
from benchmark.signature import settings_of

if TYPE_CHECKING:
    from benchmark.cli.commands.explain import ExplainOptions
    from benchmark.cli.commands.repro import ReproOptions

HASH = re.compile("sha256:([0-9a-f]{64})")  # what a cell records in place of a file
OF_IMAGES = ("images", "sha256")  # what a cell records of a dataset beside its settings

Settings = Mapping[str, Any]


class Files:
    """Files which a user named, found by their content.

    Parameters
    ----------
    given
        Files; or folders, whose files are meant.

    Raises
    ------
    ValueError
        If there is no such file or folder.
    """

    def __init__(self, given: Iterable[str]):
        self.paths: list[Path] = []
        for place in map(Path, given):
            place = place.expanduser()
            if not place.exists():
                raise ValueError(
                    f"weights={place}: there is no such file or folder; name files, or folders "
                    f"which hold them"
                )
            inside = sorted(place.iterdir()) if place.is_dir() else [place]
            self.paths += [path for path in inside if path.is_file()]

    @cached_property
    def _hashes(self) -> dict[str, Path]:
        return {file_hash(path): path for path in self.paths}

    def find(self, digest: str, shipped: Iterable[Path], what: str) -> Path:
        """The file of this SHA-256, among those which ship or those which were named.

        Raises
        ------
        ValueError
            If there is none; the message says what it is to be.
        """
        ours = {file_hash(path): path for path in shipped}
        if digest in ours:
            return ours[digest]
        if digest in self._hashes:
            return self._hashes[digest]
        there = ", ".join(f"{path.name} ({known[:12]})" for known, path in ours.items())
        looked = f"of the {len(self.paths)} given none has it" if self.paths else "none was given"
        raise ValueError(
            f"{what} is a file with the SHA-256 {digest}, but {looked}"
            f"{f', nor what ships: {there}' if there else ''}; name it, or its folder: weights=FILE"
        )


def repeated(cell: Cell, record: Record, files: Files, options: ReproOptions) -> Reproduction | str:
    """A stored cell made again, as it was made then; or why it cannot be, as a sentence.

    Raises
    ------
    ValueError
        If there is no such metric or device.
    """
    metrics = _metrics(cell, record, options.metric)
    environment = record.get("environment", {})
    device = device_of(options.device, environment.get("device"))
    use_threads(options.threads or environment.get("threads"))
    try:
        grid = grid_of(cell, record, metrics, files, options.images, device)
        return make_again(grid, cell, record, device, metrics)
    except (ValueError, UnknownName) as error:
        return str(error)


def explained_grids(options: ExplainOptions, device: str) -> Iterator[tuple[Grid, Record | None]]:
    """What ``bench explain`` scores: stored cells with their records, or the grid of a run.

    Of stored cells one is composed at a time: each has a model of its own.

    Raises
    ------
    ValueError, UnknownName
        As `stored_cells` and `compose_grid`, and later as `grid_of`.
    """
    if not options.cell:
        return iter([(compose_grid(of_whole_images(options, ("psnr", "ssim"))), None)])
    files = Files(options.weights)
    cells = stored_cells(options.cell, GridOptions.out, Choice())
    return (
        (grid_of(cell, record, (), files, options.images, device), record) for cell, record in cells
    )


def grid_of(
    cell: Cell,
    record: Record,
    metrics: Collection[str],
    files: Files,
    images: str | None,
    device: str,
) -> Grid:
    """The grid whose only cell is a stored one, from what the cell says.

    Parameters
    ----------
    metrics
        Those of the cell which are wanted.
    images
        A folder, for datasets which are found by a path that is not recorded; their own by default.

    Raises
    ------
    ValueError, UnknownName
        If a class or a setting is not known here, or a file or images are missing.
    """
    settings = record["settings"]
    protocol = Protocol.of(settings["protocol"])
    model = _spec("model", cell.model, settings["model"], files, OF_MODEL)
    data = _dataset(cell, settings["dataset"], images)
    noise = {} if cell.recorded else _noise(cell, settings["noise"], files)
    own = settings_of(model.cls)
    how = {key: settings["model"].get(key) for key in OF_INFERENCE if key not in own}
    grid = compose_grid(
        GridOptions(
            model={cell.model: model},
            noise=noise or {cell.dataset: data},
            data={cell.dataset: data} if noise else {},
            metric={
                name: _spec("metric", name, given, files)
                for name, given in settings["metrics"].items()
                if name in metrics
            },
            protocol=protocol.name,
            seeds=(cell.seed,),
            reference=(),
            tile=str(how.get("tile") or "auto"),
            precision=how.get("precision") or "fp32",
            runtime=how.get("runtime") or "torch",
            device=device,
        )
    )
    return replace(grid, levels={cell.dataset: {cell.noise: (cell.level,)}})


def model_again(name: str, recorded: Settings, files: Files) -> Denoiser:
    """A model from the settings which its cells record.

    Raises
    ------
    ValueError, UnknownName
        If its class or a setting is not known here, or its weights are missing.
    """
    return build_one(_spec("model", name, recorded, files, OF_MODEL))


def _metrics(cell: Cell, record: Record, asked: Iterable[str]) -> list[str]:
    """The metrics of a cell which are asked for."""
    known = list(record["settings"]["metrics"])
    chosen = [name for name in known if "all" in asked or name in asked]
    if not chosen:
        raise ValueError(
            f"{cell} has no {' and no '.join(asked)}; its metrics are {', '.join(known)}"
        )
    return chosen


def device_of(asked: str, before: str | None) -> str:
    """The device that is asked for; by default the one of this name, as a cell records it."""
    if asked != "auto":
        return pick_device(asked)
    here = {device_name(device): device for device in reversed(devices())}
    return here.get(before or "") or pick_device("auto")


def _spec(
    group: str, name: str, recorded: Settings, files: Files, beside: tuple[str, ...] = ()
) -> Spec:
    """A class and its settings as a cell records them, files by their paths.

    Parameters
    ----------
    beside
        Keys which the cell records beside the settings, where the class has none of that name.
    """
    _refuse_given(group, name, recorded)
    cls = class_of(group, name, recorded)
    own = settings_of(cls)
    given = {key: value for key, value in recorded.items() if key in own or key not in beside}
    shipped = []
    if issubclass(cls, Denoiser) and cls.learned:
        shipped = list(all_shipped(cls).values())
    found = {
        key: _with_paths(value, files, shipped, f"{key} of {group} '{name}'")
        for key, value in given.items()
    }
    return spec_of(group, name, found)


def _refuse_given(group: str, name: str, recorded: Settings) -> None:
    """Raise ``ValueError`` for what was an object in somebody's Python, or done elsewhere."""
    of = str(recorded.get("of"))
    if of.startswith(GIVEN):
        raise ValueError(
            f"{group} '{name}' was given to benchmark.score as an object of Python, "
            f"{of.removeprefix(GIVEN)}; it can be scored again only there"
        )
    if "outputs" in recorded:
        raise ValueError(
            f"{group} '{name}' was restored by a program that runs elsewhere, and was read from "
            f"its files; only that program can restore again"
        )


def _noise(cell: Cell, recorded: Settings, files: Files) -> dict[str, Spec]:
    spec = _spec("noise", cell.noise, recorded, files)
    return {cell.noise: replace(spec, settings={**spec.settings, "levels": (cell.level,)})}


def _dataset(cell: Cell, recorded: Settings, images: str | None) -> Spec:
    given = {key: value for key, value in recorded.items() if key not in OF_IMAGES}
    _refuse_given("data", cell.dataset, given)
    cls = class_of("data", cell.dataset, given)
    if "path" in declared(cls):
        if images:
            given["path"] = images
        if issubclass(cls, Folder) and not (images and Path(images).expanduser().is_dir()):
            raise ValueError(
                f"the images of {cell.dataset} lie in a folder which cells do not record"
                f"{f', and there is none at {images}' if images else ''}; name it: images=FOLDER"
            )
    spec = spec_of("data", cell.dataset, given)
    if cell.recorded and cell.level not in spec.settings.get("levels", cls.levels):
        spec = replace(spec, settings={**spec.settings, "levels": (cell.level,)})
    return spec


def _with_paths(value: Any, files: Files, shipped: list[Path], what: str) -> Any:
    """A recorded value with the path of a file in place of each hash of one."""
    if isinstance(value, list):
        return [_with_paths(item, files, shipped, what) for item in value]
    if not isinstance(value, str):
        return value
    return HASH.sub(lambda found: str(files.find(found[1], shipped, what)), value)
