"""A plugin whose arithmetic changes, a run with it, and what its cells say."""

import json
from pathlib import Path

ACME = """
from dataclasses import dataclass

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.metrics import METRICS, Metric
from benchmark.noise import NOISE_MODELS, NoiseModel


@NOISE_MODELS.register("acme")
@dataclass(frozen=True)
class Acme(NoiseModel):
    unit = "offset, in 8-bit steps"
    levels: tuple[float, ...] = (5,)

    def sample(self, clean, level, rng):
        return clean + level / 255 * STRENGTH


@DENOISERS.register("keep")
class Keep(Denoiser):
    def forward(self, noisy):
        return noisy


@METRICS.register("error")
@dataclass(frozen=True)
class Error(Metric):
    higher_is_better = False

    def score(self, restored, clean):
        return float((restored - clean).abs().mean())
"""


RUN = ["run", "noise=acme", "data.photos.limit=2", "data.photos.crop=32", "metric=psnr"]


def records(out: Path) -> dict[str, dict]:
    found = sorted(out.glob("cells/*/*/*.json"))
    return {str(path.relative_to(out)): json.loads(path.read_text()) for path in found}
