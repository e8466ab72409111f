"""What tells the graph of one network from those of others: its numbers, settings and code."""

import hashlib
import inspect
import json
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import torch
from torch import Tensor

from benchmark.denoiser.wrapped import identity_of_object, settings_of_layer
from benchmark.files.owner import new_token

if TYPE_CHECKING:
    from benchmark.denoiser.model import Denoiser

PACKAGES = ("torch", "openvino", "noisebench")  # whose versions make a graph


def digest_of_network(network: "Denoiser", packages: Sequence[str] = PACKAGES) -> str:
    """A hash of all that makes a network's graph: weights, settings, code, and versions.

    Where a file of its code is younger than this process, which may run what was there before, the
    hash is this process's alone.
    """
    files, began = _files_of_code(network), psutil.Process().create_time()
    facts = {
        **identity_of_object(network),
        "settings": plain_settings(network),
        "tensors": {name: _hash(tensor) for name, tensor in _tensors(network)},
        "code": sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files),
        "versions": [version_of(name) for name in packages],
        "changed": new_token() if any(file.stat().st_mtime > began for file in files) else "",
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def version_of(package: str) -> str:
    """The version of a package which is installed, else ""."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _files_of_code(network: "Denoiser") -> set[Path]:
    """The files of a network's classes, and what these import of their package or beside it.

    Not those of torch and of this package, which their versions tell, but for the classes' own.
    """
    classes = {cls for part in network.modules() for cls in type(part).mro()}
    todo, seen, files = {cls.__module__ for cls in classes}, set[str](), set[Path]()
    while todo:
        seen.add(name := todo.pop())
        top, module = name.partition(".")[0], sys.modules.get(name)
        path = getattr(module, "__file__", None)
        if top in ("torch", "builtins", "typing") or path is None or not Path(path).is_file():
            continue
        files.add(Path(path))
        held = [] if top == "benchmark" else [*vars(module).values()]
        names = {v.__name__ if inspect.ismodule(v) else getattr(v, "__module__", "") for v in held}
        names = {name for name in names if isinstance(name, str)} - seen
        todo |= {near for near in names if near.partition(".")[0] == top or is_loose(near)}
    return files


@cache
def is_loose(module: str) -> bool:
    """Whether a module is a file of nobody's package: not Python's, not installed and not ours."""
    path = getattr(sys.modules.get(module), "__file__", None)
    if path is None or module.partition(".")[0] == "benchmark":
        return False
    roots = {Path(place).resolve() for place in sysconfig.get_paths().values()}
    return roots.isdisjoint(Path(path).resolve().parents)


def plain_settings(network: "Denoiser") -> list[str]:
    """Every plain value which a network or one of its modules holds, also in private."""
    return [
        f"{place}.{key}={value!r}"
        for place, module in network.named_modules()
        for key, value in settings_of_layer(module)
    ]


def _tensors(network: "Denoiser") -> Iterator[tuple[str, Tensor]]:
    """What a network computes with that its state dict does not have."""
    yield from network.named_buffers()
    for place, module in network.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, Tensor | np.ndarray):
                yield f"{place}.{key}", torch.as_tensor(value)


def _hash(tensor: Tensor) -> str:
    content = tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
    return f"{tensor.dtype} {tuple(tensor.shape)} {hashlib.sha256(content).hexdigest()}"
