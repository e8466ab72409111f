"""Weights as files: our own, which say what they hold, and published ones, whose shapes tell."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from benchmark.checkpoint import read_checkpoint, read_metadata
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.files import write_whole

HEADER = "noisebench"
COUNTER = "num_batches_tracked"  # of batch normalisation; PyTorch before 0.4.1 had none

Arguments = dict[str, object]
Tensors = Mapping[str, Tensor]


def shipped(cls: type[Denoiser]) -> Path:
    """Where the package that defines a network keeps the weights it ships.

    As long as there are none of the published size, those of the size "tiny" stand in.
    """
    folder = Path(sys.modules[cls.__module__].__file__).parent / "weights"
    best, tiny = (folder / f"{name}.safetensors" for name in (cls.name, f"{cls.name}_tiny"))
    return tiny if tiny.is_file() and not best.is_file() else best


def all_shipped(cls: type[Denoiser]) -> dict[str, Path]:
    """Every weights file which ships for a network, by name: ``masked_tiny``, its variants."""
    found = sorted(shipped(cls).parent.glob(f"{cls.name}*.safetensors"))
    return {path.stem: path for path in found if read_header(path)["model"] == cls.name}


def weights_path(cls: type[Denoiser], given: str | None) -> Path:
    """The file a network reads: the one given, by path or by the name it ships under, or `shipped`.

    Parameters
    ----------
    given
        A path; or a name of `all_shipped`, such as ``masked_80_90_tiny``; None for the best.
    """
    if not given:
        return shipped(cls)
    path = Path(given).expanduser()
    if path.suffix or len(path.parts) > 1 or path.exists():
        return path
    return all_shipped(cls).get(given, path)


def save_weights(
    path: Path, network: Denoiser, arguments: dict[str, object], training: dict[str, object]
) -> None:
    """Write a network's state dict, its constructor's arguments and its training facts.

    The file is one of safetensors, and whole or absent: it is written aside and renamed.
    """
    header = {"model": network.name, "arguments": arguments, "training": training}
    tensors = {
        key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()
    }
    write_whole(path, save(tensors, metadata={HEADER: json.dumps(header)}))


def read_header(path: Path) -> dict[str, object]:
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
    return json.loads(metadata[HEADER])


def load_network(cls: type[Denoiser], path: Path, settings: dict[str, object]) -> Denoiser:
    """Rebuild the network of a weights file, its own or a published one.

    A file of `save_weights` says what it holds. Of any other, ``cls.arguments_of`` reads the
    architecture from the shapes and the rest is the constructor's default; what is published in
    the names of ``cls.derived`` is left out, as is a prefix (``module.``, Lightning's ``model.``)
    without which the names fit. Networks of one architecture, like ``masked`` and ``baseline``,
    cannot be told apart in such a file: it is what the user says it is.

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
        If the file is missing or unreadable, belongs to another network, or does not fit.
    """
    if not path.is_file():
        raise ValueError(
            f"no weights for '{cls.name}' at {path}; there come along: "
            f"{', '.join(all_shipped(cls)) or 'none'}; train it with: bench train "
            f"model={cls.name}, then pass model.{cls.name}.weights=FILE"
        )
    metadata, tensors = read_checkpoint(path)
    if HEADER in metadata:
        arguments = _stated_arguments(cls, path, json.loads(metadata[HEADER]))
    else:
        arguments, tensors = _published(cls, path, tensors)
    try:
        network = cls(**{**arguments, **settings})
    except TypeError as error:  # a keyword the class no longer has
        raise ValueError(f"{path} does not fit '{cls.name}': {error}") from None
    count, problem = _differences(network, tensors)
    if count:
        raise ValueError(f"{path} does not fit '{cls.name}': {problem}")
    network.load_state_dict(tensors, strict=False)  # counters may be missing
    return network


def _stated_arguments(cls: type[Denoiser], path: Path, header: dict) -> Arguments:
    if header["model"] != cls.name:
        raise ValueError(
            f"{path} holds weights of '{header['model']}', not of '{cls.name}'; "
            f"use model={header['model']} or another file"
        )
    return {k: tuple(v) if isinstance(v, list) else v for k, v in header["arguments"].items()}


def _published(cls: type[Denoiser], path: Path, tensors: Tensors) -> tuple[Arguments, Tensors]:
    """The constructor's arguments of a published state dict, and its tensors by our names."""
    misfits = []
    for reading in _readings(cls, tensors):
        arguments = cls.arguments_of(_shapes(reading))
        count, problem = _misfit(cls, arguments, reading)
        if not count:
            return arguments, reading
        misfits.append((count, problem))
    others = [other for _, other in sorted(DENOISERS.items()) if _holds(other, tensors)]
    if others:
        names = " or ".join(f"'{other.name}'" for other in others)
        raise ValueError(
            f"{path} holds weights that fit {names}, not '{cls.name}'; "
            f"use model={others[0].name} or another file"
        )
    _, closest = min(misfits, key=lambda misfit: misfit[0])
    raise ValueError(f"{path} does not fit '{cls.name}': {closest}")


def _readings(cls: type[Denoiser], tensors: Tensors) -> Iterator[Tensors]:
    """The tensors by their names, then without the prefix that most share, and so on.

    Without a prefix, what does not have it is left out: a loss network, say, in a file of
    Lightning.
    """
    reading = {key: value for key, value in tensors.items() if not key.endswith(cls.derived)}
    while True:
        yield reading
        prefixes = Counter(key.partition(".")[0] + "." for key in reading if "." in key)
        prefix, count = max(prefixes.items(), key=lambda item: item[1], default=("", 0))
        if count <= len(reading) / 2:
            return
        reading = {k.removeprefix(prefix): v for k, v in reading.items() if k.startswith(prefix)}


def _holds(cls: type[Denoiser], tensors: Tensors) -> bool:
    """Whether a published state dict fits a network of this class."""
    return cls.learned and any(
        not _misfit(cls, cls.arguments_of(_shapes(reading)), reading)[0]
        for reading in _readings(cls, tensors)
    )


def _misfit(cls: type[Denoiser], arguments: Arguments, tensors: Tensors) -> tuple[int, str]:
    """How many tensors keep a file from fitting a class, 0 if it does, and which, in words."""
    try:
        network = cls(**arguments)
    except ValueError as error:  # no network has these shapes
        return len(tensors), str(error)
    return _differences(network, tensors)


def _differences(network: Denoiser, tensors: Tensors) -> tuple[int, str]:
    """How many tensors a network and a file do not have in common, and one example of each kind."""
    ours, theirs = _shapes(network.state_dict()), _shapes(tensors)
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


def _shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in tensors.items()}
