"""A grid of tiny networks, two noises and two small images, and the setup of analyses on it."""

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.noise import NOISE_MODELS
from benchmark.scoring.grid import Grid
from benchmark.studies.analyses import Setup, conditions


@pytest.fixture
def grid(tmp_path) -> Grid:
    (tmp_path / "images").mkdir()
    for name in ("one", "two"):
        pixels = np.random.default_rng(len(name)).integers(0, 256, (40, 24, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    torch.manual_seed(0)
    settings = {"embed_dim": 8, "depths": (1,), "num_heads": 1}
    models = {name: DENOISERS[name](**settings) for name in ("baseline", "masked")}
    noises = {name: NOISE_MODELS[name]() for name in ("gaussian", "poisson")}
    return Grid(
        models=models,
        noises=noises,
        datasets={"folder": DATASETS["folder"](path=str(tmp_path / "images"))},
        metrics={},
        levels={"folder": {name: noise.levels for name, noise in noises.items()}},
        seeds=[0],
        settings={
            "model": {name: {"of": name} for name in models},
            "noise": {name: {"of": name} for name in noises},
            "data": {"folder": {"sha256": {0.0: "0"}}},
            "metric": {},
        },
    )


@pytest.fixture
def setup(grid, tmp_path) -> Setup:
    grid = conditions(grid, {"poisson": None}, "middle")
    return Setup(grid, tmp_path / "out", crops=8, side=16, batch=4)
