"""Tensors of a checkpoint as its authors published it; nothing in a file is ever executed."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

AVERAGED = ("params_ema", "average")  # of BasicSR, of our own training's checkpoints
WRAPPERS = (  # keys under which checkpoints keep the state dict of a network, averages first
    *AVERAGED,
    "params",
    "state_dict",
    "model_state_dict",
    "model",
    "network",
    "net",
)
WEB_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html)", re.IGNORECASE)
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
TORCH_STARTS = (b"PK\x03\x04", b"\x80")  # a zip archive; a pickle, as PyTorch wrote before 1.6


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, without reading its tensors; other kinds have none.

    Raises
    ------
    ValueError
        As in `read_checkpoint`, as far as it can be told from the start of the file.
    """
    return _read_safetensors(path, with_tensors=False)[0] if _is_safetensors(path) else {}


def read_checkpoint(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """A file's metadata and the tensors of its state dict, on the CPU, by the names they have.

    The content decides what a file is, not the end of its name: safetensors, or what
    ``torch.save`` writes, now or before PyTorch 1.6, which is read with ``weights_only=True``. A
    state dict is looked for under the keys of ``WRAPPERS``. Where a file has averaged weights
    beside others, the averaged ones are taken, and a warning says so.

    Raises
    ------
    ValueError
        If the file is missing, empty, damaged or of another kind, if it holds objects that only
        executing it could restore, or if there is no state dict in it.
    """
    if _is_safetensors(path):
        return _read_safetensors(path, with_tensors=True)
    stored = _read_torch(path)
    if not isinstance(stored, Mapping):
        raise ValueError(
            f"{path} holds a {type(stored).__name__}, not the state dict of a network; "
            f"ask for a file written by: torch.save(network.state_dict(), FILE)"
        )
    found = _state_dict(path, stored)
    tensors = {key: value for key, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        keys = ", ".join(map(str, list(found)[:5])) or "none"
        raise ValueError(
            f"{path} holds no tensors where a state dict is looked for (keys there: {keys}); "
            f"save the network's state dict by itself"
        )
    return {}, {str(key): value for key, value in tensors.items()}


def _is_safetensors(path: Path) -> bool:
    """Whether a file is safetensors and not of PyTorch; any other kind is an error."""
    if not path.is_file():
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


def _read_torch(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what PyTorch warns of here, the errors below say
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to ask for
        reason = str(error)
    if "TorchScript" in reason:
        raise ValueError(
            f"{path} is a TorchScript archive, which is code beside weights; "
            f"ask for the state dict of the network"
        )
    if refused := re.search(r"GLOBAL (\S+)", reason):
        raise ValueError(
            f"{path} holds Python objects ({refused[1]}) beside its tensors, which loading would "
            f"execute; ask for a file of tensors only, or save its state dict by itself"
        )
    raise ValueError(f"{path} is no whole checkpoint of PyTorch; was it downloaded whole?")


def _state_dict(path: Path, stored: Mapping) -> Mapping:
    """The innermost mapping, through the wrappers around it."""
    inside = [key for key in WRAPPERS if isinstance(stored.get(key), Mapping)]
    if not inside:
        return stored
    taken, *left = inside
    if taken in AVERAGED and left:
        warnings.warn(
            f"{path}: took its averaged weights, '{taken}', and not '{left[0]}'", stacklevel=3
        )
    return _state_dict(path, stored[taken])
