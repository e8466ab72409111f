"""Training data: images held in memory, and batches of noisy crops made of them."""

import itertools
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmark.datasets import Dataset
from benchmark.environment.ahead import one_ahead
from benchmark.noise import NoiseModel, stream
from benchmark.pixels import crop_around
from benchmark.protocol import MASKED, Protocol
from benchmark.training.recipe import Recipe

Batch = tuple[Tensor, Tensor]  # noisy and clean crops, each (B, C, patch, patch) in [0, 1]

HELD_OUT = 8  # images, where there are enough
HELD_OUT_CROP = 128  # side of the crops that watch a training, in pixels, where images allow it


class Patches:
    """Noisy and clean crops; which ones a step sees depends on the seed and the step alone.

    A sample is made in the published order: a random crop, one of its eight flips and quarter
    turns, division by 255, noise, clipping to [0, 1]. All crops of a step are cut, turned and made
    noisy at once on the device that trains, where the noise has a batched form; else one by one,
    on the CPU.

    Parameters
    ----------
    images
        Clean images, (H, W, 3) uint8, or all of them (H, W, 1), each at least ``recipe.patch`` high
        and wide; they are kept on the device as they are.
    noise, level
        What to add; the published recipe is Gaussian noise of sigma 15.
    recipe
        Its ``batch``, ``patch`` and ``seed`` are read.
    device
        Where to make batches.
    rank, processes
        Of a step's crops, this process gets the ``rank``-th of ``processes`` equal shares. Crops
        and noise of the whole batch are the same for any number of processes.
    """

    def __init__(
        self,
        images: list[np.ndarray],
        noise: NoiseModel,
        level: float,
        recipe: Recipe,
        device: str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ):
        if not images:
            raise ValueError("no images to train on; name a dataset: data=[bsds400,extra_train]")
        if recipe.batch % processes:
            raise ValueError(
                f"batch={recipe.batch} has no equal shares for {processes} processes; choose a "
                f"multiple of {processes}"
            )
        self.noise, self.level, self.recipe = noise, level, recipe
        share = recipe.batch // processes
        self.share = slice(rank * share, (rank + 1) * share)
        channels = images[0].shape[2]
        probe = torch.zeros(1, channels, recipe.patch, recipe.patch)
        self.batched = noise.sample_batch(probe, level, torch.Generator()) is not None
        self.device = device if self.batched else "cpu"
        self.shapes = np.array([image.shape[:2] for image in images])
        self.starts = np.cumsum([0, *self.shapes.prod(1)[:-1]])
        pixels = np.concatenate([image.reshape(-1, channels) for image in images])
        self.pixels = torch.from_numpy(pixels).to(self.device)
        self.views = dihedral(recipe.patch).to(self.device)

    def batch(self, step: int) -> Batch:
        """This process's noisy and clean crops of a step, each (B, C, patch, patch) in [0, 1]."""
        clean = self.crops(step)
        if not self.batched:
            return self._one_by_one(clean[self.share], step)
        generator = torch.Generator(self.device)
        generator.manual_seed(stream("noise", self.recipe.seed, step) % 2**63)
        noisy = self.noise.sample_batch(clean, self.level, generator)
        assert noisy is not None, f"'{self.noise.name}' made one batch, and not another"
        return noisy.clamp(0, 1)[self.share], clean[self.share]

    def crops(self, step: int) -> Tensor:
        """All clean crops of a step, of every process: (batch, C, patch, patch)."""
        rng = _generator("crops", self.recipe.seed, step)
        image = rng.integers(len(self.shapes), size=self.recipe.batch)
        heights, widths = self.shapes[image].T
        top = rng.integers(heights - self.recipe.patch + 1)
        left = rng.integers(widths - self.recipe.patch + 1)
        view = rng.integers(8, size=self.recipe.batch)
        corner = self.starts[image] + top * widths + left
        drawn = torch.from_numpy(np.stack([corner, widths, view])).to(self.device)
        corner, width, view = drawn[:, :, None, None]
        rows, columns = self.views[:, view.flatten()]
        crops = self.pixels[corner + rows * width + columns]  # (batch, patch, patch, C)
        return crops.permute(0, 3, 1, 2).float().div_(255).contiguous()

    def _one_by_one(self, clean: Tensor, step: int) -> Batch:
        pairs = [
            self.noise.pair(
                np.ascontiguousarray(crop.permute(1, 2, 0).numpy()),
                self.level,
                _generator("noise", self.recipe.seed, step, index),
            )
            for index, crop in enumerate(clean, start=self.share.start)
        ]
        target, noisy = (torch.from_numpy(np.stack(side)) for side in zip(*pairs, strict=True))
        return noisy.permute(0, 3, 1, 2).contiguous(), target.permute(0, 3, 1, 2).contiguous()

    def from_step(self, first: int) -> Iterator[Batch]:
        """The batches of a step and all that follow, without end.

        Where the CPU makes them one by one, the next is made while the present one is used.
        """
        steps = itertools.count(first)
        return map(self.batch, steps) if self.batched else one_ahead(self.batch, steps)


def dihedral(side: int) -> Tensor:
    """(2, 8, side, side) rows and columns to read, for each flip and quarter turn of a square."""
    places = torch.stack(torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij"))
    turned = [places.rot90(quarter, (1, 2)) for quarter in range(4)]
    return torch.stack([*turned, *(view.flip(2) for view in turned)], dim=1)


def read_training_images(
    datasets: Mapping[str, Dataset], patch: int, protocol: Protocol = MASKED
) -> tuple[list[np.ndarray], dict]:
    """Every image of the datasets as (H, W, 3) uint8, and each dataset's size and digest.

    Parameters
    ----------
    datasets
        By the names they were given, whose order, and not this one's, is that of the images.
    protocol
        Whether images are grey: then they are (H, W, 1).

    Raises
    ------
    ValueError
        If a dataset is a published test set, or an image is unreadable or smaller than a crop.
    """
    images, facts = [], {}
    for name, dataset in sorted(datasets.items()):
        if dataset.split == "test" and dataset.count is not None:
            raise ValueError(
                f"'{dataset.name}' is a test set, and scores on images a network was trained on "
                f"mean nothing; train on bsds400, extra_train or a folder of your own"
            )
        dataset.check(minimum=patch, protocol=protocol)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            read = partial(dataset.read_uint8, protocol=protocol)
            images += pool.map(read, dataset.images())
        facts[name] = {"images": len(dataset), "sha256": dataset.digest()}
    return images, facts


def hold_out(
    images: list[np.ndarray], count: int | None = None
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Images to train on, and equal crops of others, evenly spaced in the list, to watch it by.

    Parameters
    ----------
    count
        How many others; None is 8, or a sixteenth where images are few.

    Raises
    ------
    ValueError
        If nothing would be left to train on.
    """
    if count is None:
        count = min(HELD_OUT, len(images) // 16)
    if count >= max(len(images), 1):
        raise ValueError(
            f"held_out={count} of {len(images)} images leaves none to train on; choose a smaller "
            f"number, or held_out=0 to train without validation"
        )
    if not count:
        return images, []
    chosen = {len(images) * place // count for place in range(count)}
    seen = [image for place, image in enumerate(images) if place not in chosen]
    unseen = [images[place] for place in sorted(chosen)]
    side = min(HELD_OUT_CROP, *(min(image.shape[:2]) for image in unseen))
    return seen, [crop_around(i, (i.shape[0] // 2, i.shape[1] // 2), side) for i in unseen]


def _generator(*key: str | int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(stream("train", *key)))
