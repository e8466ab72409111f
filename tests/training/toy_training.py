"""A training of a moment: a network of a few weights on two images of noise."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.noise import NOISE_MODELS
from benchmark.training.loop import Training, TrainingResult
from benchmark.training.patches import Patches
from benchmark.training.recipe import Execution, Recipe
from benchmark.training.validation import Validation

RECIPE = Recipe(steps=8, batch=2, patch=16, learning_rate=1e-2, ema=0.9)
EXECUTION = Execution(log_every=2, validate_every=4)
FACTS = {"model": {"of": "tiny", "depths": (2,)}, "level": 15.0}
NETWORKS = {
    "dncnn": {"width": 8, "depth": 3},
    "masked": {"embed_dim": 8, "depths": (2,), "num_heads": 2, "window_size": 4},
}

ENTRY = [sys.executable, "-m", "benchmark.cli"]
COMMAND = """
bench train model=dncnn model.dncnn.width=8 model.dncnn.depth=3 batch=2 patch=16 steps=400
log_every=10 validate_every=100 save_every=5 held_out=1 watch=[] threads=1 data=folder
"""


def training(
    folder: Path,
    images: list[np.ndarray],
    recipe: Recipe = RECIPE,
    name: str = "dncnn",
    facts: dict = FACTS,
    patches: type[Patches] = Patches,
    execution: Execution = EXECUTION,
    **options: object,
) -> Training:
    torch.manual_seed(recipe.seed)
    network, noise = DENOISERS[name](**NETWORKS[name]), NOISE_MODELS["gaussian"]()
    made = patches(images, noise, 15, recipe)
    validation = Validation([images[0][:16, :16]], [("gaussian", noise, 15.0)])
    options = {"validation": validation, **options}
    return Training(
        network, NETWORKS[name], made, recipe, folder, facts, execution=execution, **options
    )


def trained(*arguments: object, **options: object) -> TrainingResult:
    return training(*arguments, **options).run()


def assert_same_weights(one: Denoiser, other: Denoiser) -> None:
    for (name, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def lines(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


class Interrupted(Exception):
    """The power went off."""


def power_off_at(step: int) -> Callable[[str], None]:
    def hear(line: str) -> None:
        if line.startswith(f"step {step}/"):
            raise Interrupted

    return hear


def command(out: Path, photographs: Path, *settings: str) -> list[str]:
    return [*COMMAND.split()[1:], f"data.folder.path={photographs}", f"out={out}", *settings]
