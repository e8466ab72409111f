"""Weights as files: our own, which say what they hold, and published ones, whose shapes tell."""

import inspect
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from benchmark.denoiser.model import DENOISERS, Denoiser
from benchmark.denoiser.weights.averages import NoFit, check_numbers, fit
from benchmark.denoiser.weights.checkpoint import read_checkpoint, read_metadata, weights_file
from benchmark.denoiser.weights.sizes import own_settings
from benchmark.denoiser.weights.wrappers import unwrapped
from benchmark.files.places import weights_folder
from benchmark.files.whole import write_whole

HEADER = "noisebench"
PUBLISHED = "published"  # stands for the file that `bench fetch` brought
STANDING_IN = ("small", "tiny")  # sizes whose weights stand in for the published one, best first
COUNTER = "num_batches_tracked"  # of batch normalisation; PyTorch before 0.4.1 had none

Arguments = dict[str, object]
Tensors = Mapping[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


def shipped(cls: type[Denoiser]) -> Path:
    """Where the package that defines a network keeps the weights it ships.

    As long as there are none of the published size, those of a smaller one stand in: of the
    largest size of `STANDING_IN` which is there.
    """
    folder = Path(inspect.getfile(cls)).parent / "weights"
    best = folder / f"{cls.name}.safetensors"
    smaller = [folder / f"{cls.name}_{size}.safetensors" for size in STANDING_IN]
    return next((path for path in (best, *smaller) if path.is_file()), best)


def all_shipped(cls: type[Denoiser]) -> dict[str, Path]:
    """Every weights file which ships for a network, by name: ``masked_tiny``, its variants."""
    found = sorted(shipped(cls).parent.glob(f"{cls.name}*.safetensors"))
    return {path.stem: path for path in found if read_header(path)["model"] == cls.name}


def weights_path(cls: type[Denoiser], given: str | None) -> Path:
    """The file a network reads: the one given, by path or by the name it ships under, or `shipped`.

    Parameters
    ----------
    given
        A path; or a name of `all_shipped`, such as ``masked_80_90_tiny``; or ``published`` for
        those of the network's authors, which ``bench fetch`` brings; None for the best.

    Raises
    ------
    ValueError
        If it can be no file: see `benchmark.files.places.named_file`; or if the published weights
        are not here.
    """
    if not given:
        return shipped(cls)
    if given == PUBLISHED:
        return _published_path(cls)
    path = weights_file(given)
    if path.suffix or len(path.parts) > 1 or path.exists():
        return path
    return all_shipped(cls).get(given, path)


def _published_path(cls: type[Denoiser]) -> Path:
    if not cls.published:
        raise ValueError(
            f"no published weights of '{cls.name}' can be fetched; name a file instead: "
            f"model.{cls.name}.weights=FILE"
        )
    found = sorted(weights_folder().glob(f"{cls.published}.*"))
    if not found:
        raise ValueError(
            f"the published weights of '{cls.name}' are not in {weights_folder()}; bring them "
            f"with: bench fetch {cls.published}"
        )
    return found[0]


def save_weights(
    path: Path, network: Denoiser, arguments: dict[str, object], training: dict[str, object]
) -> None:
    """Write a network's state dict, its constructor's arguments and its training facts.

    The file is one of safetensors, and whole or absent: it is written aside and renamed.
    """
    header = {"model": network.name, "arguments": arguments, "training": training}
    tensors = {  # copies, since the format refuses two names of one tensor
        key: value.detach().cpu().contiguous().clone()
        for key, value in network.state_dict().items()
    }
    write_whole(path, save(tensors, metadata={HEADER: json.dumps(header)}))


def read_header(path: Path) -> dict[str, Any]:
    """The model's name, constructor arguments and training facts, without reading the tensors.

    Raises
    ------
    ValueError
        If the file is missing or damaged, or was not written by ``bench train``.
    """
    metadata = read_metadata(path)
    if HEADER not in metadata:
        raise ValueError(
            f"{path} does not say which network it holds; "
            f"use a file written by: bench train model={'|'.join(sorted(DENOISERS))}"
        )
    return _header(path, metadata)


def _header(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """What a file of `save_weights` says of itself, checked for the keys and types it must have."""
    wanted = {"model": str, "arguments": dict, "training": dict}
    try:
        header = json.loads(metadata[HEADER])
    except (ValueError, RecursionError):
        header = None
    said = {"training": {}, **header} if isinstance(header, dict) else {}
    wrong = [key for key, kind in wanted.items() if not isinstance(said.get(key), kind)]
    if wrong:
        raise ValueError(
            f"{path} says in its header '{HEADER}' nothing that can be read of its "
            f"{' and '.join(wrong)}; use a file written by: bench train model=NAME"
        )
    return said


def load_network(cls: type[Denoiser], path: Path, settings: dict[str, object]) -> Denoiser:
    """Rebuild the network of a weights file, its own or a published one.

    A file of `save_weights` says what it holds. Of any other, ``cls.arguments_of`` reads the
    architecture from the shapes and the rest is the constructor's default; what is published in the
    names of ``cls.derived`` is left out, as are the wrappers and prefixes (``module.``, Lightning's
    ``model.``) without which the names fit. Averaged weights are taken before those they are
    averages of, and a warning says so; see `benchmark.denoiser.weights.averages.fit`. Networks of
    one architecture, like ``masked`` and ``baseline``, cannot be told apart in such a file: it is
    what the user says it is.

    Parameters
    ----------
    cls
        The class the file is expected to hold; another one's file is an error.
    path
        A file of `save_weights`, or one that `read_checkpoint` can read.
    settings
        The class's test-time keywords, which win over those of the training.

    Raises
    ------
    ValueError
        If the file is missing or unreadable, belongs to another network, or does not fit, or if
        its numbers are not finite.
    """
    if not weights_file(path).is_file():
        raise ValueError(
            f"no weights for '{cls.name}' at {path}; noisebench comes with: "
            f"{', '.join(all_shipped(cls)) or 'none'}; train it with: bench train "
            f"model={cls.name}, then pass model.{cls.name}.weights=FILE"
        )
    metadata, tensors = read_checkpoint(path)
    if HEADER in metadata:
        arguments = _stated_arguments(cls, path, _header(path, metadata))
    else:
        arguments, tensors = _published(cls, path, tensors)
    network = _constructed(cls, path, arguments, settings)
    count, problem = _differences(_shapes(network.state_dict()), _shapes(tensors))
    if count:
        raise ValueError(f"{path} does not fit '{cls.name}': {problem}")
    check_numbers(path, tensors, network.state_dict())
    network.load_state_dict(tensors, strict=False)  # counters may be missing
    if HEADER in metadata:
        header = _header(path, metadata)
        if ours := own_settings(header):
            network.note = f"trained with {ours}"
        if {"noise", "level"} <= header["training"].keys():
            network.trained_on = {key: header["training"][key] for key in ("noise", "level")}
    return network


def _constructed(
    cls: type[Denoiser], path: Path, arguments: Arguments, settings: Arguments
) -> Denoiser:
    """The network; where it cannot be made, the message blames the file if that is the cause."""
    try:
        return cls(**{**arguments, **settings})
    except Exception as error:
        if not _of_file(cls, arguments):
            raise
        raise ValueError(
            f"{path} does not fit '{cls.name}': {' '.join(str(error).split())}"
        ) from None


def _of_file(cls: type[Denoiser], arguments: Arguments) -> bool:
    """Whether a network cannot be made of a file's arguments, whatever the user's settings."""
    try:
        cls(**arguments)
    except Exception:  # wrong types and sizes raise anything
        return True
    return False


def _stated_arguments(cls: type[Denoiser], path: Path, header: dict) -> Arguments:
    if header["model"] != cls.name:
        raise ValueError(
            f"{path} holds weights of '{header['model']}', not of '{cls.name}'; "
            f"use model={header['model']} or another file"
        )
    return {k: tuple(v) if isinstance(v, list) else v for k, v in header["arguments"].items()}


def _published(cls: type[Denoiser], path: Path, tensors: Tensors) -> tuple[Arguments, Tensors]:
    """The constructor's arguments of a published state dict, and its tensors by our names."""

    def build(reading: dict[str, Tensor]) -> tuple[Arguments, Tensors]:
        ours = {key: value for key, value in reading.items() if not key.endswith(cls.derived)}
        shapes = _shapes(ours)
        arguments = cls.arguments_of(shapes)
        try:
            wanted = _shapes_of(cls, tuple(arguments.items()))
        except ValueError as error:  # no network has these shapes
            raise NoFit(str(error)) from None
        count, problem = _differences(wanted, shapes)
        if count:
            shared = sum(shapes.get(key) == shape for key, shape in wanted.items())
            raise NoFit(problem, shared)
        return arguments, ours

    try:
        return fit(path, tensors, build)
    except NoFit as error:
        closest = str(error)
    others = [other for _, other in sorted(DENOISERS.items()) if _holds(other, tensors)]
    if others:
        names = " or ".join(f"'{other.name}'" for other in others)
        raise ValueError(
            f"{path} holds weights that fit {names}, not '{cls.name}'; "
            f"use model={others[0].name} or another file"
        )
    raise ValueError(f"{path} does not fit '{cls.name}': {closest}")


def _holds(cls: type[Denoiser], tensors: Tensors) -> bool:
    """Whether a published state dict fits a network of this class."""
    return cls.learned and any(_fits(cls, reading.tensors) for reading in unwrapped(dict(tensors)))


def _fits(cls: type[Denoiser], tensors: Tensors) -> bool:
    shapes = {k: v for k, v in _shapes(tensors).items() if not k.endswith(cls.derived)}
    try:
        wanted = _shapes_of(cls, tuple(cls.arguments_of(shapes).items()))
    except ValueError:  # no network has these shapes
        return False
    return not _differences(wanted, shapes)[0]


@lru_cache(maxsize=32)  # to make a network only to look at it takes up to a second
def _shapes_of(cls: type[Denoiser], arguments: tuple[tuple[str, object], ...]) -> Shapes:
    return _shapes(cls(**dict(arguments)).state_dict())


def _differences(ours: Shapes, theirs: Shapes) -> tuple[int, str]:
    """How many tensors a network and a file do not have in common, and one example of each kind."""
    kinds = {
        "missing": [key for key in ours if key not in theirs and not key.endswith(COUNTER)],
        "unexpected": [key for key in theirs if key not in ours],
        "of another shape": [
            f"{key} is {theirs[key]}, not {shape}"
            for key, shape in ours.items()
            if theirs.get(key, shape) != shape
        ],
    }
    parts = [f"{len(keys)} {kind} ({keys[0]})" for kind, keys in kinds.items() if keys]
    return sum(map(len, kinds.values())), f"of its tensors {', '.join(parts)}"


def _shapes(tensors: Tensors) -> Shapes:
    return {key: tuple(value.shape) for key, value in tensors.items()}
