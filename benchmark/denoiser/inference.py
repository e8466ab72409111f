"""How a model is run on one image: whole or in tiles, in which precision and runtime, by a seed."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmark.denoiser.contract import (
    Checks,
    RestorationError,
    as_picture,
    is_finite,
    is_in_range,
    name_of,
    naming,
    require_finite,
    require_images,
    require_precision,
    require_range,
)
from benchmark.denoiser.memory import free_memory, is_out_of_memory, peak_memory
from benchmark.denoiser.padding import pad_to_multiple
from benchmark.denoiser.tiling import check_tile, in_tiles, least_tile, tile_step
from benchmark.environment.device import empty_cache, forked_rng, saved_rng
from benchmark.environment.queue import Stopwatch, has_queue

if TYPE_CHECKING:
    from benchmark.denoiser.model import Denoiser

PROBE = 128  # side of the image with which a network's memory is measured, in pixels
SMALL = 256**2  # pixels of an image which is never tiled automatically
SHARE = 0.5  # of the free memory which an image may take


@dataclass(frozen=True)
class Restored:
    """What a model made of an image, and how it was run."""

    image: Tensor  # (B, C, H, W) float32, not clamped
    seconds: float
    tile: int | None  # side of the tiles, in pixels; None where the image was restored whole


@dataclass(frozen=True)
class Launched:
    """An image which a device is at work on, or has done: a CPU always has."""

    image: Tensor  # as `Restored` has it; the device can be told at once what to do with it
    tile: int | None
    stopwatch: Stopwatch
    checks: Checks
    model: str  # its name
    what: str = ""  # every error begins with it

    def wait(self) -> Restored:
        """Wait until it is restored, and hold its values to the contract.

        Raises
        ------
        RestorationError
            If they are no picture's.
        """
        seconds = self.stopwatch.seconds()
        with naming("model", self.what), _naming(self.model):
            self.checks.read()
        return Restored(self.image, seconds, self.tile)


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
    runtime
        What computes a network's forward pass: ``"torch"``, or ``"openvino"``, which compiles it
        for the CPU, in fp32; see `benchmark.denoiser.runtime.openvino`.

    Raises
    ------
    ValueError
        If ``tile``, ``precision`` or ``runtime`` is none of these, or OpenVINO is to run in bf16.
    """

    tile: int | str = "auto"
    precision: str = "fp32"
    bounded: bool = True
    runtime: str = "torch"

    def __post_init__(self) -> None:
        if not isinstance(self.tile, int) and self.tile not in ("auto", "none"):
            raise ValueError(f"unknown tile={self.tile}; take auto, none, or a side in pixels")
        if self.precision not in ("fp32", "bf16"):
            raise ValueError(f"unknown precision={self.precision}; take fp32 or bf16")
        if self.runtime not in ("torch", "openvino"):
            raise ValueError(f"unknown runtime={self.runtime}; take torch or openvino")
        if self.runtime == "openvino" and self.precision != "fp32":
            raise ValueError(
                f"runtime=openvino computes in fp32 alone, and precision={self.precision}; take "
                f"precision=fp32 or runtime=torch"
            )

    @property
    def recorded(self) -> dict[str, object]:
        """What a cell records of it where it records versions."""
        recorded: dict[str, object] = {"precision": self.precision, "runtime": self.runtime}
        return (
            recorded
            if self.runtime == "torch"
            else recorded | {self.runtime: version(self.runtime)}
        )

    def run(self, model: "Denoiser", noisy: Tensor, key: int, what: str = "") -> Restored:
        """`restore` under a seed, as `benchmark.noise.stream` gives it.

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
        return self.launch(model, noisy, key, what).wait()

    def launch(self, model: "Denoiser", noisy: Tensor, key: int, what: str = "") -> Launched:
        """`run`, where a device with a queue is not waited for, and its picture not yet judged."""
        with naming("model", what), forked_rng(noisy.device):
            torch.manual_seed(key % 2**63)
            return replace(self._launch(model, noisy), what=what)

    def restore(self, model: "Denoiser", noisy: Tensor) -> Restored:
        """Restore (B, C, H, W) in [0, 1], which is not clamped: `Denoiser.denoise` has the details.

        All tiles draw from one generator, one after the other. After memory ran out it is set
        back, so that the result is that of the smaller tiles from the beginning.
        """
        return self._launch(model, noisy).wait()

    @torch.inference_mode()
    def _launch(self, model: "Denoiser", noisy: Tensor) -> Launched:
        require_images(noisy, name_of(model), model.image_channels)
        require_precision(noisy, name_of(model), model.parameters())
        tile, set_back = self._first(model, noisy), saved_rng(noisy.device)
        network, compiling = self._in_runtime(model)
        while True:
            try:
                stopwatch, checks = Stopwatch(noisy.device), Checks(has_queue(noisy.device))
                before = compiling()
                restored = self._once(network, noisy, tile, checks)
                stopwatch.stop(apart=compiling() - before)
                checks.send()
                return Launched(restored, tile, stopwatch, checks, name_of(model))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                smaller = self._smaller(model, noisy, tile)
            warnings.warn(
                f"{name_of(model)} ran out of memory {_place(tile)}; it goes on in tiles of "
                f"{smaller} pixels",
                stacklevel=2,
            )
            empty_cache(noisy.device)
            set_back()
            tile = smaller

    def _in_runtime(self, model: "Denoiser") -> tuple["Denoiser", Callable[[], float]]:
        """What restores, and how many seconds went into compiling it so far."""
        if self.runtime == "torch":
            return model, lambda: 0.0
        from benchmark.denoiser.runtime.openvino import in_openvino, seconds_compiling

        network = in_openvino(model)
        return network, lambda: seconds_compiling(network)

    def _once(self, model: "Denoiser", noisy: Tensor, tile: int | None, checks: Checks) -> Tensor:
        def picture(given: Tensor) -> Tensor:
            output = model.restore(given.clone())
            with _naming(name_of(model)):
                restored = as_picture(output, given)
                checks.check(is_finite, require_finite, restored)
                return restored

        model.eval()
        height, width = noisy.shape[-2:]
        padded = pad_to_multiple(noisy, model.multiple)
        in_bf16 = self.precision == "bf16"
        with torch.autocast(noisy.device.type, torch.bfloat16, enabled=in_bf16):
            if tile is None:
                restored = picture(padded)
            else:
                restored = in_tiles(picture, padded, tile, model.multiple)
        restored = restored[..., :height, :width]
        if self.bounded:
            with _naming(name_of(model)):
                checks.check(is_in_range, require_range, restored, noisy)
        return restored

    def _first(self, model: "Denoiser", noisy: Tensor) -> int | None:
        height, width = noisy.shape[-2:]
        if isinstance(self.tile, int):
            check_tile(self.tile, model.multiple)
            used = self.tile < max(height, width) and not model.pointwise
            return self.tile if used else None
        if self.tile == "none" or model.pointwise:
            return None
        if height * width <= SMALL or not model.in_torch:
            return None
        try:
            cost = bytes_per_pixel(model, noisy.device, self.precision, noisy.shape[1])
            cost *= len(noisy)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return least_tile(model.multiple)  # not even the small image of the probe fits
        memory = SHARE * free_memory(noisy.device)
        if cost * height * width <= memory:
            return None
        return max(_down((memory / cost) ** 0.5, model), least_tile(model.multiple))

    def _smaller(self, model: "Denoiser", noisy: Tensor, tile: int | None) -> int:
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
            f"{name_of(model)} runs out of memory on {height}x{width} pixels {_place(tile)}; "
            f"{advice}"
        )


AUTOMATIC = Inference()
WHOLE = Inference("none")


@lru_cache(maxsize=16)  # a probe takes as long as an image of its size
def bytes_per_pixel(
    model: "Denoiser", device: torch.device, precision: str, channels: int = 3
) -> float:
    """Peak memory of one restored image, weights aside, by its pixels; from a probe of 128x128."""
    probe = torch.full((1, channels, PROBE, PROBE), 0.5, device=device)
    with forked_rng(device), torch.inference_mode():
        call = partial(Inference("none", precision)._once, model, probe, None, Checks())
        return peak_memory(call, device) / PROBE**2


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Put a model's name before what is wrong with its output."""
    try:
        yield
    except RestorationError as error:
        raise RestorationError(f"'{name}' {error}") from None


def _down(side: float, model: "Denoiser") -> int:
    """The largest side of a tile which is at most this."""
    step = tile_step(model.multiple)
    return int(side // step) * step


def _place(tile: int | None) -> str:
    return "as a whole" if tile is None else f"in tiles of {tile} pixels"
