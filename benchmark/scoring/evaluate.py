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
from benchmark.metrics.pixelwise import in_colour
from benchmark.noise import Key, NoiseModel, to_uint8
from benchmark.protocol import MASKED, Protocol


@dataclass(frozen=True)
class Evaluated:
    """One image of a cell: its row, and the three pictures, (H, W, 3) uint8 RGB to look at."""

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
    protocol: Protocol = MASKED,
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
        clean, noisy = noisy_pair(cell, dataset, noise, image, protocol)
        return image, clean, noisy, {"noisy": pixels_hash(noisy), "clean": pixels_hash(clean)}

    def restore(
        prepared: tuple[str, np.ndarray, np.ndarray, dict[str, str]],
    ) -> tuple[Evaluated, tuple[Tensor, Tensor]]:
        image, clean, noisy, pixels = prepared
        seed = key_of(cell, image).torch_seed("denoise")
        what = f"{cell}, image {image}"
        done = inference.run(model, as_tensor(noisy).to(device), seed, what)
        row = {"image": image, "seconds": done.seconds}
        if done.tile is not None:
            row["tile"] = done.tile
        restored = treated(done.image, protocol)
        shown = _shown(clean), _shown(noisy), _shown(restored)
        return Evaluated(row | pixels, *shown), (as_tensor(restored), as_tensor(clean))

    for done, whole in one_ahead(restore, one_ahead(prepare, images)):
        restored, clean = whole
        coloured = in_colour(restored, protocol.colour), in_colour(clean, protocol.colour)
        image = done.row["image"]
        scores = {}
        for name, metric in metrics.items():
            with naming("metric", f"{cell}, image {image}"):
                scores[name] = score_of(name, metric, whole if metric.rgb_only else coloured)
        row = {"image": image, **scores, **done.row}
        yield Evaluated(row, done.clean, done.noisy, done.restored)


def key_of(cell: Cell, image: str) -> Key:
    """What all randomness of one image of a cell depends on; the model does not enter."""
    return Key(cell.dataset, image, cell.noise, cell.level, cell.seed)


def noisy_pair(
    cell: Cell,
    dataset: Dataset,
    noise: NoiseModel | None,
    image: str,
    protocol: Protocol = MASKED,
) -> tuple[np.ndarray, np.ndarray]:
    """An image of a cell, clean and noisy, both (H, W, C); ``noise`` None if recorded.

    Each is uint8 or uint16, by the protocol's bits, or float32 where the protocol does not round
    it (recorded noise is rounded).
    """
    sample = dataset.read(image, cell.level, protocol)
    if noise is None:
        if sample.noisy is None:
            raise ValueError(
                f"dataset '{cell.dataset}' has no noisy version of image {image}; its listing "
                f"names one for each level"
            )
        return rounded(sample.clean, protocol), rounded(sample.noisy, protocol)
    with naming("noise", f"{cell}, image {image}"):
        key = key_of(cell, image)
        rng = key.rng() if protocol.draw == "key" else key.script_rng(protocol.draw == "seed0_bgr")
        clean, noisy = noise.pair(sample.clean, cell.level, rng, protocol.clips(noise.name))
    return (
        rounded(clean, protocol) if protocol.restored_rounded else clean,
        rounded(noisy, protocol) if protocol.noisy_rounded else noisy,
    )


def treated(restored: Tensor, protocol: Protocol) -> np.ndarray:
    """What is compared of a restored (1, C, H, W): (H, W, C), rounded as `noisy_pair` does it."""
    pixels = restored[0].permute(1, 2, 0).cpu().numpy()
    if protocol.restored_rounded:
        return rounded(pixels, protocol)
    return np.clip(pixels, 0, 1) if protocol.restored_clipped else pixels


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
    """(H, W, C) uint8, uint16, or float32 in [0, 1], to (1, C, H, W) float32 in [0, 1]."""
    if image.dtype == np.uint16:
        image = image.astype(np.float32) / np.float32(65535)
    tensor = torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0)
    return tensor.float() / 255 if image.dtype == np.uint8 else tensor


def rounded(image: np.ndarray, protocol: Protocol) -> np.ndarray:
    """[0, 1] clipped and rounded to a protocol's bits, half to even."""
    if protocol.bits == 8:
        return to_uint8(image)
    return np.rint(np.clip(image, 0, 1).astype(np.float64) * protocol.peak).astype(np.uint16)


def _shown(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 of what `noisy_pair` and `treated` give, to look at."""
    if image.dtype == np.uint16:
        image = image / 65535
    shown = image if image.dtype == np.uint8 else to_uint8(image)
    return shown.repeat(3, axis=2) if shown.shape[2] == 1 else shown


def as_pixels(image: Tensor) -> np.ndarray:
    """(1, C, H, W), clipped to [0, 1] and rounded, to (H, W, C) uint8."""
    return to_uint8(image[0].permute(1, 2, 0).cpu().numpy())
