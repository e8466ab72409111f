"""Clean, noisy, restored, scored: the images of one cell, one after the other."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.cells import Cell
from benchmark.cells.provenance import pixels_hash
from benchmark.datasets import Dataset, Sample
from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import naming
from benchmark.denoiser.inference import AUTOMATIC, Inference, Launched
from benchmark.environment.ahead import several_ahead
from benchmark.environment.queue import AHEAD, Arriving, has_queue, to_device
from benchmark.environment.recent import Recent, nbytes
from benchmark.metrics import Metric
from benchmark.metrics.metric import one_number
from benchmark.metrics.pixelwise import in_colour
from benchmark.noise import Key, NoiseModel, to_uint8
from benchmark.protocol import MASKED, Protocol

PEAKS = {torch.uint8: 255.0, torch.uint16: 65535.0}


@dataclass(frozen=True)
class Prepared:
    """One image of a cell, clean and noisy as `noisy_pair` gives them, and hashes of both."""

    name: str
    clean: np.ndarray
    noisy: np.ndarray
    clean_hash: str
    noisy_hash: str
    noise: NoiseModel | None  # which lives as long: its `id` is no other's


# all 24 images of 768x512 pixels of Kodak: 57 MB noisy and clean, 384 MB as LPIPS sees them
_PREPARED = Recent[Prepared](256 * 2**20, lambda image: image.clean.nbytes + image.noisy.nbytes)
_FEATURES = Recent[list[Tensor]](512 * 2**20, nbytes)


@dataclass(frozen=True)
class _InWork:
    """An image that a device is at work on."""

    image: Prepared
    launched: Launched
    arriving: Arriving  # what is compared of it, (H, W, C), and the scores made on the device
    what: str


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

    While an image is scored, the next is being denoised and the one after read and made noisy. A
    device with a queue has several in it, and scores them by the metrics which it can compute:
    nobody waits for one image before the next is begun. What a noise made of an image is kept for
    further models, and what a metric makes of a clean one for further noises and models.

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

    queued = has_queue(device)
    there = {name: metric for name, metric in metrics.items() if queued and metric.on_device}
    here = {name: metric for name, metric in metrics.items() if name not in there}

    def launch(image: Prepared) -> _InWork:
        seed, what = key_of(cell, image.name).torch_seed("denoise"), f"{cell}, image {image.name}"
        launched = inference.launch(model, as_tensor(image.noisy, device), seed, what)
        restored = compared(launched.image if queued else launched.image.cpu(), protocol)
        scores = {}
        if there:
            pair = as_tensor(restored), as_tensor(image.clean, device)
            scores = _judged(there, image, pair, protocol, what)
        numbers = [torch.as_tensor(score, dtype=torch.float64) for score in scores.values()]
        return _InWork(image, launched, Arriving([restored, *numbers]), what)

    ahead, threads = (AHEAD, min(AHEAD, os.cpu_count() or 1)) if queued else (1, 1)
    prepare = partial(prepared, cell, dataset, noise, protocol)
    images_ahead = several_ahead(prepare, images, ahead, threads)
    for work in several_ahead(launch, images_ahead, ahead):
        done, (restored, *numbers) = work.launched.wait(), work.arriving.wait()
        pixels, image = restored.numpy(), work.image
        scores: dict[str, Any] = dict(zip(there, numbers, strict=True))
        if here:
            pair = as_tensor(pixels), as_tensor(image.clean)
            scores |= _judged(here, image, pair, protocol, work.what)
        row = {
            "image": image.name,
            **{name: one_number(name, scores[name]) for name in metrics},
            "seconds": done.seconds,
            **({} if done.tile is None else {"tile": done.tile}),
            "noisy": image.noisy_hash,
            "clean": image.clean_hash,
        }
        yield Evaluated(row, _shown(image.clean), _shown(image.noisy), _shown(pixels))


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
    return _noisy_pair(cell, dataset.read(image, cell.level, protocol), noise, protocol)


def prepared(
    cell: Cell, dataset: Dataset, noise: NoiseModel | None, protocol: Protocol, image: str
) -> Prepared:
    """`noisy_pair` with hashes, kept for the next models under the same noise."""
    sample = dataset.read(image, cell.level, protocol)

    def make() -> Prepared:
        clean, noisy = _noisy_pair(cell, sample, noise, protocol)
        return Prepared(image, clean, noisy, pixels_hash(clean), pixels_hash(noisy), noise)

    if noise is None:
        return make()
    key = key_of(cell, image), id(noise), protocol, pixels_hash(sample.clean)
    return _PREPARED.get(key, make)


def _noisy_pair(
    cell: Cell, sample: Sample, noise: NoiseModel | None, protocol: Protocol
) -> tuple[np.ndarray, np.ndarray]:
    image = sample.image
    if noise is None:
        if sample.noisy is None:
            raise ValueError(
                f"dataset '{cell.dataset}' has no noisy version of image {image}; its listing "
                f"names one for each level"
            )
        return rounded(sample.clean, protocol), rounded(sample.noisy, protocol)
    with naming("noise", f"{cell}, image {image}"):
        rng = rng_of(key_of(cell, image), protocol)
        return made_noisy(noise, sample.clean, cell.level, rng, protocol)


def rng_of(key: Key, protocol: Protocol) -> np.random.Generator:
    """The random numbers of an image's noise."""
    return key.rng() if protocol.draw == "key" else key.script_rng(protocol.draw == "seed0_bgr")


