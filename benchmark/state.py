"""What a training needs to go on, in files that are whole or absent, split where asked."""

import io
import re
from pathlib import Path

import torch

from benchmark.files import write_whole

NAME = re.compile(r"state-(\d+)\.pt(?:\.(\d+)of(\d+))?")
MEGABYTE = 1_000_000


def save_state(folder: Path, step: int, content: dict, megabytes: float | None = None) -> None:
    """Write a training's state after so many steps, then remove what older states are there.

    Parameters
    ----------
    content
        Tensors and plain values, nested as one likes.
    megabytes
        The largest size of a file: more becomes ``state-STEP.pt.1of3`` and so on; None: one file.

    Raises
    ------
    OSError
        If a file cannot be written; the older state is kept.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    state = buffer.getbuffer()
    size = len(state) if megabytes is None else max(1, int(megabytes * MEGABYTE))
    pieces = [state[start : start + size] for start in range(0, len(state), size)]
    name = f"state-{step:09d}.pt"
    names = [name]
    if len(pieces) > 1:
        names = [f"{name}.{part}of{len(pieces)}" for part in range(1, len(pieces) + 1)]
    older = [path for path in _files(folder) if path.name not in names]
    for part, piece in zip(names, pieces, strict=True):
        write_whole(folder / part, piece)
    for path in older:
        path.unlink()


def load_state(folder: Path) -> tuple[Path, dict] | None:
    """The first file of a folder's newest whole state, and what it holds; None if there is none.

    Raises
    ------
    ValueError
        If a state's files are damaged.
    """
    for parts in sorted(_states(folder), reverse=True):
        try:
            content = b"".join(path.read_bytes() for path in parts)
            return parts[0], torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises anything at a damaged file
            raise ValueError(
                f"{parts[0]} is damaged ({str(error).splitlines()[0]}); copy it again, or delete "
                f"it to start from the beginning"
            ) from error
    return None


def _states(folder: Path) -> list[list[Path]]:
    """The states of which every file is there, each its files in order."""
    found: dict[tuple[str, str], dict[int, Path]] = {}
    for path in _files(folder):
        step, part, parts = NAME.fullmatch(path.name).groups(default="1")
        found.setdefault((step, parts), {})[int(part)] = path
    return [
        [files[part] for part in sorted(files)]
        for (_, parts), files in found.items()
        if len(files) == int(parts)
    ]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
