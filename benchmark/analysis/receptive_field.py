"""What an output pixel depends on, and what one input pixel does to the output around it.

Luo et al., "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks",
NeurIPS 2016, https://arxiv.org/abs/1701.04128; contributions are counted as the sum of gradients'
magnitudes, and their extent as the square which holds a share of them, as Ding et al., "Scaling Up
Your Kernels to 31x31", CVPR 2022, https://arxiv.org/abs/2203.06717.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from benchmark.denoiser import Denoiser
from benchmark.denoiser.padding import pad_to_multiple
from benchmark.environment.device import forked_rng

Pixels = Sequence[tuple[int, int]]  # row and column, one for each image of a batch
CHANGED = (0.0, 1.0)  # black and white


def gradients(network: Denoiser, noisy: Tensor, pixels: Pixels, seed: int) -> Tensor:
    """How much each input pixel counts for an output pixel: the magnitude of its gradient.

    Parameters
    ----------
    noisy
        (B, C, H, W) in [0, 1].
    pixels
        Of the output; its channels are added.
    seed
        Of what a stochastic network draws.

    Returns
    -------
    Tensor
        (B, H, W), a sum over the channels of the input.

    Raises
    ------
    ValueError
        If the network gives no gradients.
    """
    given = noisy.clone().requires_grad_()
    with torch.enable_grad(), forked_rng(noisy.device):
        restored = _restored(network, given, seed)
        if not restored.requires_grad:
            raise no_gradients(network)
        chosen = torch.stack([restored[place, :, *pixel] for place, pixel in enumerate(pixels)])
        (found,) = torch.autograd.grad(chosen.sum(), given)
    return found.abs().sum(1)


@torch.no_grad()
def changes(
    network: Denoiser, noisy: Tensor, pixels: Pixels, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """How far an output moves where one input pixel is set to black, and to white.

    Parameters
    ----------
    noisy, pixels, seed
        As `gradients` takes them; pixels are of the input.

    Returns
    -------
    numpy.ndarray
        (B, H, W), the change of the output, a mean over channels and over black and white.
    numpy.ndarray
        (B,), the same of the input, at the pixel.
    """
    with forked_rng(noisy.device):
        before, moved = _restored(network, noisy, seed), torch.zeros_like(noisy[:, 0])
        given = noisy.new_zeros(len(noisy))
        for value in CHANGED:
            changed = noisy.clone()
            for place, pixel in enumerate(pixels):
                changed[place, :, *pixel] = value
            given += (changed - noisy).abs().mean(1).sum((1, 2)) / len(CHANGED)
            moved += (_restored(network, changed, seed) - before).abs().mean(1) / len(CHANGED)
    return moved.cpu().numpy(), given.cpu().numpy()


def no_gradients(network: Denoiser) -> ValueError:
    """That a receptive field cannot be had of a model."""
    return ValueError(
        f"'{network.name}' gives no gradients, of which a receptive field is made; choose a "
        f"network, such as model=masked"
    )


def around(values: np.ndarray, pixel: tuple[int, int], reach: int) -> np.ndarray:
    """The square of (H, W) values which reaches so far from a pixel to all sides."""
    top, left = (place - reach for place in pixel)
    return values[top : top + 2 * reach + 1, left : left + 2 * reach + 1]


def side_of(values: np.ndarray, share: float) -> int:
    """The side, in pixels, of the smallest square in the middle which holds a share of the sum.

    Parameters
    ----------
    values
        (2 R + 1, 2 R + 1), none below 0; NaN is an error of the caller's.
    """
    reach = len(values) // 2
    sums = [around(values, (reach, reach), r).sum(dtype=np.float64) for r in range(reach + 1)]
    return 2 * int(np.searchsorted(sums, share * sums[-1])) + 1


def _restored(network: Denoiser, noisy: Tensor, seed: int) -> Tensor:
    network.eval()
    torch.manual_seed(seed % 2**63)
    restored = network.restore(pad_to_multiple(noisy, network.multiple))
    return restored[..., : noisy.shape[-2], : noisy.shape[-1]]