def made_noisy(
    noise: NoiseModel,
    image: np.ndarray,
    level: float,
    rng: np.random.Generator,
    protocol: Protocol,
) -> tuple[np.ndarray, np.ndarray]:
    """The image to restore and its noisy version, as `noisy_pair` gives them, of (H, W, C)."""
    clean, noisy = noise.pair(image, level, rng, protocol.clips(noise.name))
    return (  # never what the noise was given, which it may keep and change later
        rounded(clean, protocol) if protocol.restored_rounded else clean.copy(),
        rounded(noisy, protocol) if protocol.noisy_rounded else noisy.copy(),
    )


def treated(restored: Tensor, protocol: Protocol) -> np.ndarray:
    """`compared` as an array."""
    return compared(restored.cpu(), protocol).numpy()


def compared(restored: Tensor, protocol: Protocol) -> Tensor:
    """What is compared of a restored (1, C, H, W): (H, W, C), rounded as `noisy_pair` does it.

    uint8, uint16 or float32, on the same device, and no part of what was given.
    """
    pixels = restored[0].permute(1, 2, 0)
    if not protocol.restored_rounded:
        return pixels.clamp(0, 1) if protocol.restored_clipped else pixels.clone()
    pixels = pixels.clamp(0, 1)
    if protocol.bits == 8:
        return pixels.mul_(255).round_().to(torch.uint8)
    return pixels.double().mul_(protocol.peak).round_().to(torch.uint16)


def with_border(metric: Metric, border: int | None, protocol: Protocol) -> Metric:
    """A metric with the border which it leaves out, if it knows one.

    Parameters
    ----------
    border
        Of the dataset's own protocol: it counts where the metric says none itself, and before that
        of the protocol.
    """
    if getattr(metric, "border", 0) is not None:  # 0: a metric which knows none
        return metric
    return replace(metric, border=protocol.border if border is None else border)


def score_of(name: str, metric: Metric, pair: tuple[Tensor, Tensor]) -> float:
    """What a metric says of a restored and a clean image, each (1, C, H, W) in [0, 1].

    Raises
    ------
    ValueError
        If it is not one number, or the metric changed an image, which others are still to see.
    """
    return one_number(name, _said(name, metric, pair))


def _judged(
    metrics: Mapping[str, Metric],
    image: Prepared,
    whole: tuple[Tensor, Tensor],
    protocol: Protocol,
    what: str,
) -> dict[str, Any]:
    """What metrics say of a restored and a clean image; on a device with a queue, tensors."""
    coloured = in_colour(whole[0], protocol.colour), in_colour(whole[1], protocol.colour)
    said = {}
    for name, metric in metrics.items():
        pair = whole if metric.rgb_only else coloured
        with naming("metric", what):
            call, more = metric.unread if metric.on_device else metric, ()
            if metric.keeps_features:
                clean = pair[1]
                key = metric, str(clean.device), clean.shape[1], protocol.colour, image.clean_hash
                more = (_FEATURES.get(key, partial(metric.features, clean)),)
            said[name] = _said(name, call, pair, *more)
    return said


def _said(name: str, call: Callable[..., Any], pair: tuple[Tensor, Tensor], *more: Any) -> Any:
    versions = [image._version for image in pair]
    # on a CPU, NumPy can write into them as well, and leaves no trace
    before = [] if has_queue(pair[0].device) else [image.clone() for image in pair]
    value = call(*pair, *more)
    is_same = all(map(torch.equal, pair, before))
    if not is_same or versions != [image._version for image in pair]:
        raise ValueError(f"metric '{name}' changed an image that it compares; it works on a copy")
    return value


def as_tensor(image: np.ndarray | Tensor, device: str | torch.device | None = None) -> Tensor:
    """(H, W, C) uint8, uint16, or float32 in [0, 1], to (1, C, H, W) float32 in [0, 1].

    Parameters
    ----------
    device
        Where it is to be; by default where it is.
    """
    tensor = torch.from_numpy(image) if isinstance(image, np.ndarray) else image
    device = tensor.device if device is None else torch.device(device)
    if has_queue(device) and tensor.device != device:
        tensor = to_device(tensor, device)  # in few bytes
    peak = PEAKS.get(tensor.dtype)
    values = tensor.permute(2, 0, 1).unsqueeze(0)
    if peak is None:
        return values.clone().to(device)
    # by a tensor: a GPU would multiply by the rounded inverse of a number
    return (values.float() / torch.full((), peak, device=tensor.device)).to(device)


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
