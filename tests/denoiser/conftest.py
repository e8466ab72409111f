"""Two images to restore, and a registry of two networks."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from toy_checkpoints import Other, Small

from benchmark.denoiser import DENOISERS


@pytest.fixture
def small(monkeypatch):
    """A registry of `Small` and `Other` alone, and a network of the first which is not default."""
    monkeypatch.setattr(DENOISERS, "data", {"small": Small, "other": Other})
    torch.manual_seed(0)
    return Small(width=6)


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    """Two pictures with bright and dark halves."""
    folder = tmp_path_factory.mktemp("images")
    for name, side in (("a", 80), ("b", 72)):
        picture = np.full((side, side, 3), 230, np.uint8)
        picture[: side // 2] = 20
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    return folder
