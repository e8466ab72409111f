"""Whether a model's output depends on the seed."""

import torch

from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import WHOLE

SIDE = 64  # pixels, of the image of random numbers with which models are asked


def is_stochastic(model: Denoiser, device: str = "cpu") -> bool:
    """Whether a model gives an image another output under another seed."""
    noisy = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).to(device)
    model, what = model.to(device), f"{model.name} on an image of random numbers"
    first, second = (WHOLE.run(model, noisy, seed, what).image for seed in (0, 1))
    return not torch.equal(first, second)
