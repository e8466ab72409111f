"""What a training needs to go on, in files that are whole or absent, split where asked."""

import hashlib
import io
import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmark.denoiser.weights import inert
from benchmark.files.places import named_file
from benchmark.files.whole import write_whole

NAME = re.compile(r"state-(\d+)\.pt(?:\.(\d+)of(\d+))?")
MEGABYTE = 1_000_000
MARK = b"noisebench state 1 "  # then JSON, filled with spaces up to the end of the header
HEADER_SIZE = 256  # bytes, the line's end included
CONTENT = ("settings", "diary", "network", "average", "optimizer")  # of version 0.1, without header


@dataclass(frozen=True)
class State:
    """The files of one state: by their number, from 1 to ``pieces`` if all are there."""

    step: int
    pieces: int
    files: dict[int, Path]

    @property
    def missing(self) -> list[int]:
        """The numbers of the pieces which are not there."""
        return [number for number in range(1, self.pieces + 1) if number not in self.files]

    @property
    def first(self) -> Path:
        """The file that stands for all of them."""
        return self.files[min(self.files)]


def save_state(folder: Path, step: int, content: dict, megabytes: float | None = None) -> None:
    """Write a training's state after so many steps, then remove what older states are there.

    Each file says in its first line how many pieces there are, which one it is, and the SHA-256 of
    them all. An older state is removed once the new one was read back from the disk, and only if it
    is whole itself: what is damaged, incomplete or of another program stays.

    Parameters
    ----------
    content
        Tensors and plain values, nested as one likes.
    megabytes
        The largest size of a file: more becomes ``state-STEP.pt.1of3`` and so on; None: one file.

    Raises
    ------
    OSError
        If a file cannot be written, or is not read back as it was written; the older state is kept.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    state = buffer.getbuffer()
    digest = hashlib.sha256(state).hexdigest()
    size = len(state)
    if megabytes is not None and size + HEADER_SIZE > megabytes * MEGABYTE:
        size = max(1, int(megabytes * MEGABYTE) - HEADER_SIZE)
    pieces = [state[start : start + size] for start in range(0, len(state), size)]
    name = f"state-{step:09d}.pt"
    names = [name]
    if len(pieces) > 1:
        names = [f"{name}.{number}of{len(pieces)}" for number in range(1, len(pieces) + 1)]
    older = [
        found for found in _states(folder) if not found.missing and found.first.name not in names
    ]
    for number, (file, piece) in enumerate(zip(names, pieces, strict=True), start=1):
        write_whole(folder / file, _header(number, len(pieces), digest) + piece)
    written = State(step, len(pieces), {n: folder / file for n, file in enumerate(names, start=1)})
    try:
        _read(written)
    except ValueError as error:
        raise OSError(f"{error}; the older state is kept") from None
    for found in older:
        if _is_ours(found):
            for path in found.files.values():
                path.unlink(missing_ok=True)


def load_state(folder: Path) -> tuple[Path, dict] | None:
    """The first file of a folder's newest whole state, and what it holds; None if there is none.

    Where a newer one lacks pieces, a warning names them.

    Raises
    ------
    ValueError
        If the newest whole state is damaged or of another program, or if there are only pieces.
    """
    states = _states(folder)
    whole = next((state for state in states if not state.missing), None)
    for state in states:
        if state.missing and (whole is None or state.step > whole.step):
            here = _listed(sorted(state.files), "piece")
            said = f"{state.first}: of {state.pieces} pieces only {here} is there"
            if len(state.files) > 1:
                said = f"{state.first}: of {state.pieces} pieces only {here} are there"
            if whole is None:
                raise ValueError(
                    f"{said}; copy {_listed(state.missing, 'piece')} to it, or move them away to "
                    f"start from the beginning"
                )
            warnings.warn(f"{said}; the training goes on from {whole.first.name}", stacklevel=2)
    return None if whole is None else (whole.first, _content(whole))


def _header(number: int, pieces: int, digest: str) -> bytes:
    said = json.dumps({"piece": number, "pieces": pieces, "sha256": digest}).encode()
    return (MARK + said).ljust(HEADER_SIZE - 1) + b"\n"


def _content(state: State) -> dict:
    """What a state holds; a sentence where it is none of ours."""
    content, has_header = _read(state)
    try:
        found, classes = inert.load(io.BytesIO(content))
    except inert.Refused as error:
        raise ValueError(_foreign(state, f"it holds Python objects ({error.args[0]})")) from None
    except Exception:  # torch raises anything at a damaged file
        raise ValueError(_damaged(state, "it is not whole")) from None
    if classes:
        raise ValueError(_foreign(state, f"it holds Python objects ({classes[0]})"))
    if not isinstance(found, dict):
        raise ValueError(_foreign(state, f"it holds a {type(found).__name__}"))
    lacking = [key for key in CONTENT if key not in found]
    if lacking and not has_header:
        raise ValueError(_foreign(state, f"it has no {', '.join(lacking)}"))
    return found


def _read(state: State) -> tuple[bytes, bool]:
    """A state's content, equal to what was written, and whether a header proves that."""
    said: list[dict[str, object] | None] = []
    parts = []
    for number in sorted(state.files):
        path = state.files[number]
        try:
            content = named_file(path).read_bytes()
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
        header = _parsed(content)
        if header is not None and "sha256" not in header:
            raise ValueError(_damaged(state, f"the first line of {path.name} cannot be read"))
        if header and (header.get("piece"), header.get("pieces")) != (number, state.pieces):
            raise ValueError(
                f"{path} is piece {header.get('piece')} of {header.get('pieces')} by its first "
                f"line; give it back its name"
            )
        said.append(header and {**header, "piece": None})
        parts.append(content[HEADER_SIZE:] if header else content)
    if any(header != said[0] for header in said):
        raise ValueError(_damaged(state, "its pieces are of different states"))
    joined = b"".join(parts)
    if not joined:
        raise ValueError(_damaged(state, "it is empty"))
    if said[0] and hashlib.sha256(joined).hexdigest() != said[0].get("sha256"):
        raise ValueError(_damaged(state, "its SHA-256 is not the one in its first line"))
    return joined, bool(said[0])


def _parsed(content: bytes) -> dict[str, object] | None:
    """The header of a file; None of one by version 0.1, or by another program."""
    if not content.startswith(MARK):
        return None
    try:
        header = json.loads(content[len(MARK) : HEADER_SIZE].rstrip())
    except ValueError:
        return {}
    return header if isinstance(header, dict) else {}


def _is_ours(state: State) -> bool:
    """Whether a state is whole and one of a training, so that a newer one takes its place."""
    try:
        return _read(state)[1] or bool(_content(state))
    except ValueError:
        return False


def _damaged(state: State, cause: str) -> str:
    return (
        f"{state.first} is damaged ({cause}); copy it again, or delete it to start from "
        f"the state before it, or else from the beginning"
    )


def _foreign(state: State, cause: str) -> str:
    return (
        f"{state.first} is no state of a training by noisebench ({cause}); move it away, or "
        f"train into another folder"
    )


def _listed(numbers: list[int], word: str) -> str:
    return f"{word}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _states(folder: Path) -> list[State]:
    """The states of a folder, the newest first."""
    if not folder.is_dir():
        return []
    found: dict[tuple[int, int], State] = {}
    for path in sorted(folder.iterdir()):
        if match := NAME.fullmatch(path.name):
            step, number, pieces = map(int, match.groups(default="1"))
            if 1 <= number <= pieces:
                state = found.setdefault((step, pieces), State(step, pieces, {}))
                state.files[number] = path
    return [found[key] for key in sorted(found, reverse=True)]
