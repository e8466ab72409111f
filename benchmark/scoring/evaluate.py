"""Clean, noisy, restored, scored: the images of one cell, one after the other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.cells import Cell
from benchmark.cells.provenance import pixels_hash
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import naming
from benchmark.denoiser.inference import AUTOMATIC, Inference
from benchmark.environment.ahead import one_ahead
from benchmark.metrics import Metric
from benchmark.noise import Key, NoiseModel, to_uint8


@dataclass(frozen=True)
class Evaluated:
    """One image of a cell: its row, and the three pictures, (H, W, 3) uint8 RGB."""

    # image, a number for each metric, seconds; tile, where one was used; hashes of the pixels
    row: dict[str, Any]
    clean: np.ndarray
    noisy: np.ndarray
    restored: np.ndarray


def evaluate(
    cell: Cell,
    model: Denoiser,
    dataset: Dataset,
    noise: NoiseModel | None,
    metrics: Mapping[str, Metric],
    images: Iterable[str],
    device: str = "cpu",
    inference: Inference = AUTOMATIC,
) -> Iterator[Evaluated]:
    """Score images of a cell, in order; writes nothing.

    While an image is scored, the next is being denoised and the one after read and made noisy.
    Noise depends on (dataset, image, noise, level, seed) alone, and so does the randomness of a
    stochastic network: any image can be redone by itself, to the bit on one machine.

    Parameters
    ----------
    noise
        None for a dataset with recorded noise.
    images
        Names of the dataset's images to score.

    Raises
    ------
    RestorationError
        If a noise or a model makes no picture of an image, or a metric no number of it; those
        before it have been yielded then.
    """

    def prepare(image: str) -> tuple[str, np.ndarray, np.ndarray, dict[str, str]]:
        clean, noisy = noisy_pair(cell, dataset, noise, image)
        return image, clean, noisy, {"noisy": pixels_hash(noisy), "clean": pixels_hash(clean)}

    def restore(prepared: tuple[str, np.ndarray, np.ndarray, dict[str, str]]) -> Evaluated:
        image, clean, noisy, pixels = prepared
        seed = key_of(cell, image).torch_seed("denoise")
        what = f"{cell}, image {image}"
        done = inference.run(model, as_tensor(noisy).to(device), seed, what)
        row = {"image": image, "seconds": done.seconds}
        if done.tile is not None:
            row["tile"] = done.tile
        return Evaluated(row | pixels, clean, noisy, as_pixels(done.image))

    for done in one_ahead(restore, one_ahead(prepare, images)):
        pair = as_tensor(done.restored), as_tensor(done.clean)
        image = done.row["image"]
        scores = {}
        for name, metric in metrics.items():
            with naming("metric", f"{cell}, image {image}"):
                scores[name] = score_of(name, metric, pair)
        row = {"image": image, **scores, **done.row}
        yield Evaluated(row, done.clean, done.noisy, done.restored)


def key_of(cell: Cell, image: str) -> Key:
    """What all randomness of one image of a cell depends on; the model does not enter."""
    return Key(cell.dataset, image, cell.noise, cell.level, cell.seed)


def noisy_pair(
    cell: Cell, dataset: Dataset, noise: NoiseModel | None, image: str
) -> tuple[np.ndarray, np.ndarray]:
    """An image of a cell, clean and noisy, both (H, W, C) uint8; ``noise`` None if recorded."""
    sample = dataset.read(image, cell.level)
    if noise is None:
        if sample.noisy is None:
            raise ValueError(
                f"dataset '{cell.dataset}' has no noisy version of image {image}; its listing "
                f"names one for each level"
            )
        return to_uint8(sample.clean), to_uint8(sample.noisy)
    with naming("noise", f"{cell}, image {image}"):
        clean, noisy = noise.pair(sample.clean, cell.level, key_of(cell, image).rng())
    return to_uint8(clean), to_uint8(noisy)


def score_of(name: str, metric: Metric, pair: tuple[Tensor, Tensor]) -> float:
    """What a metric says of a restored and a clean image, each (1, C, H, W) in [0, 1].

    Raises
    ------
    ValueError
        If it is not one number, or the metric changed an image, which others are still to see.
    """
    versions = [image._version for image in pair]
    value = metric(*pair)
    if versions != [image._version for image in pair]:
        raise ValueError(f"metric '{name}' changed an image that it compares; it works on a copy")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(f"metric '{name}' gave {value!r:.60}, not one number") from None


def as_tensor(image: np.ndarray) -> Tensor:
    """(H, W, C) uint8 to (1, C, H, W) float32 in [0, 1]."""
    return torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0).float() / 255


def as_pixels(image: Tensor) -> np.ndarray:
    """(1, C, H, W), clipped to [0, 1] and rounded, to (H, W, C) uint8."""
    return to_uint8(image[0].permute(1, 2, 0).cpu().numpy())
