"""Whether a model's output depends on the seed."""

import torch
from torch import Tensor

from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import WHOLE

SIDE = 64  # pixels, of the image of random numbers with which models are asked


def is_stochastic(model: Denoiser, device: str = "cpu", image: Tensor | None = None) -> bool:
    """Whether a model gives an image another output under another seed.

    Parameters
    ----------
    image
        (1, C, H, W) float32 in [0, 1]; by default one of random numbers.
    """
    noisy, what = image, f"{model.name} on an image"
    if noisy is None:
        shape = (1, model.image_channels or 3, SIDE, SIDE)
        noisy = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        what = f"{what} of random numbers"
    noisy, model = noisy.to(device), model.to(device)
    first, second = (WHOLE.run(model, noisy, seed, what).image for seed in (0, 1))
    return not torch.equal(first, second)
