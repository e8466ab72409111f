"""What tests of several sets need: an empty place for them, and MATLAB's newer files."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """An empty NOISEBENCH_DATA, with nothing in the cache either."""
    monkeypatch.setenv("NOISEBENCH_DATA", str(tmp_path))
    monkeypatch.setattr(
        "benchmark.datasets.dataset.user_cache_path", lambda app: tmp_path / "cache" / app
    )
    return tmp_path


@pytest.fixture
def matlab_hdf5() -> Callable:
    """Opens a new HDF5 file behind the header that MATLAB 7.3 writes; a skip without h5py."""
    h5py = pytest.importorskip("h5py")

    def create(path: Path) -> h5py.File:
        h5py.File(path, "w", userblock_size=512).close()
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
        return h5py.File(path, "r+")

    return create
