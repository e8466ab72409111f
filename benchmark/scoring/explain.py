"""One set of outputs scored under many conventions: whose tenth of a dB is it?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from benchmark.cells import Cell
from benchmark.console.progress import track
from benchmark.denoiser.inference import WHOLE
from benchmark.metrics import Metric
from benchmark.metrics.pixelwise import SSIM_SIDE
from benchmark.protocol import Protocol
from benchmark.scoring.conventions import (
    Scoring,
    in_decibels,
    psnr_of,
    squared_error,
    ssim_of,
    values,
)
from benchmark.scoring.evaluate import as_tensor, key_of, noisy_pair, treated
from benchmark.scoring.grid import Grid


@dataclass(frozen=True)
class Score:
    """A cell's scores under one convention: means over its images.

    Parameters
    ----------
    psnr
        In dB.
    lpips
        None where it was not asked for.
    """

    psnr: float
    ssim: float
    lpips: float | None
    images: int


def explain(
    grid: Grid,
    cell: Cell,
    scorings: Mapping[str, Scoring],
    device: str,
    lpips: Mapping[bool, Metric] | None = None,
) -> dict[str, Score]:
    """Score a cell's images in several ways, each of which differs in what is done or compared.

    An image is restored once for each noisy input that differs, whole and in fp32, with the random
    numbers of ``bench run``; all that comes after is computed on these outputs.

    Parameters
    ----------
    scorings
        By name. A dataset's own border is no part of it: the protocol's counts.
    lpips
        The metric, by whether it sees BGR; by default it is not computed.

    Returns
    -------
    dict
        By the names of ``scorings``.

    Raises
    ------
    ValueError
        If an image is too small for a border or for SSIM's window.
    """
    dataset = grid.datasets[cell.dataset]
    names = dataset.images()
    lines: dict[str, list[tuple[float, ...]]] = {name: [] for name in scorings}
    for image in track(names, "images", len(names), str(cell)):
        restored = _Restored(grid, cell, image, device)
        similarity: dict[Scoring, float] = {}  # by what it depends on
        perceived: dict[Scoring, float] = {}
        for name, scoring in scorings.items():
            pictures = restored.pair(scoring)
            ours, clean = (values(picture, scoring) for picture in pictures)
            _check_size(cell, image, clean, scoring)
            if (what := _of_ssim(scoring)) not in similarity:
                similarity[what] = ssim_of(ours, clean, scoring)
            if lpips and (what := _of_lpips(scoring)) not in perceived:
                perceived[what] = lpips[scoring.bgr](*pictures)
            scores = (
                psnr_of(ours, clean, scoring),
                similarity[_of_ssim(scoring)],
                perceived.get(_of_lpips(scoring), math.nan),
            )
            lines[name].append((*scores, squared_error(ours, clean) * clean.size, clean.size))
    return {
        name: _mean(np.array(found), scorings[name], lpips is not None)
        for name, found in lines.items()
    }


class _Restored:
    """One image as a model restores it from different noisy inputs, each restored once."""

    def __init__(self, grid: Grid, cell: Cell, image: str, device: str) -> None:
        self.cell, self.image, self.device = cell, image, device
        self.dataset, self.model = grid.datasets[cell.dataset], grid.models[cell.model].to(device)
        self.noise = None if cell.recorded else grid.noises[cell.noise]
        self.pictures: dict[Protocol, tuple[Tensor, Tensor]] = {}  # clean, and the raw output
        self.outputs: dict[tuple[bool, bool, str], Tensor] = {}

    def pair(self, scoring: Scoring) -> tuple[Tensor, Tensor]:
        """The restored and the clean image as they are compared, (1, C, H, W)."""
        protocol = replace(scoring.protocol, border=0, colour="rgb")
        if protocol not in self.pictures:
            clean, noisy = noisy_pair(self.cell, self.dataset, self.noise, self.image, protocol)
            self.pictures[protocol] = as_tensor(clean), self._output(noisy, protocol)
        clean, output = self.pictures[protocol]
        if scoring.truncated:
            return torch.floor(output.clamp(0, 1) * 255) / 255, clean
        return as_tensor(treated(output, protocol)), clean

    def _output(self, noisy: np.ndarray, protocol: Protocol) -> Tensor:
        clips = self.noise is not None and protocol.clips(self.noise.name)
        key = (clips, protocol.noisy_rounded, protocol.draw)
        if self.noise is None:  # recorded: nothing is drawn, and 8 bits stay 8 bits
            key = (True, True, "key")
        if key not in self.outputs:
            seed = key_of(self.cell, self.image).torch_seed("denoise")
            what = f"{self.cell}, image {self.image}"
            done = WHOLE.run(self.model, as_tensor(noisy).to(self.device), seed, what)
            self.outputs[key] = done.image.cpu()
        return self.outputs[key]


def _of_ssim(scoring: Scoring) -> Scoring:
    """What SSIM depends on: the same without what is of other metrics."""
    return replace(
        scoring,
        mean_of_channels=False,
        pooled=False,
        clean_peak=False,
        unit_range=False,
        bgr=False,
    )


def _of_lpips(scoring: Scoring) -> Scoring:
    """What LPIPS depends on: whole images, in colour."""
    protocol = replace(scoring.protocol, border=0, colour="rgb")
    return Scoring(protocol, truncated=scoring.truncated, bgr=scoring.bgr)


def _check_size(cell: Cell, image: str, compared: np.ndarray, scoring: Scoring) -> None:
    if min(compared.shape[:2]) < SSIM_SIDE:
        raise ValueError(
            f"{image} of {cell.dataset} has {compared.shape[0]}x{compared.shape[1]} pixels without "
            f"a border of {scoring.protocol.border}, and SSIM's window has 11x11; take larger "
            f"images"
        )


def _mean(lines: np.ndarray, scoring: Scoring, has_lpips: bool) -> Score:
    psnr, similarity, distance = lines[:, :3].mean(axis=0)
    if scoring.pooled:
        psnr = in_decibels(lines[:, 3].sum() / lines[:, 4].sum())
    lpips = float(distance) if has_lpips else None
    return Score(float(psnr), float(similarity), lpips, len(lines))
