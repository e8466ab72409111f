"""The files that a run reads beside what comes with the packages, by their names in a bundle."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmark.cells.provenance import US, code_of
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.checkpoint import weights_file
from benchmark.denoiser.weights.load import PUBLISHED, all_shipped, weights_path
from benchmark.files.places import weights_folder
from benchmark.files.states import below
from benchmark.metrics import Metric
from benchmark.metrics.metric import MetricUnavailable
from benchmark.noise import NOISE_MODELS
from benchmark.noise.formula import Formula
from benchmark.objects.building import build_one
from benchmark.objects.spec import Spec, Specs
from benchmark.settings import declared
from benchmark.signature import settings_of

Named = tuple[str, Path]


def needed_files(specs: Mapping[str, Specs]) -> dict[str, Path]:
    """Files by their names in a bundle; see `benchmark.offline.bundle.Bundle`.

    Raises
    ------
    ValueError
        If one is missing, or named by a path that leads out of the working folder.
    """
    return dict(found for spec in _each(specs) for found in _of(spec))


def watched_files(specs: Mapping[str, Specs]) -> list[Path]:
    """Files and folders whose state says that a run would be planned as it was; some are absent.

    Raises
    ------
    ValueError
        If images are not here, or a setting is wrong.
    """
    return [path for spec in _each(specs) for path in _watched(spec)]


def needed_plugins(specs: Mapping[str, Specs]) -> tuple[list[str], list[str]]:
    """The distributions, beside ours, which have the classes of a run, by name.

    Returns
    -------
    distributions : list of str
    others : list of str
        A sentence for each module that belongs to none, so that no wheel can be made of it.
    """
    classes = {spec.cls for group in specs.values() for spec in group.values()}
    for spec in specs["noise"].values():
        classes |= set(getattr(build_one(spec), "made_of", {}).values())
    names = {cls.__module__: code_of(cls)["distribution"] for cls in classes}
    others = [
        f"module {module} is not in the bundle: it belongs to no installed package; install it "
        f"here (pip install FOLDER), or copy it by hand"
        for module, name in sorted(names.items())
        if name is None
    ]
    return sorted({name for name in names.values() if name} - {US}), others


def _each(specs: Mapping[str, Specs]) -> Iterator[Spec]:
    """All that a run is made of, formulas with their parts."""
    for spec in (spec for group in specs.values() for spec in group.values()):
        yield spec
        if issubclass(spec.cls, Formula):
            for term in build_one(spec).tree.terms:
                cls = NOISE_MODELS[term.name]
                defaults = {key: default for key, (_, default) in settings_of(cls).items()}
                yield Spec("noise", term.name, cls, {**defaults, **dict(term.settings)})


def _watched(spec: Spec) -> Iterator[Path]:
    for value in _given(spec).values():
        for one in value if isinstance(value, tuple) else (value,):
            yield Path(os.path.expanduser(str(one)))
    if issubclass(spec.cls, Dataset):
        dataset: Dataset = build_one(spec)
        yield from (*dataset.searched(), dataset.folder(), *dataset.folders(), *dataset.paths())
    elif issubclass(spec.cls, Denoiser) and spec.cls.learned:
        given = spec.settings.get("weights")
        yield weights_path(spec.cls, given)
        if given:  # a file of this name counts more than weights which ship under it
            yield weights_folder() if given == PUBLISHED else weights_file(given)
    elif issubclass(spec.cls, Metric):
        with suppress(MetricUnavailable):
            yield from build_one(spec).found_files()


def _given(spec: Spec) -> dict[str, Any]:
    """The settings which name files or folders."""
    kinds = declared(spec.cls, spec.settings)
    given = {key: value for key, value in spec.settings.items() if value and key in kinds}
    return {key: value for key, value in given.items() if kinds[key] in ("files", "located")}


def _of(spec: Spec) -> Iterator[Named]:
    given = _given(spec)
    if issubclass(spec.cls, Dataset):
        yield from _images(build_one(spec), bool(given))
        return
    if issubclass(spec.cls, Denoiser) and spec.cls.learned:
        yield from _weights(spec)
    elif issubclass(spec.cls, Metric):
        yield from ((f"weights/{path.name}", path) for path in build_one(spec).found_files())
    for value in given.values():
        for one in value if isinstance(value, tuple) else (value,):
            path = Path(one)
            files = filter(Path.is_file, map(Path, below(one))) if path.is_dir() else [path]
            yield from map(_here, files)


def _images(dataset: Dataset, named: bool) -> Iterator[Named]:
    """The images of a data set, if it does not come with a package."""
    folder = dataset.folder()
    if named:
        yield from map(_here, sorted(dataset.paths()))
    elif folder in Dataset.searched(dataset):
        for path in sorted(dataset.paths()):
            yield f"data/{dataset.name}/{path.relative_to(folder).as_posix()}", path


def _weights(spec: Spec) -> Iterator[Named]:
    """The weights that a network is told to read, if they are not shipped."""
    given = spec.settings.get("weights")
    path = weights_path(spec.cls, given)
    if given == PUBLISHED:
        yield f"weights/{path.name}", path
    elif given and path not in all_shipped(spec.cls).values():
        yield _here(path)


def _here(path: Path) -> Named:
    """A file which is named by its path."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if path.is_absolute() or ".." in path.parts or path.parts[0].startswith("~"):
        raise ValueError(
            f"{path} is named by an absolute path, or one that leads out of the folder in which "
            f"this command is given, and would be elsewhere on another machine; name it by a path "
            f"below this folder"
        )
    return f"here/{path.as_posix()}", path
