"""What a denoiser is: pixels in, pixels out, and never a word about the noise."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.denoiser.contract import name_of
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.layers import default_layers
from benchmark.registry import Registry

DENOISERS: "Registry[Denoiser]" = Registry("denoiser")


class Denoiser(nn.Module):
    """A network, or a classical method, that restores images.

    Three verbs: subclasses write ``forward``, which training calls; ``restore``, which makes one
    output of it, of several passes where a subclass wants them; ``denoise`` is what everyone else
    calls. The constructor takes keywords only, each annotated and with a default; ``**settings``
    stands for those of the base class, to which it hands them. Randomness at test time comes from
    torch's global generator and no other: the harness seeds it from the cell's key.

    A class with ``learned = True`` needs weights. Its architecture then comes from the weights
    file, and only the keywords named in ``test_time`` are settings of ``bench run``.
    ``variants`` are other ways to test the same weights, by the name that tables give them:
    ``{"mean of 8": {"passes": 8}}``. ``compared_with`` is the registered name of the network which
    this one should be compared with; None where there is none.
    """

    name: ClassVar[str]  #: set by the registry
    learned: ClassVar[bool] = False
    sizes: ClassVar[dict[str, dict[str, object]]] = {}  #: keywords of sizes other than published
    test_time: ClassVar[tuple[str, ...]] = ()
    variants: ClassVar[Mapping[str, Mapping[str, object]]] = {}  #: of ``test_time`` settings
    compared_with: ClassVar[str | None] = None
    cites: ClassVar[tuple[str, ...]] = ()  #: keys of references.bib, or whole entries of BibTeX
    published: ClassVar[str] = ""  #: the weights of its authors, by their name for ``bench fetch``
    package: ClassVar[str] = ""  #: an optional package it cannot do without
    needs: ClassVar[str] = ""  #: what a user must name first, and how: "a file: model.x.file=FILE"
    located: ClassVar[tuple[str, ...]] = ()  #: settings which say where something lies, not what
    files: ClassVar[tuple[str, ...]] = ()  #: settings which name a file: its content counts
    later: ClassVar[tuple[str, ...]] = ()  #: settings younger than stored scores
    derived: ClassVar[tuple[str, ...]] = ()  #: ends of published keys that the code computes anew
    pointwise: ClassVar[bool] = False  #: each pixel by itself: tiles would change nothing
    in_torch: ClassVar[bool] = True  #: its memory is torch's, which can be measured
    note: str = ""  #: a caveat of this instance which tables show: a training that is ours
    trained_on: Mapping[str, object] | None = None  #: "noise", its settings, and "level"; if known
    multiple: int = 1  #: of which ``forward`` needs height and width; ``denoise`` pads to it
    image_channels: int | None = None  #: of the images it takes; None: any number
    hidden_pixel: ClassVar[float] = 0.0  #: what stands, in all channels, for a pixel it cannot see

    @classmethod
    def arguments_of(cls, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
        """The constructor's keywords which the shapes of a published state dict leave no doubt of.

        Keys are those of the state dict. A key that a network of this class always has may be
        missing: the caller compares the built network with the file and says what differs.
        """
        return {}

    def restore(self, noisy: Tensor) -> Tensor:
        """One restored batch; a subclass which averages several passes overrides this."""
        return self(noisy)

    def recorded_at(self, places: Iterable[Path]) -> Mapping[str, object]:
        """What a cell records of this model beside its settings, asked before anything is run.

        A model that looks its outputs up says here which they are; others have no more to say.

        Parameters
        ----------
        places
            Of the cell's images, as `benchmark.cells.Cell.pictures` names them.

        Raises
        ------
        ValueError
            If something that the cell needs is missing.
        """
        return {}

    def exported(self) -> nn.Module:
        """What a compiled runtime runs in the place of ``forward``: a module which torch exports.

        It is this model itself, unless a subclass has another form for compilers. Random numbers
        of torch's global generator become inputs of its graph, drawn as ``forward`` draws them.

        Raises
        ------
        ValueError
            If there is none; the message is the reason.
        """
        return self

    def analysed_layers(self) -> list[str]:
        """The modules which analyses look at, by name, from the image on; the last one is deepest.

        After ``:input`` it is what goes into a module. By default there is one a block; see
        `benchmark.denoiser.layers.default_layers`.
        """
        return default_layers(self)

    def denoise(
        self,
        noisy: Tensor,
        *,
        tile: int | str = "auto",
        precision: str = "fp32",
        runtime: str = "torch",
        clamp: bool = True,
    ) -> Tensor:
        """Restore (B, C, H, W) in [0, 1], for any H and W: same shape, float32.

        Padding to ``multiple`` reflects at the right and lower edge and is cropped away again. The
        model gets a copy, which it may change, and what it returns is held to
        `benchmark.denoiser.contract`.

        Parameters
        ----------
        tile, precision, runtime
            See `benchmark.denoiser.inference.Inference`.
        clamp
            Whether values are clamped to [0, 1]; a network overshoots.

        Raises
        ------
        ValueError
            If this is no batch of images, or one of a number of channels it does not take; if
            ``tile``, ``precision`` or ``runtime`` is wrong; if memory runs out and ``tile`` leaves
            no choice, or no smaller tile is possible.
        RestorationError
            If what the model returns for the image, or for a tile, is no picture, or the model
            cannot be run by ``runtime``.
        """
        how = Inference(tile, precision, runtime=runtime)
        restored = how.restore(self, noisy).image
        return restored.clamp(0, 1) if clamp else restored


class ImageFilter(Denoiser):
    """A denoiser which is a function of one (H, W, C) float64 numpy image; for classical methods.

    Subclasses write ``filter_image``; batching and tensors are done here.
    """

    in_torch = False

    def forward(self, noisy: Tensor) -> Tensor:
        """Each image of (B, C, H, W) in [0, 1] by itself; same shape, type and device."""
        images = noisy.permute(0, 2, 3, 1).double().cpu().numpy()
        restored = [self._checked(self.filter_image(image), image) for image in images]
        return torch.from_numpy(np.stack(restored)).permute(0, 3, 1, 2).to(noisy)

    def _checked(self, restored: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        """What ``filter_image`` returned, in any order and type of memory, as float64."""
        if np.shape(restored) != noisy.shape:
            raise ValueError(
                f"filter_image of {name_of(self)} has to return {noisy.shape}, as it was given, "
                f"got {np.shape(restored) or type(restored).__name__}"
            )
        return np.asarray(restored, np.float64)

    def filter_image(self, noisy: np.ndarray) -> np.ndarray:
        """Restore one (H, W, C) float64 image in [0, 1]."""
        raise NotImplementedError
