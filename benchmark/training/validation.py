"""How good a network in training is on images it does not see, under several noises."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import Inference
from benchmark.noise import NOISE_MODELS, Key, NoiseModel, stream, to_uint8
from benchmark.noise.expression import Term
from benchmark.noise.grammar import parse
from benchmark.pixels import psnr

Condition = tuple[str, NoiseModel, float]  # the noise's name, the noise and the level


@dataclass(frozen=True)
class Validation:
    """The same noisy crops at every validation, 8 bits each as in testing.

    Parameters
    ----------
    crops
        Clean images of one size, (H, W, 3) uint8.
    conditions
        The noises and levels; the first is what the network is trained on.
    """

    crops: list[np.ndarray]
    conditions: list[Condition]

    def scores(self, network: Denoiser, device: str, precision: str) -> dict[tuple, float]:
        """PSNR in dB by (noise, level): the mean over the crops."""
        scores = {}
        for (name, level), pairs in self.pairs.items():
            noisy = np.stack([noisy for _, noisy in pairs])
            batch = torch.from_numpy(noisy).permute(0, 3, 1, 2).float() / 255
            seed = stream("validation", name, level)
            what = f"{network.name} in validation, {name} {level:g}"
            how = Inference("none", precision, bounded=False)
            done = how.run(network, batch.to(device), seed, what)
            restored = to_uint8(done.image.permute(0, 2, 3, 1).cpu().numpy())
            values = [psnr(r, clean) for r, (clean, _) in zip(restored, pairs, strict=True)]
            scores[name, level] = float(np.mean(values))
        return scores

    @cached_property
    def pairs(self) -> dict[tuple[str, float], list[tuple[np.ndarray, np.ndarray]]]:
        """By (noise, level): each crop's image to restore, and its noisy version."""
        places = range(len(self.crops))
        conditions = self.conditions if self.crops else []
        return {
            (n, level): [self._pair(p, n, noise, level) for p in places]
            for n, noise, level in conditions
        }

    def _pair(
        self, place: int, name: str, noise: NoiseModel, level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        clean = self.crops[place].astype(np.float32) / 255
        rng = Key("validation", str(place), name, level, 0).rng()
        target, noisy = noise.pair(clean, level, rng)
        return to_uint8(target), to_uint8(noisy)


def conditions_of(formulas: list[str]) -> list[Condition]:
    """What texts like ``poisson(3.5)`` name; a composed formula has the level 1.

    Raises
    ------
    ValueError
        If a text is no noise with a level; the message shows the place.
    """
    conditions = []
    for text in formulas:
        expression = parse(text)
        if isinstance(expression, Term) and not expression.settings:
            conditions.append((expression.name, expression.noise, expression.level))
        else:
            conditions.append((expression.canonical, NOISE_MODELS["formula"](formula=text), 1.0))
    return conditions
