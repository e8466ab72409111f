"""Weights as one safetensors file which can rebuild its own network and says how it was trained."""

import json
import sys
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.files import write_whole

HEADER = "noisebench"


def shipped(cls: type[Denoiser]) -> Path:
    """Where the package that defines a network keeps the weights it ships."""
    return Path(sys.modules[cls.__module__].__file__).parent / "weights" / f"{cls.name}.safetensors"


def save_weights(
    path: Path, network: Denoiser, arguments: dict[str, object], training: dict[str, object]
) -> None:
    """Write a network's state dict, its constructor's arguments and its training facts.

    The file is whole or absent: it is written aside and renamed.
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
        If the file is missing, is no safetensors file, or was not written by ``bench train``.
    """
    return _read(path)[0]


def load_network(cls: type[Denoiser], path: Path, settings: dict[str, object]) -> Denoiser:
    """Rebuild the network of a weights file.

    Parameters
    ----------
    cls
        The class the file is expected to hold; another one's file is an error.
    path
        A file written by `save_weights`.
    settings
        The class's test-time keywords, which win over those of the training.

    Raises
    ------
    ValueError
        If the file is missing or unreadable, belongs to another network, or does not fit.
    """
    if not path.is_file():
        raise ValueError(
            f"no weights for '{cls.name}' at {path}; train it with: bench train model={cls.name}, "
            f"then pass model.{cls.name}.weights=FILE"
        )
    header, tensors = _read(path, with_tensors=True)
    if header["model"] != cls.name:
        raise ValueError(
            f"{path} holds weights of '{header['model']}', not of '{cls.name}'; "
            f"use model={header['model']} or another file"
        )
    arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in header["arguments"].items()}
    try:
        network = cls(**{**arguments, **settings})
        network.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:  # a keyword the class no longer has, other tensors
        raise ValueError(
            f"{path} does not fit '{cls.name}': {' '.join(str(error).split())}"
        ) from None
    return network


def _read(
    path: Path, with_tensors: bool = False
) -> tuple[dict[str, object], dict[str, torch.Tensor]]:
    if not path.is_file():
        raise ValueError(f"no weights file at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = (
                {key: file.get_tensor(key) for key in list(file.keys())} if with_tensors else {}
            )
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no safetensors file ({error}); was it downloaded whole?"
        ) from None
    if HEADER not in metadata:
        raise ValueError(
            f"{path} does not say which network it holds; "
            f"use a file written by: bench train model={'|'.join(sorted(DENOISERS))}"
        )
    return json.loads(metadata[HEADER]), tensors
