"""Seconds of models as multiples of those of a fixed network, timed in turn."""

from collections.abc import Callable, Iterable
from statistics import median

import torch
from torch import Tensor, nn

from benchmark.console.progress import track
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import AUTOMATIC
from benchmark.scoring.grid import Grid
from benchmark.studies.gate.runs import first_image

ROUNDS = 7  # timed runs of each; the median is of so many ratios


class FixedNetwork(Denoiser):
    """Eight convolutions of 3x3 and 32 channels: what others are timed beside, and never changes.

    Its weights are drawn from seed 0, so small that its output is its input, nearly.
    """

    name = "fixed network"
    channels, depth = 32, 8

    def __init__(self) -> None:
        super().__init__()
        widths = [3, *[self.channels] * (self.depth - 1), 3]
        layers: list[nn.Module] = []
        generator = torch.Generator().manual_seed(0)
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            with torch.no_grad():
                layer.weight.normal_(0, 0.01, generator=generator)
            layers += [layer, nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy + self.layers(noisy)


def measure_speed(grid: Grid, device: str) -> dict[tuple[str, str], float]:
    """By model and dataset, the seconds of its first image relative to those of `FixedNetwork`."""
    fixed = FixedNetwork().to(device)
    models = {name: model.to(device) for name, model in grid.models.items()}
    found = {}
    for dataset in grid.datasets:
        image = first_image(grid, dataset).to(device)

        def seconds(name: str | None, image: Tensor = image) -> float:
            if name is None:
                return AUTOMATIC.run(fixed, image, 0, fixed.name).seconds
            inference = grid.inference.get(name, AUTOMATIC)
            return inference.run(models[name], image, 0, name).seconds

        for name, ratio in relative(seconds, models).items():
            found[name, dataset] = ratio
    return found


def relative(seconds: Callable[[str | None], float], models: Iterable[str]) -> dict[str, float]:
    """Of each model, the median ratio of its seconds to those of the fixed network beside them.

    Parameters
    ----------
    seconds
        Runs a model by its name, None for the fixed network, and says how long that took. It is
        called in turn, so that what else a machine does meets both.
    """
    models = list(models)
    ratios: dict[str, list[float]] = {name: [] for name in models}
    for name in (None, *models):
        seconds(name)  # the first run also loads and chooses kernels
    for _ in track(range(ROUNDS), "rounds", ROUNDS, "speed"):
        for name in models:
            ratios[name].append(seconds(name) / seconds(None))
    return {name: median(found) for name, found in ratios.items()}
