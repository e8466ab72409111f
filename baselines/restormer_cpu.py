"""Restormer's block in bands of a few rows, which stay in a CPU's cache from step to step.

Step by step over a whole map, as in `Block.forward`, every intermediate result would go to memory
and back, and those of the feed-forward network are five times as wide as the features.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from baselines.cpu import multiplied_in

if TYPE_CHECKING:
    from baselines.restormer import Attention, Block, ChannelNorm, FeedForward

BAND = 2**19  # numbers in a band of a wide intermediate result, a thread: 2 MB in fp32
LANES = 16  # depthwise convolutions of another number of channels take up to five times as long

Fill = Callable[[slice, Tensor], None]


def banded(block: "Block", features: Tensor) -> Tensor:
    """A block without gradients, (B, C, H, W) to the same."""
    restored = features.permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format)
    dtype = multiplied_in(features)
    with torch.autocast("cpu", enabled=False):
        for image in restored:
            attend(block.attn, block.norm1, image, dtype)
            feed(block.ffn, block.norm2, image, dtype)
    return restored.permute(0, 3, 1, 2)


def attend(attn: "Attention", norm: "ChannelNorm", image: Tensor, dtype: torch.dtype) -> None:
    """Add what a normalised (H, W, C) image attends to, in place."""
    channels, heads = image.shape[-1], len(attn.temperature)
    weight = attn.qkv.weight.flatten(1).to(dtype).T
    values = image.new_empty(image.shape, dtype=dtype)
    scores = image.new_zeros(heads, channels // heads, channels // heads)
    squares = image.new_zeros(2 * channels)

    def mix(rows: slice, out: Tensor) -> None:
        torch.mm(normalised(norm, image[rows], dtype), weight, out=out)

    for rows, qkv in blurred(image.shape, attn.qkv_dwconv.weight.to(dtype), mix):
        values[rows] = qkv[..., 2 * channels :]
        pixels = qkv.flatten(0, 1)
        query, key = (part.unflatten(1, (heads, -1)) for part in pixels.split(channels, 1)[:2])
        scores += query.permute(1, 2, 0) @ key.transpose(0, 1)
        squares += pixels[:, : 2 * channels].to(image.dtype).square().sum(0)
    query, key = squares.clamp_min(1e-24).sqrt().view(2, heads, -1)
    attention = (scores / query[:, :, None] / key[:, None] * attn.temperature).softmax(-1)
    projection = attn.project_out.weight.flatten(1).unflatten(1, (heads, -1))  # (C, heads, c)
    output = torch.einsum("ohc,hcd->hdo", projection, attention).flatten(0, 1).to(dtype)
    if dtype == image.dtype:
        image.flatten(0, 1).addmm_(values.flatten(0, 1), output)
    else:
        image += values @ output


def feed(ffn: "FeedForward", norm: "ChannelNorm", image: Tensor, dtype: torch.dtype) -> None:
    """Add what the feed-forward network makes of a normalised (H, W, C) image, in place."""
    hidden = ffn.project_out.in_channels
    wide = -(-hidden // LANES) * LANES
    weight = widened(ffn.project_in.weight.flatten(1), wide).to(dtype).T
    kernel = widened(ffn.dwconv.weight, wide).to(dtype)
    project = ffn.project_out.weight.flatten(1).to(dtype).T

    def mix(rows: slice, out: Tensor) -> None:
        torch.mm(normalised(norm, image[rows], dtype), weight, out=out)

    for rows, both in blurred(image.shape, kernel, mix):
        gate, value = both.flatten(0, 1).split(wide, 1)
        gated = functional.gelu(gate).mul_(value)[:, :hidden]
        if dtype == image.dtype:
            image[rows].flatten(0, 1).addmm_(gated, project)
        else:
            image[rows] += (gated @ project).view(image[rows].shape)


def widened(weight: Tensor, wide: int) -> Tensor:
    """(2 n, ...) to (2 wide, ...): after each half as many zeros as it lacks."""
    halves = weight.unflatten(0, (2, -1))
    if halves.shape[1] == wide:
        return weight
    widened = weight.new_zeros(2, wide, *weight.shape[1:])
    widened[:, : halves.shape[1]] = halves
    return widened.flatten(0, 1)


def normalised(norm: "ChannelNorm", rows: Tensor, dtype: torch.dtype) -> Tensor:
    """A layer norm of (n, W, C): (n * W, C)."""
    parameters, pixels = dict(norm.named_parameters()), rows.flatten(0, 1)
    weight, bias = parameters["body.weight"], parameters.get("body.bias")
    normed, mean, scale = torch.native_layer_norm(pixels, weight.shape, weight, bias, 1e-5)
    if bias is None:
        normed.addcmul_(mean * scale, weight)  # which keeps the mean
    return normed.to(dtype)


def blurred(shape: torch.Size, kernel: Tensor, fill: Fill) -> Iterator[tuple[slice, Tensor]]:
    """Bands of a map after a depthwise convolution, and which rows they are.

    Parameters
    ----------
    shape
        Of an image, (H, W, C).
    kernel
        (D, 1, 3, 3).
    fill
        Writes given rows of the map before the convolution as (n * W, D); it is asked for each row
        once, from the top down, and a row before the band in front of it is given out.
    """
    (height, width), channels = shape[:2], len(kernel)
    band = BAND * torch.get_num_threads()
    step = min(max(2, band // (width * channels)), height)
    buffer = kernel.new_empty(step + 2, width, channels)
    buffer[0] = 0
    for top in range(0, height, step):
        bottom = min(top + step, height)
        if top:
            buffer[:2] = buffer[step:]  # the last row of the band before, and the first of this
        new = slice(top + 1 if top else 0, min(bottom + 1, height))
        filled = buffer[new.start - top + 1 : new.stop - top + 1]
        if new.start < new.stop:
            fill(new, filled.flatten(0, 1))
        seen = buffer[: bottom - top + 2]
        if bottom == height:
            seen[-1] = 0
        padded = seen[None].permute(0, 3, 1, 2)  # in this order it is known as channels_last
        band = functional.conv2d(padded, kernel, padding=(0, 1), groups=channels)
        yield slice(top, bottom), band[0].permute(1, 2, 0)
