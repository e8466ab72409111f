"""How a model is run on one image: whole or in tiles, in which precision, under which seed."""

import time
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.denoiser.contract import naming
from benchmark.denoiser.memory import bytes_per_pixel, free_memory, is_out_of_memory
from benchmark.denoiser.model import Denoiser, ImageFilter
from benchmark.denoiser.tiling import least_tile, tile_step
from benchmark.environment.device import empty_cache, forked_rng, synchronize

SMALL = 256**2  # pixels of an image which is never tiled automatically
SHARE = 0.5  # of the free memory which an image may take


@dataclass(frozen=True)
class Restored:
    """What a model made of an image, and how it was run."""

    image: Tensor  # (B, C, H, W) float32, not clamped
    seconds: float
    tile: int | None  # side of the tiles, in pixels; None where the image was restored whole


@dataclass(frozen=True)
class Inference:
    """How a model is run.

    Parameters
    ----------
    tile
        ``"none"`` restores every image whole. A number is the side of tiles in pixels, see
        `benchmark.denoiser.tiling`; images that are no larger stay whole. ``"auto"`` restores whole
        what takes at most half of the free memory, by the model's own peak at 128x128, and
        otherwise in the largest tiles that do; where memory runs out all the same, the side is
        halved. Images up to 256x256, classical filters and models which see single pixels stay
        whole.
    precision
        ``"fp32"``, or ``"bf16"``: torch's automatic mixed precision around the network.
    bounded
        Whether an image on another scale than [0, 1] is an error. It is for all that is scored, but
        not in training, where a network may have a long way to go.
    """

    tile: int | str = "auto"
    precision: str = "fp32"
    bounded: bool = True

    def run(self, model: Denoiser, noisy: Tensor, key: int, what: str = "") -> Restored:
        """Restore (B, C, H, W) in [0, 1] under a seed, as `benchmark.noise.stream` gives it.

        All tiles draw from one generator, one after the other. After memory ran out it starts
        anew, so that the result is that of the smaller tiles from the beginning.

        Parameters
        ----------
        what
            The model, image, noise and level, in words: every error begins with it.

        Raises
        ------
        RestorationError
            If the output is no picture, the model refuses the image, or memory runs out and
            ``tile`` leaves no choice, or no smaller tile is possible. Any other exception of the
            model is its own, with a note.
        """
        with naming("model", what):
            return self._run(model, noisy, key)

    def _run(self, model: Denoiser, noisy: Tensor, key: int) -> Restored:
        tile = self._first(model, noisy)
        while True:
            try:
                return self._once(model, noisy, key, tile)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                smaller = self._smaller(model, noisy, tile)
            warnings.warn(
                f"{model.name} ran out of memory {_place(tile)}; it goes on in tiles of {smaller} "
                f"pixels",
                stacklevel=2,
            )
            empty_cache(noisy.device)
            tile = smaller

    def _once(self, model: Denoiser, noisy: Tensor, key: int, tile: int | None) -> Restored:
        with forked_rng(noisy.device):
            torch.manual_seed(key % 2**63)
            begin = time.perf_counter()
            restored = model.infer(noisy, tile, self.precision, self.bounded)
            synchronize(noisy.device)
            return Restored(restored, time.perf_counter() - begin, tile)

    def _first(self, model: Denoiser, noisy: Tensor) -> int | None:
        height, width = noisy.shape[-2:]
        if self.tile == "none" or model.pointwise:
            return None
        if self.tile != "auto":
            return self.tile if self.tile < max(height, width) else None
        if height * width <= SMALL or isinstance(model, ImageFilter):
            return None
        try:
            cost = len(noisy) * bytes_per_pixel(model, noisy.device, self.precision)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return least_tile(model.multiple)  # not even the small image of the probe fits
        memory = SHARE * free_memory(noisy.device)
        if cost * height * width <= memory:
            return None
        return max(_down((memory / cost) ** 0.5, model), least_tile(model.multiple))

    def _smaller(self, model: Denoiser, noisy: Tensor, tile: int | None) -> int:
        """Half of a tile, or of the image's longer side."""
        half = _down((tile or max(noisy.shape[-2:])) / 2, model)
        if self.tile == "auto" and half >= least_tile(model.multiple):
            return half
        height, width = noisy.shape[-2:]
        if self.tile == "auto":
            advice = "free some memory or take another device"
        else:
            advice = f"take tile=auto or smaller tiles, down to {least_tile(model.multiple)} pixels"
        raise ValueError(
            f"{model.name} runs out of memory on {height}x{width} pixels {_place(tile)}; {advice}"
        )


AUTOMATIC = Inference()


def _down(side: float, model: Denoiser) -> int:
    """The largest side of a tile which is at most this."""
    step = tile_step(model.multiple)
    return int(side // step) * step


def _place(tile: int | None) -> str:
    return "as a whole" if tile is None else f"in tiles of {tile} pixels"
