"""MATLAB files of any version: their variables as arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_AT = (0, 512)  # a MATLAB 7.3 file is HDF5 behind a header of 512 bytes


def read_variable(path: Path, name: str, advice: str) -> np.ndarray:
    """One variable of a MATLAB file of any version, in the shape it has in MATLAB.

    Parameters
    ----------
    advice
        What to do about a wrong file; ends an error message.

    Raises
    ------
    ValueError
        If the file is damaged, lacks the variable, or needs h5py, which is not installed.
    """
    from scipy.io import loadmat, whosmat

    if is_hdf5(path):
        with open_hdf5(path, advice) as file, _reading(path, advice):
            found = {key: file[key][()].T for key in file if key == name}
            known = sorted(file)
    else:
        with _reading(path, advice):
            found = loadmat(path, variable_names=[name])
            known = [key for key, *_ in whosmat(path)]
    if name not in found:
        raise ValueError(f"{path} has no variable {name}, only {', '.join(known)}; {advice}")
    return found[name]


@contextmanager
def _reading(path: Path, advice: str) -> Iterator[None]:
    """Raise ``ValueError`` for whatever a parser raises at a damaged file, or one of other kinds.

    Parameters
    ----------
    advice
        What to do about it; ends the message.
    """
    try:
        yield
    except Exception as error:
        raise ValueError(f"{path} cannot be read ({error}); {advice}") from error


def is_hdf5(path: Path) -> bool:
    """Whether a MATLAB file has version 7.3, which is HDF5."""
    with path.open("rb") as file:
        start = file.read(max(HDF5_AT) + len(HDF5))
    return any(start.startswith(HDF5, place) for place in HDF5_AT)


def open_hdf5(path: Path, advice: str) -> Any:
    """Open a MATLAB 7.3 file for reading, as an ``h5py.File``; raises as `read_variable` does."""
    try:
        import h5py
    except ImportError:
        raise ValueError(
            f"{path} is a MATLAB 7.3 file, which needs the package h5py: pip install h5py"
        ) from None
    with _reading(path, advice):
        return h5py.File(path)
