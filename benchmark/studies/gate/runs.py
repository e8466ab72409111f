"""Run noise: networks which draw random numbers are scored several times, and know their spread."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmark.denoiser.inference import AUTOMATIC, Inference, Launched
from benchmark.noise import stream
from benchmark.scoring.grid import Grid
from benchmark.studies.stochastic import is_stochastic

if TYPE_CHECKING:
    from benchmark.denoiser import Denoiser


@dataclass(frozen=True)
class Redrawn(Inference):
    """The same inference with other random numbers of the network; those of the noise stay."""

    number: int = 0

    def launch(self, model: "Denoiser", noisy: Tensor, key: int, what: str = "") -> Launched:
        return super().launch(model, noisy, stream("run noise", key, self.number), what)


def drawing(grid: Grid, device: str) -> list[str]:
    """The models of a grid whose output depends on the seed, tried on the first image there is."""
    image = first_image(grid, next(iter(grid.datasets)))

    def draws(name: str) -> bool:
        try:
            return is_stochastic(grid.models[name], device, image)
        except Exception:  # of any kind: it makes no picture, and its cells will say why
            return False

    return [name for name in grid.models if draws(name)]


def name_of_run(model: str, number: int) -> str:
    """What a model is called in one of its runs."""
    return f"{model}.run{number}"


def with_runs(grid: Grid, models: Iterable[str], repeats: int) -> Grid:
    """A grid which has so many runs of these models, each with random numbers of its own."""
    runs = {name: [name_of_run(name, number) for number in range(repeats)] for name in models}
    names = {run: name for name in grid.models for run in runs.get(name, [name])}
    inference = {run: grid.inference.get(name, AUTOMATIC) for run, name in names.items()}
    for name in runs:
        for number, run in enumerate(runs[name]):
            how = inference[run]
            inference[run] = Redrawn(how.tile, how.precision, how.bounded, how.runtime, number)
    settings = {run: grid.settings["model"][name] for run, name in names.items()}
    return replace(
        grid,
        models={run: grid.models[name] for run, name in names.items()},
        settings={**grid.settings, "model": settings},
        inference=inference,
    )


def first_image(grid: Grid, dataset: str) -> Tensor:
    """The first clean image of a dataset, (1, C, H, W) float32 in [0, 1]."""
    images = grid.datasets[dataset]
    clean = images.read(images.images()[0]).clean
    return torch.from_numpy(clean.copy()).permute(2, 0, 1).unsqueeze(0)
