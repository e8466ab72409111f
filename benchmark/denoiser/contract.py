"""The contract of what a model is given and returns: images, or a sentence which says why not."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmark.environment.queue import Arriving

# How far a value may leave [0, 1], and which share of an image's values may leave it further.
# Measured on photographs under the strongest level of 30 noises: our trained networks overshoot by
# 0.40 at most (at dead pixels; 0.88 without the masks of training) and the published DnCNN for
# sigma 15 by 0.07; 0.3 % of an image are beyond 0.5 at most. On a picture of black and white pixels
# alone it is 2 %, and 15 % without masks. What is meant for [0, 255] is beyond nearly everywhere,
# what is meant for [-1, 1] or [-0.5, 0.5] wherever the image is dark: on 21 to 54 % of the values
# of the five `photos`. A network of a few training steps or of random weights can reach 22 to 26 %,
# and is refused as well: the sentence says so. The share is a guess between.
OVERSHOOT = 0.45
SHARE = 0.2


class RestorationError(ValueError):
    """A model could not restore an image, or not into a picture; the message is a sentence."""


@contextmanager
def naming(kind: str, what: str) -> Iterator[None]:
    """Say of whatever a noise, a model or a metric raises which image it was about.

    Raises
    ------
    RestorationError
        In place of a ``ValueError`` or an ``OSError``, which are sentences. What else is raised is
        a defect and stays what it is, with a note; to end the program is one as well.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise RestorationError(f"{what}: {error}" if what else str(error)) from error
    except SystemExit as error:
        raise RuntimeError(f"a {kind} ended the program: {what or 'on an image'}") from error
    except Exception as error:
        error.add_note(f"raised by a {kind}: {what or 'on an image'}")
        raise


def name_of(model: object) -> str:
    """What a denoiser is called: its registered name, or that of its class."""
    return getattr(model, "name", type(model).__name__)


def require_images(given: Tensor, name: str, channels: int | None = None) -> None:
    """Raise ``ValueError`` unless a model of this name is given images which it can take.

    Those are a floating-point tensor of (B, C, H, W) without an empty dimension, and of so many
    channels where that matters.
    """
    if not isinstance(given, Tensor):
        raise ValueError(
            f"'{name}' takes images as a tensor of shape (B, C, H, W), got {_described(given)}"
        )
    shape = tuple(given.shape)
    if given.ndim != 4 or not all(shape):
        cure = "; add the dimension of the batch: image[None]" if given.ndim == 3 else ""
        raise ValueError(f"'{name}' takes images of shape (B, C, H, W), got {shape}{cure}")
    if not given.is_floating_point():
        raise ValueError(
            f"'{name}' takes floating-point numbers in [0, 1], got {given.dtype}; divide 8-bit "
            f"values by 255"
        )
    if channels is not None and shape[1] != channels:
        grey = "repeat those of a grey image" if channels == 3 else "make it grey"
        cure = "put the channels first" if shape[3] == channels else grey
        raise ValueError(
            f"'{name}' takes images of shape (B, {channels}, H, W), got {shape}; {cure}"
        )


def require_precision(given: Tensor, name: str, parameters: Iterable[Tensor]) -> None:
    """Raise ``ValueError`` if images are neither float32 nor of a type that a model computes in."""
    types = {parameter.dtype for parameter in parameters if parameter.is_floating_point()}
    if types and given.dtype not in types | {torch.float32}:
        raise ValueError(
            f"'{name}' takes images in float32, got {given.dtype}; give it image.float()"
        )


class Checks:
    """What pictures are held to whose values may not have been computed yet.

    Parameters
    ----------
    queued
        Whether they are on a device with a queue, which is asked and not waited for. Without one
        a check is made at once.
    """

    def __init__(self, queued: bool = False):
        self._queued = queued
        self._asked: list[tuple[Tensor, Callable[[], None]]] = []
        self._answers: Arriving | None = None

    def check(
        self, holds: Callable[..., Tensor], require: Callable[..., None], *pictures: Tensor
    ) -> None:
        """Let ``require`` raise where ``holds``, a tensor of one bool, is not true of pictures."""
        if self._queued:
            self._asked.append((holds(*pictures), partial(require, *pictures)))
        else:
            require(*pictures)

    def send(self) -> None:
        """Let the answers come to the CPU; nothing is asked any more."""
        if self._asked:
            self._answers = Arriving([torch.stack([holds for holds, _ in self._asked])])

    def read(self) -> None:
        """Wait for the answers, and raise the first error there is."""
        if self._answers is not None:
            (answers,) = self._answers.wait()
            for holds, (_, require) in zip(answers.tolist(), self._asked, strict=True):
                if not holds:
                    require()


