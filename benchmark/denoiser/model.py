"""What a denoiser is: pixels in, pixels out, and never a word about the noise."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.denoiser.contract import RestorationError, as_picture, require_range
from benchmark.denoiser.tiling import in_tiles
from benchmark.registry import Registry

DENOISERS = Registry("denoiser")


class Denoiser(nn.Module):
    """A network, or a classical method, that restores images.

    Subclasses write ``forward``; everyone else calls ``denoise``. The constructor takes keywords
    only, each annotated and with a default. Randomness at test time comes from torch's global
    generator and no other: the harness seeds it from the cell's key.

    A class with ``learned = True`` needs weights. Its architecture then comes from the weights
    file, and only the keywords named in ``test_time`` are settings of ``bench run``.
    """

    name: ClassVar[str]  # set by the registry
    multiple: ClassVar[int] = 1  # height and width must be a multiple of this
    learned: ClassVar[bool] = False
    sizes: ClassVar[dict[str, dict[str, object]]] = {}  # keywords of sizes other than published
    test_time: ClassVar[tuple[str, ...]] = ()
    compared_with: ClassVar[str | None] = None  # the registered name of another network
    package: ClassVar[str] = ""  # an optional package it cannot do without
    needs: ClassVar[str] = ""  # what a user must name first, and how: "a file: model.x.file=FILE"
    located: ClassVar[tuple[str, ...]] = ()  # settings which say where something lies, not what
    files: ClassVar[tuple[str, ...]] = ()  # settings which name a file: its content counts
    derived: ClassVar[tuple[str, ...]] = ()  # ends of published keys that the code computes anew
    note: str = ""  # a caveat of this instance which tables show: a training that is ours
    pointwise: ClassVar[bool] = False  # each pixel by itself: tiles would change nothing

    @classmethod
    def arguments_of(cls, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
        """The constructor's keywords which the shapes of a published state dict leave no doubt of.

        Keys are those of the state dict. A key that a network of this class always has may be
        missing: the caller compares the built network with the file and says what differs.
        """
        return {}

    @torch.inference_mode()
    def denoise(self, noisy: Tensor) -> Tensor:
        """Restore (B, C, H, W) in [0, 1]: same shape and range, for any H and W."""
        return self.infer(noisy).clamp(0, 1)

    @torch.inference_mode()
    def infer(
        self,
        noisy: Tensor,
        tile: int | None = None,
        precision: str = "fp32",
        bounded: bool = True,
    ) -> Tensor:
        """Restore (B, C, H, W) in [0, 1], for any H and W: same shape, float32, not clamped.

        Padding to ``multiple`` reflects at the right and lower edge and is cropped away again. The
        model gets a copy, which it may change, and what it returns is held to
        `benchmark.denoiser.contract`.

        Parameters
        ----------
        tile
            Side in pixels of the tiles which the padded image is cut into; None for the whole
            image. See `benchmark.denoiser.tiling`.
        precision
            ``"fp32"``, or ``"bf16"``: torch's automatic mixed precision.
        bounded
            Whether an image on another scale than [0, 1] is refused: `contract.require_range`.

        Raises
        ------
        RestorationError
            If what the model returns for the image, or for a tile, is no picture.
        """
        self.eval()
        height, width = noisy.shape[-2:]
        padded = pad_to_multiple(noisy, self.multiple)
        with torch.autocast(noisy.device.type, torch.bfloat16, enabled=precision == "bf16"):
            if tile is None:
                restored = self._picture(padded)
            else:
                restored = in_tiles(self._picture, padded, tile, self.multiple)
        restored = restored[..., :height, :width]
        if bounded:
            with self._named():
                require_range(restored)
        return restored

    def restore(self, noisy: Tensor) -> Tensor:
        """One restored batch; a subclass which averages several passes overrides this."""
        return self(noisy)

    def _picture(self, given: Tensor) -> Tensor:
        """One restored batch, or tile, which is a picture, if not yet one in [0, 1]."""
        output = self.restore(given.clone())
        with self._named():
            return as_picture(output, given)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Put the model's name before what is wrong with its output."""
        try:
            yield
        except RestorationError as error:
            name = getattr(self, "name", type(self).__name__)
            raise RestorationError(f"'{name}' {error}") from None


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Pad (B, C, H, W) at the right and lower edge by reflection to a multiple in H and W.

    An image too small to reflect that far repeats its edge pixels for the rest.
    """
    for axis in (-1, -2):
        missing = -image.shape[axis] % multiple
        reflected = min(missing, image.shape[axis] - 1)
        image = _pad_end(image, axis, reflected, "reflect")
        image = _pad_end(image, axis, missing - reflected, "replicate")
    return image


def _pad_end(image: Tensor, axis: int, amount: int, mode: str) -> Tensor:
    if not amount:
        return image
    return functional.pad(image, (0, amount, 0, 0) if axis == -1 else (0, 0, 0, amount), mode)


class ImageFilter(Denoiser):
    """A denoiser which is a function of one (H, W, C) float64 numpy image; for classical methods.

    Subclasses write ``filter_image``; batching and tensors are done here.
    """

    def forward(self, noisy: Tensor) -> Tensor:
        images = noisy.permute(0, 2, 3, 1).double().cpu().numpy()
        restored = [torch.from_numpy(self.filter_image(image)) for image in images]
        return torch.stack(restored).permute(0, 3, 1, 2).to(noisy)

    def filter_image(self, noisy: np.ndarray) -> np.ndarray:
        """Restore one (H, W, C) float64 image in [0, 1]."""
        raise NotImplementedError
