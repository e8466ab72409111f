"""An image restored in overlapping tiles which fade into each other."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from benchmark.environment.queue import to_device

OVERLAP = 32  # pixels which neighbouring tiles share at least
MARGIN = 8  # pixels at a tile's inner borders without weight: nearly all of the error is there
GRID = 8  # tiles start on its multiples, so that windows and pooled cells lie as in the whole image


def tile_step(multiple: int) -> int:
    """What the side of a tile is a multiple of, for a model which needs this ``multiple``."""
    return math.lcm(GRID, multiple)


def least_tile(multiple: int) -> int:
    """The smallest side of a tile: half of it is overlap."""
    return 2 * _overlap(tile_step(multiple))


def check_tile(side: int, multiple: int = 1) -> None:
    """Raise ``ValueError`` unless tiles of this side can be cut for a model with ``multiple``."""
    step, least = tile_step(multiple), least_tile(multiple)
    if side < least or side % step:
        nearest = max(least, round(side / step) * step)
        raise ValueError(
            f"tile={side} should be a multiple of {step}, and {least} or more; take tile={nearest}"
        )


def in_tiles(
    restore: Callable[[Tensor], Tensor], image: Tensor, side: int, multiple: int = 1
) -> Tensor:
    """Restore (B, C, H, W) tile by tile: the weighted mean of all tiles that hold a pixel.

    Tiles are squares, cut off where the image is smaller, and lie evenly. From one to the next the
    weights change linearly; at the borders of the image they do not fade.

    Parameters
    ----------
    restore
        Maps a tile to one of the same shape.
    side
        Of a tile, in pixels; see `check_tile`.
    multiple
        What H and W are multiples of; those of every tile are, too.
    """
    step = tile_step(multiple)
    down, across = (tile_starts(length, side, step) for length in image.shape[-2:])
    rows, columns = (
        to_device(tile_weights(length, side, starts), image.device)
        for length, starts in zip(image.shape[-2:], (down, across), strict=True)
    )
    restored = torch.zeros_like(image)
    for top, row in zip(down, rows, strict=True):
        for left, column in zip(across, columns, strict=True):
            tall, wide = slice(top, top + side), slice(left, left + side)
            tile = restore(image[..., tall, wide].contiguous())
            restored[..., tall, wide] += row[tall, None] * column[wide] * tile
    return restored


def tile_starts(length: int, side: int, step: int) -> list[int]:
    """Where the tiles along one axis begin: on multiples of ``step``, as few and even as can be."""
    last = _up(max(length - side, 0), step)
    gaps = math.ceil(last / (side - _overlap(step)))
    return [step * (number * (last // step) // gaps) for number in range(gaps)] + [last]


def tile_weights(length: int, side: int, starts: list[int]) -> Tensor:
    """(tiles, length) float32: the weights of tiles along one axis, of sum 1 at every pixel.

    A tile's weight grows linearly from `MARGIN` pixels away from its borders inside the image.
    """
    pixels = torch.arange(length)
    tents = torch.full((len(starts), length), length)
    for number, start in enumerate(starts):
        if number > 0:
            tents[number] = pixels - start + 1 - MARGIN
        if number < len(starts) - 1:
            tents[number] = torch.minimum(tents[number], start + side - pixels - MARGIN)
    tents = tents.clamp(min=0)
    return tents / tents.sum(0)


def tiled_share(height: int, width: int, side: int, multiple: int = 1) -> float:
    """How many pixels all tiles have, relative to the image: the cost of the overlap."""
    step, share = tile_step(multiple), 1.0
    for length in (_up(height, multiple), _up(width, multiple)):
        starts = tile_starts(length, side, step)
        share *= sum(min(side, length - start) for start in starts) / length
    return share


def _overlap(step: int) -> int:
    return _up(OVERLAP, step)


def _up(number: int, step: int) -> int:
    """The next multiple of ``step``."""
    return math.ceil(number / step) * step