def as_picture(output: object, given: Tensor) -> Tensor:
    """What a model returned for (B, C, H, W), as a float32 tensor of its own.

    Its values are not looked at: see `require_finite`.

    Raises
    ------
    RestorationError
        If it is no dense floating-point tensor of exactly the shape and device of what was given.
    """
    tensor = require_tensor(output)
    require_shape(tensor, given)
    require_floating(tensor)
    return tensor.detach().to(torch.float32, copy=True)  # the model may use its memory again


def require_tensor(output: object) -> Tensor:
    """What a model returned, if it is a dense tensor; else raise `RestorationError`."""
    if not isinstance(output, Tensor):
        raise RestorationError(
            f"returned {_described(output)}, not a tensor; a denoiser returns the restored image "
            f"alone"
        )
    if output.layout is not torch.strided:
        raise RestorationError(f"returned a tensor of layout {output.layout}; a picture is dense")
    return output


def require_shape(output: Tensor, given: Tensor) -> None:
    """Raise `RestorationError` unless a tensor has the shape and device of what was given."""
    was, expected = tuple(output.shape), tuple(given.shape)
    if was != expected:
        raise RestorationError(f"returned {was} for {expected}; {_cure_of_shape(was, expected)}")
    if output.device != given.device:
        raise RestorationError(
            f"returned a tensor on {output.device} for one on {given.device}; a denoiser stays on "
            f"the device of its input"
        )


def require_floating(output: Tensor) -> None:
    """Raise `RestorationError` unless a tensor has floating-point numbers."""
    if not output.is_floating_point():
        raise RestorationError(
            f"returned numbers of type {output.dtype}; a picture has floating-point numbers in "
            f"[0, 1]"
        )


def is_finite(picture: Tensor) -> Tensor:
    """One bool, where the picture is: whether `require_finite` lets it pass."""
    return picture.isfinite().all()


def require_finite(picture: Tensor) -> None:
    """Raise `RestorationError` where a value is NaN or infinite."""
    if is_finite(picture):
        return
    counts = {"NaN": picture.isnan().sum().item(), "infinite": picture.isinf().sum().item()}
    found = " and ".join(f"{count} {name}" for name, count in counts.items() if count)
    raise RestorationError(
        f"returned values that are no numbers: {found} of {picture.numel()}; check its weights and "
        f"its precision"
    )


def is_in_range(picture: Tensor, given: Tensor) -> Tensor:
    """One bool, where the picture is: whether `require_range` lets it pass."""
    return _share_outside(picture, given).double() <= SHARE


def _share_outside(picture: Tensor, given: Tensor) -> Tensor:
    low, high = given.clamp(max=0) - OVERSHOOT, given.clamp(min=1) + OVERSHOOT
    outside = (picture < low) | (picture > high)
    return outside.flatten(1).float().mean(1).max()


def require_range(picture: Tensor, given: Tensor) -> None:
    """Raise `RestorationError` if too much of an image of (B, C, H, W) lies outside [0, 1].

    Where the noisy image which was given is outside itself, as unclipped noise is, so may this be.

    Networks overshoot, at hot pixels above all, and a network may fail badly at a part of an image:
    that is what its score is for. Hence no bound for single values: a fifth of an image's values
    may be further outside than 0.45. More is another scale than [0, 1].
    """
    share = _share_outside(picture, given).item()
    if share > SHARE:
        least, most = picture.min().item(), picture.max().item()
        raise RestorationError(
            f"returned values from {least:.4g} to {most:.4g}, {100 * share:.0f} % of an image more "
            f"than {OVERSHOOT} outside [0, 1]; a network for [0, 255] or [-1, 1] has to scale its "
            f"input and its output, and one that is hardly trained has to be trained further"
        )


def _described(output: object) -> str:
    if output is None:
        return "None"
    name = type(output).__name__
    if isinstance(output, np.ndarray):
        return f"a numpy array of shape {output.shape}"
    if isinstance(output, Mapping):
        keys = ", ".join(map(str, list(output)[:3]))
        return f"a {name} of {keys}" if keys else f"an empty {name}"
    if isinstance(output, list | tuple):
        return f"a {name} of {len(output)}"
    return f"an object of type {name}"


def _cure_of_shape(was: tuple[int, ...], expected: tuple[int, ...]) -> str:
    batch, *channels_last = expected
    if was == expected[1:] and batch == 1:
        return "keep the dimension of the batch"
    if was == (batch, *channels_last[1:], channels_last[0]):
        return "put the channels first: (B, C, H, W)"
    if was[:1] != expected[:1]:
        return "every image of a batch comes back, and no other"
    return "a denoiser returns an image of the size and the channels it was given"
