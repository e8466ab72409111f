"""Noise added to an image, and an image restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.api.registered import checked_seed, load_model, load_registries
from benchmark.api.words import speaking_python
from benchmark.cells.provenance import pixels_hash
from benchmark.datasets import Dataset
from benchmark.datasets.arrays import as_float, as_image
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.runtime.choice import choose_runtime
from benchmark.denoiser.wrapped import as_denoiser, left_as_found
from benchmark.environment.device import pick_device
from benchmark.noise import Key, NoiseModel
from benchmark.objects.given import chosen
from benchmark.protocol import Protocol
from benchmark.scoring.compose import as_tile
from benchmark.scoring.evaluate import as_tensor, rounded, treated
from benchmark.scoring.precision import choose_precision

if TYPE_CHECKING:
    import torch

    from benchmark.denoiser.wrapped import Restores

CLIPPED = Protocol(restored_rounded=False)  # how a floating-point image is restored


@speaking_python()
def add_noise(
    image: np.ndarray,
    noise: str | NoiseModel,
    *,
    key: tuple[str, str] | None = None,
    seed: int = 0,
    clip: bool = True,
) -> np.ndarray:
    """Make an image noisy; the same call gives the same pixels on any machine.

    Parameters
    ----------
    image : array
        (H, W, 3) RGB, or (H, W) or (H, W, 1) grey: uint8, uint16, or floating point in [0, 1]; left
        unchanged.
    noise : str or NoiseModel
        A noise at one level: ``"poisson(2)"``, ``"gaussian(25)+poisson(2)>>jpeg(50)"``, or a noise
        model which has one level.
    key : tuple of str, optional
        The names of a dataset and an image. Random numbers depend on these, on the noise, its level
        and ``seed``: ``("photos", "chelsea")`` gives the noise which `score` adds to that image. By
        default they depend on the pixels, so that no two images get the same numbers.
    seed : int, optional
        Another one gives other noise of the same kind.
    clip : bool, optional
        Whether a floating-point image is clipped to [0, 1]; whole numbers always are.

    Returns
    -------
    array
        Of the shape of ``image``; uint8 or uint16 where that is, clipped and rounded as a saved
        file; else float32, which is not rounded.

    Raises
    ------
    ValueError
        If ``image`` is none, the noise is unknown, has no level or several, or is one of colours
        and the image is grey, or ``key`` or ``seed`` are none.

    Notes
    -----
    A noise which redevelops the image, as a camera does, also changes what is to be restored:
    `benchmark.noise.NoiseModel.pair` gives both.

    Examples
    --------
    >>> import benchmark, numpy
    >>> grey = numpy.full((32, 32, 3), 128, numpy.uint8)
    >>> noisy = benchmark.add_noise(grey, "gaussian(25)")
    >>> noisy.dtype, noisy.shape
    (dtype('uint8'), (32, 32, 3))
    """
    load_registries()
    clean = as_image(image, "the image")
    name, model, level = _one_level(noise)
    if key is None:
        dataset, picture = "", pixels_hash(clean)
    elif isinstance(key, tuple | list) and len(key) == 2:
        dataset, picture = map(str, key)
    else:
        raise ValueError(f"key= is the names of a dataset and an image, two, got {key!r:.60}")
    rng = Key(dataset, picture, name, level, checked_seed(seed)).rng()
    whole = clean.dtype != np.float32
    _, noisy = model.pair(as_float(clean), level, rng, clip=clip or whole)
    return _as_given(noisy, clean.dtype).reshape(np.shape(image))


@speaking_python()
def denoise(
    image: np.ndarray,
    model: str | Restores,
    *,
    seed: int = 0,
    tile: int | str = "auto",
    precision: str = "fp32",
    runtime: str = "torch",
    device: str | torch.device = "auto",
) -> np.ndarray:
    """Restore one image, whole or in tiles, as `score` does.

    Parameters
    ----------
    image : array
        (H, W, 3) RGB, or (H, W) or (H, W, 1) grey: uint8, uint16, or floating point in [0, 1]; left
        unchanged.
    model : str, torch.nn.Module or callable
        A registered name, or what restores (B, 3, H, W) in [0, 1], of a grey image (B, 1, H, W).
    seed : int, optional
        Of torch's generator, for networks which are stochastic.
    tile, precision, runtime : optional
        As in `score`; but a network which cannot run in the runtime that is named is refused.
    device : str or torch.device, optional
        As in `score`.

    Returns
    -------
    array
        Of the shape of ``image``, clipped to [0, 1]; uint8 or uint16, rounded, where that is, else
        float32, which is not rounded.

    Raises
    ------
    ValueError
        If ``image`` is none, the model is unknown or restores images of other channels, or what it
        returns is no picture.

    Examples
    --------
    >>> import benchmark, numpy
    >>> benchmark.denoise(numpy.full((32, 32, 3), 128, numpy.uint8), "tv").shape
    (32, 32, 3)
    """
    given = as_image(image, "the image")
    one = load_model(model) if isinstance(model, str) else as_denoiser(model, "model")
    device = pick_device(device)
    with left_as_found([one]):
        if precision == "auto":
            precision, _ = choose_precision(precision, one, device)
        if runtime == "auto":
            runtime, _ = choose_runtime(runtime, one, device, precision)
        noisy = as_tensor(given).to(device)
        done = Inference(as_tile(str(tile), one), precision, runtime=runtime).run(
            one.to(device), noisy, checked_seed(seed)
        )
    return _as_given(treated(done.image, CLIPPED), given.dtype).reshape(np.shape(image))


def _as_given(image: np.ndarray, kind: np.dtype) -> np.ndarray:
    """[0, 1] as numbers of a type: rounded where these are whole."""
    if kind == np.float32:
        return image
    return rounded(image, Protocol(bits=8 * kind.itemsize))


def _one_level(noise: str | NoiseModel) -> tuple[str, NoiseModel, float]:
    """The name, the model and the level of a noise which has one."""
    if not isinstance(noise, str | NoiseModel):
        raise ValueError(
            f"noise= is a text such as 'poisson(2)' or a noise model, got {noise!r:.60}"
        )
    found = []
    for name, one in chosen("noise", noise).items():
        if isinstance(one.made, Dataset):
            raise ValueError(f"'{name}' is recorded noise, which comes with images of its own")
        found += [(name, one.made, float(level)) for level in one.made.levels]
    if len(found) != 1:
        levels = ", ".join(f"{name}({level:g})" for name, _, level in found[:8])
        raise ValueError(f"noise='{noise}' is {len(found)} noises or levels; take one: {levels}")
    return found[0]
