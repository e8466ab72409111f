"""Tensors of a checkpoint as its authors published it; nothing in a file is ever executed."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from benchmark.denoiser.weights import inert
from benchmark.denoiser.weights.wrappers import flatten
from benchmark.files.content import LFS_POINTER, WEB_PAGE
from benchmark.files.places import named_file

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".pth.tar", ".tar")
TORCH_STARTS = (b"PK\x03\x04", b"\x80")  # a zip archive; a pickle, as PyTorch wrote before 1.6


def weights_file(given: str | Path) -> Path:
    """The path of weights that a user named; see `benchmark.files.places.named_file`."""
    return named_file(given, SUFFIXES)


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, without reading its tensors; other kinds have none.

    Raises
    ------
    ValueError
        As in `read_checkpoint`, as far as it can be told from the start of the file.
    """
    return _read_safetensors(path, with_tensors=False)[0] if _is_safetensors(path) else {}


def read_checkpoint(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """A file's metadata and all of its tensors, on the CPU, by the paths of keys to them.

    The content decides what a file is, not the end of its name: safetensors, or what ``torch.save``
    writes, now or before PyTorch 1.6. Which of the tensors are a network's,
    `benchmark.denoiser.weights.averages.fit` finds out. What a file holds beside tensors is not
    looked at.

    Raises
    ------
    ValueError
        If the file is missing, empty, damaged or of another kind, if its tensors are inside of
        objects that only executing it could restore, or if there are none in it.
    """
    if _is_safetensors(path):
        metadata, tensors = _read_safetensors(path, with_tensors=True)
    else:
        metadata, tensors = {}, _read_torch(path)
    _check_values(path, tensors)
    return metadata, tensors


def _is_safetensors(path: Path) -> bool:
    """Whether a file is safetensors and not of PyTorch; any other kind is an error."""
    if not weights_file(path).is_file():
        raise ValueError(f"no weights file at {path}")
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise ValueError(f"{path} is empty; download it again")
    if WEB_PAGE.match(start):
        raise ValueError(
            f"{path} is a web page, not weights; download it again, by hand if the page asks first"
        )
    if start.startswith(LFS_POINTER):
        raise ValueError(
            f"{path} is a pointer of Git LFS, not weights; fetch the file itself: git lfs pull"
        )
    if start[8:9] == b"{":  # after the length of its header, 8 bytes
        return True
    if start.startswith(TORCH_STARTS):
        return False
    raise ValueError(
        f"{path} is neither safetensors nor a checkpoint of PyTorch; was it downloaded whole?"
    )


def _read_safetensors(path: Path, with_tensors: bool) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            keys = list(file.keys()) if with_tensors else []
            return file.metadata() or {}, {key: file.get_tensor(key) for key in keys}
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no safetensors file ({error}); was it downloaded whole?"
        ) from None


def _read_torch(path: Path) -> dict[str, Tensor]:
    stored, classes = load_torch(path)
    if not isinstance(stored, Mapping):
        found = "None" if stored is None else f"a {type(stored).__name__}"
        raise ValueError(
            f"{path} holds {found}, not the state dict of a network; ask "
            f"for a file written by: torch.save(network.state_dict(), FILE)"
        )
    try:
        tensors = flatten(stored)
    except ValueError as error:
        raise ValueError(f"{path} is ambiguous: {error}; save the state dict by itself") from None
    if not tensors and classes:
        raise ValueError(_objects(path, classes[0]))
    if not tensors:
        keys = ", ".join(map(str, list(stored)[:5])) or "none"
        raise ValueError(
            f"{path} holds no tensors where a state dict is looked for (keys there: {keys}); "
            f"save the network's state dict by itself"
        )
    return tensors


def load_torch(path: Path) -> tuple[object, list[str]]:
    """What a file of ``torch.save`` holds, and the classes of the objects that were left out.

    Raises
    ------
    ValueError
        If it is damaged, of another kind, or wants something executed.
    """
    try:
        return inert.load(str(path))
    except inert.Refused as error:
        raise ValueError(_objects(path, error.args[0])) from None
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to ask for
        reason = str(error)
    if "TorchScript" in reason:
        raise ValueError(
            f"{path} is a TorchScript archive, which is code beside weights; "
            f"ask for the state dict of the network"
        )
    raise ValueError(f"{path} is no whole checkpoint of PyTorch; was it downloaded whole?")


def _objects(path: Path, name: str) -> str:
    return (
        f"{path} holds Python objects ({name.removeprefix('builtins.')}) beside its tensors, which "
        f"loading would execute; ask for a file of tensors only, or save its state dict by itself"
    )


def _check_values(path: Path, tensors: dict[str, Tensor]) -> None:
    """Refuse what is no plain array of numbers."""
    for name, value in tensors.items():
        kind = ""
        if value.is_meta:
            kind = "only a shape, without values (the device 'meta')"
        elif value.layout != torch.strided:
            kind = "a sparse tensor"
        elif value.is_quantized:
            kind = "a quantized tensor"
        if kind:
            raise ValueError(
                f"{path}: '{name}' is {kind}; ask for the network in float32, and save its state "
                f"dict on the CPU"
            )
