"""The contract of denoisers as checks that run on one of them: ``bench check-model``."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from rich.markup import escape
from rich.table import Table
from torch import Tensor

from benchmark.denoiser.contract import (
    RestorationError,
    require_finite,
    require_floating,
    require_range,
    require_shape,
    require_tensor,
)
from benchmark.denoiser.model import Denoiser
from benchmark.denoiser.padding import pad_to_multiple
from benchmark.denoiser.tiling import least_tile, tile_step
from benchmark.environment.device import forked_rng
from benchmark.registry import summary

SIDE = 32  # pixels, of the square picture which most checks use
SIZES = ((1, 1), (7, 9), (1, 200), (61, 67), (8, 120))  # no side but the last's suits a window
TOLERANCE = 1e-3  # a quarter of an 8-bit step; kernels for other batches round differently
HOW = ("tile", "precision", "runtime", "clamp")  # what ``denoise`` may be told beside the image
TILE = 64  # pixels, of the tiles that a picture is cut into


class Broken(Exception):
    """A promise which is not kept; its message says what was found."""


class Inapplicable(Exception):
    """A promise that a denoiser cannot be held to; its message says why."""


@dataclass(frozen=True)
class Outcome:
    """One check of one denoiser: its name, the promise, whether it is kept, and what was found.

    ``kept`` is None where the promise does not apply.
    """

    name: str
    promise: str
    kept: bool | None
    found: str


def shape(model: Denoiser) -> str:
    """The output is a tensor with the shape of the input, also before padding is cropped away."""
    noisy = _picture(model, SIDE, SIDE + 8)
    require_shape(_raw(model, noisy), pad_to_multiple(noisy, model.multiple))
    restored = _denoise(model, noisy)
    if restored.shape != noisy.shape:
        raise Broken(f"{tuple(restored.shape)} from {tuple(noisy.shape)}")
    return f"{tuple(restored.shape)}"


def dtype(model: Denoiser) -> str:
    """The network returns floating-point numbers, and ``denoise`` float32."""
    noisy = _picture(model, SIDE, SIDE)
    raw = _raw(model, noisy)
    require_floating(raw)
    found = _denoise(model, noisy).dtype
    if found != torch.float32:
        raise Broken(str(found))
    return f"{raw.dtype}, then {found}" if raw.dtype != found else str(found)


def value_range(model: Denoiser) -> str:
    """The output is finite and meant for [0, 1], even where pixels are black and white."""
    extreme = _picture(model, SIDE, SIDE).round()
    found = []
    for noisy in (_picture(model, SIDE, SIDE), extreme):
        raw = _raw(model, noisy)
        require_floating(raw)
        require_finite(raw.float())
        require_range(raw.float(), pad_to_multiple(noisy, model.multiple))
        clamped = _denoise(model, noisy)
        if not ((clamped >= 0) & (clamped <= 1)).all():
            least, most = clamped.min().item(), clamped.max().item()
            raise Broken(f"denoise gives values from {least:.4g} to {most:.4g}")
        found += [raw.min().item(), raw.max().item()]
    return f"{min(found):.3f} to {max(found):.3f} before it is clamped"


def input_unchanged(model: Denoiser) -> str:
    """The input is left as it was."""
    for use in (_raw, _denoise):
        noisy = _picture(model, SIDE, SIDE)
        padded = pad_to_multiple(noisy, model.multiple)
        before = padded.clone()
        use(model, padded)
        if not torch.equal(padded, before):
            raise Broken(f"changed by up to {_furthest(padded, before):.4g}")
    return "unchanged"


def evaluation(model: Denoiser) -> str:
    """A model in training mode is switched to evaluation, and no graph is kept."""
    model.train()
    restored = _denoise(model, _picture(model))
    training = [name or "itself" for name, part in model.named_modules() if part.training]
    if training:
        raise Broken(f"still in training mode: {', '.join(training[:3])}")
    if restored.requires_grad:
        raise Broken("the output keeps the graph of its gradients")
    return "switched"


def determinism(model: Denoiser) -> str:
    """The seed of torch decides the output, whatever was denoised before."""
    noisy = _picture(model)
    first = _denoise(model, noisy)
    _denoise(model, 1 - noisy)
    again = _denoise(model, noisy)
    if not _same(first, again):
        raise Broken(f"the same image and seed differ by up to {_furthest(first, again):.4g}")
    return "equal to the bit"


def sizes(model: Denoiser) -> str:
    """An image of any size comes back in its size, as a picture."""
    for height, width in SIZES:
        noisy = _picture(model, height, width)
        try:
            restored = _denoise(model, noisy)
        except Exception as error:
            raise Broken(f"{height}x{width}: {_said(error)}") from error
        if restored.shape != noisy.shape:
            raise Broken(f"{height}x{width} comes back as {tuple(restored.shape)}")
    return ", ".join(f"{height}x{width}" for height, width in SIZES)


def batch(model: Denoiser) -> str:
    """Images of a batch do not know each other."""
    _refuse_random(model)
    pair = torch.cat([_picture(model), 0.3 * _picture(model).flip(-1)])
    alone = torch.cat([_denoise(model, image) for image in pair.split(1)])
    furthest = _furthest(_denoise(model, pair), alone)
    if not furthest <= TOLERANCE:
        raise Broken(f"differs by up to {furthest:.4g} from each alone")
    return f"within {furthest:.2g} of each alone"


def tiles(model: Denoiser) -> str:
    """An image in tiles comes back in its shape; how far it differs is a number to know."""
    _refuse_random(model)
    step = tile_step(model.multiple)
    side = max(least_tile(model.multiple), math.ceil(TILE / step) * step)
    large = side + side // 2  # two by two of them
    noisy = _picture(model, large, large)
    tiled = _denoise(model, noisy, tile=side)
    if tiled.shape != noisy.shape:
        raise Broken(f"{tuple(tiled.shape)} from {tuple(noisy.shape)}")
    furthest = 255 * _furthest(tiled, _denoise(model, noisy))
    return f"{side}x{side} of {large}x{large} change a pixel by {furthest:.2g} of 255 at most"


def level_not_told(model: Denoiser) -> str:
    """The noisy image is all that a model is told."""
    for method in (model.denoise, model.restore, model.forward):
        settings = HOW if method == model.denoise else ()
        told = [name for name in inspect.signature(method).parameters if name not in settings]
        if len(told) != 1:
            raise Broken(f"{method.__name__} takes {', '.join(told) or 'nothing'}")
    return "denoise, restore and forward take one image"


CHECKS: tuple[Callable[[Denoiser], str], ...] = (
    shape,
    dtype,
    value_range,
    input_unchanged,
    evaluation,
    determinism,
    sizes,
    batch,
    tiles,
    level_not_told,
)


def check(model: Denoiser) -> list[Outcome]:
    """Hold a denoiser to every promise of `CHECKS`, used as `benchmark.scoring.evaluate` does."""
    return [outcome(one, model) for one in CHECKS]


def outcome(one: Callable[[Denoiser], str], model: Denoiser) -> Outcome:
    """One check of a denoiser; whatever the denoiser raises is a promise not kept."""
    try:
        kept, found = True, one(model)
    except Inapplicable as reason:
        kept, found = None, str(reason)
    except Broken as reason:
        kept, found = False, str(reason)
    except Exception as error:  # a stranger's network raises what it likes
        kept, found = False, _said(error)
    return Outcome(one.__name__.replace("_", " "), summary(one), kept, found)


def as_table(name: str, outcomes: list[Outcome]) -> Table:
    """The outcomes of one denoiser, for a terminal."""
    words = {True: "[green]kept[/green]", False: "[red]broken[/red]", None: "skipped"}
    table = Table(title=name, title_justify="left", box=None, padding=(0, 2), show_header=False)
    for one in outcomes:
        table.add_row(one.name, words[one.kept], escape(one.found))
    return table


def _denoise(model: Denoiser, noisy: Tensor, seed: int = 0, **how: Any) -> Tensor:
    """What ``denoise`` makes of an image under a seed of torch."""
    with forked_rng(noisy.device):
        torch.manual_seed(seed)
        return model.denoise(noisy, **how)


@torch.inference_mode()
def _raw(model: Denoiser, noisy: Tensor) -> Tensor:
    """What the network itself returns for an image filled up to its multiple; it is a tensor."""
    with forked_rng(noisy.device):
        torch.manual_seed(0)
        output = model.eval().restore(pad_to_multiple(noisy, model.multiple))
    return require_tensor(output)


def _refuse_random(model: Denoiser) -> None:
    noisy = _picture(model)
    if not _same(_denoise(model, noisy, seed=0), _denoise(model, noisy, seed=1)):
        raise Inapplicable("draws random numbers; if they can be switched off, check it without")


def _picture(model: Denoiser, height: int = 24, width: int = 24) -> Tensor:
    """A smooth picture with noise, (1, C, height, width) float32 in [0, 1]: colour if it may be."""
    rows = torch.linspace(0, 3, height)[:, None]
    columns = torch.linspace(0, 5, width)
    channels = range(model.image_channels or 3)
    clean = torch.stack([torch.sin(rows + k + columns * (k + 1) / 2) for k in channels]) / 4 + 0.5
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    noisy = (clean + 25 / 255 * noise).clamp(0, 1).unsqueeze(0)
    return noisy.to(next(iter(model.parameters()), noisy).device)


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether values are equal to the bit, or both no numbers."""
    return torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def _furthest(one: Tensor, other: Tensor) -> float:
    return (one.float() - other.float()).abs().max().item()


def _said(error: Exception) -> str:
    if isinstance(error, RestorationError):
        return str(error)
    return f"{type(error).__name__}: {error}".partition("\n")[0]
