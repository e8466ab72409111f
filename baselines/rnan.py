"""RNAN, residual groups with local and non-local attention, at the size of its colour denoiser.

Zhang et al., "Residual Non-local Attention Networks for Image Restoration", ICLR 2019,
https://arxiv.org/abs/1903.10082. Written anew; structure and the names of the state dict are
those of https://github.com/yulunzhang/RNAN, folder DN_RGB.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from baselines.fused import FusedSequential
from benchmark.denoiser import DENOISERS, Denoiser, pad_to_multiple

TILE = 1024  # queries and keys of one tile of logits: 4 MB, so that its steps stay in a cache
TRAINED_KEYS = 128  # at once where there are gradients: 2 MB of weights for the pixels of 64x64
CHOP_PIXELS = 10_000  # the published test code splits patches until they are smaller
CHOP_STEP, CHOP_MARGIN = 4, 12  # its patches: half a side, down to a multiple of 4, plus 12


def attend_over_keys(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention as the paper has it, each query's weights summing to 1: (B, N, C) to the same."""
    query, key, value = (part[:, None] for part in (query, key, value))  # torch fuses four axes
    return functional.scaled_dot_product_attention(query, key, value, scale=1.0)[:, 0]


def attend_over_queries(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention as the published code has it, each key's weights summing to 1.

    Exact, and on a CPU in memory that grows with N only. Without gradients the (N, N) weights
    exist one tile at a time, a first time for their sums and a second time for the output; with
    gradients they exist for some keys at a time, and again on the way back.

    Parameters
    ----------
    query, key, value
        (B, N, C).

    Returns
    -------
    Tensor
        (B, N, C).
    """
    if any(part.requires_grad for part in (query, key, value)):
        # channels as rows and pixels as columns: two thirds of the time of the other way round
        rows = [part.transpose(1, 2).contiguous() for part in (query, key, value)]
        if query.device.type != "cpu":
            return _of_keys(*rows).transpose(1, 2)
        images = [_with_gradients(*image) for image in zip(*rows, strict=True)]
        return torch.stack(images).transpose(1, 2)
    key = key * math.log2(math.e)  # torch's exp2 takes half as long as its exp
    return torch.stack([_tiled(*image) for image in zip(query, key, value, strict=True)])


def _of_keys(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What some keys bring to all queries: (..., C, N), (..., C, n) and (..., C, n)."""
    weights = (key.transpose(-1, -2) @ query).softmax(-1)  # (..., keys, queries)
    return value @ weights


def _with_gradients(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(C, N) each; half the time of all keys at once, whose weights pass through memory."""
    attended = torch.zeros_like(query)
    keys = zip(key.split(TRAINED_KEYS, -1), value.split(TRAINED_KEYS, -1), strict=True)
    for some, theirs in keys:
        attended = attended + checkpoint(
            _of_keys, query, some, theirs, use_reentrant=False, preserve_rng_state=False
        )
    return attended


def _tiled(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(N, C) each; the logits are those of powers of 2."""
    room = query.new_empty(TILE, TILE)  # for one tile; new memory for each takes a tenth longer
    sums = [_log2_sums(query, keys, room) for keys in key.split(TILE)]
    tiles = list(zip(key.split(TILE), value.split(TILE), sums, strict=True))
    attended = torch.zeros_like(query)
    for queries, out in zip(query.split(TILE), attended.split(TILE), strict=True):
        for keys, values, total in tiles:
            tile = room[: len(queries), : len(keys)]
            out.addmm_(torch.addmm(-total, queries, keys.T, out=tile).exp2_(), values)
    return attended


def _log2_sums(query: Tensor, keys: Tensor, room: Tensor) -> Tensor:
    """For (N, C) and (n, C), the logarithm of each key's sum over all queries: (n,)."""
    largest = keys.new_full((len(keys), 1), -torch.inf)
    total = torch.zeros_like(largest)  # in units of 2 ** largest, which alone could overflow
    for queries in query.split(TILE):
        logits = torch.mm(keys, queries.T, out=room[: len(keys), : len(queries)])
        before, largest = largest, torch.maximum(largest, logits.amax(1, keepdim=True))
        total *= (before - largest).exp2_()
        total += logits.sub_(largest).exp2_().sum(1, keepdim=True)
    return (largest + total.log2_()).squeeze(1)


ATTENTIONS = {"queries": attend_over_queries, "keys": attend_over_keys}


class NonLocalBlock(nn.Module):
    """Attention between all pixels, embedded in half of the channels; plus its input."""

    def __init__(self, width: int, softmax: str):
        super().__init__()
        self.attend = ATTENTIONS[softmax]
        self.g = nn.Conv2d(width, width // 2, 1)
        self.W = nn.Conv2d(width // 2, width, 1)
        for parameter in self.W.parameters():
            nn.init.zeros_(parameter)  # so that training starts from the input alone
        self.theta = nn.Conv2d(width, width // 2, 1)
        self.phi = nn.Conv2d(width, width // 2, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        query, key, value = (
            embed(features).flatten(2).transpose(1, 2).contiguous()  # (B, N, C / 2)
            for embed in (self.theta, self.phi, self.g)
        )
        attended = self.attend(query, key, value).unflatten(1, features.shape[2:])
        return features + self.W(attended.permute(0, 3, 1, 2))


class ResBlock(nn.Module):
    """Two convolutions plus their input."""

    def __init__(self, width: int):
        super().__init__()
        self.body = FusedSequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return features + self.body(features)


class MaskBranch(nn.Module):
    """How much of every feature to keep, in [0, 1], seen at half the resolution as well."""

    def __init__(self, width: int, non_local: tuple[NonLocalBlock, ...]):
        super().__init__()
        self.MB_RB1 = nn.Sequential(*non_local, ResBlock(width))
        self.MB_Down = nn.Sequential(nn.Conv2d(width, width, 3, stride=2, padding=1))
        self.MB_RB2 = nn.Sequential(ResBlock(width), ResBlock(width))
        self.MB_Up = nn.Sequential(nn.ConvTranspose2d(width, width, 6, stride=2, padding=2))
        self.MB_RB3 = nn.Sequential(ResBlock(width))
        self.MB_1x1conv = nn.Sequential(nn.Conv2d(width, width, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same, for even H and W."""
        fine = self.MB_RB1(features)
        coarse = self.MB_Up(self.MB_RB2(self.MB_Down(fine)))
        return self.MB_1x1conv(self.MB_RB3(fine + coarse)).sigmoid()


class AttentionModule(nn.Module):
    """A trunk weighed by a mask, between residual blocks."""

    def __init__(self, width: int, non_local: tuple[NonLocalBlock, ...]):
        super().__init__()
        self.RA_RB1 = nn.Sequential(ResBlock(width))
        trunk = nn.Sequential(ResBlock(width), ResBlock(width))
        self.RA_TB = nn.Sequential(nn.Sequential(OrderedDict(body=trunk)))
        self.RA_MB = nn.Sequential(MaskBranch(width, non_local))
        self.RA_tail = nn.Sequential(ResBlock(width), ResBlock(width))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same, for even H and W."""
        features = self.RA_RB1(features)
        return self.RA_tail(self.RA_TB(features) * self.RA_MB(features) + features)


def group(width: int, *non_local: NonLocalBlock) -> nn.Module:
    """An attention module and a convolution, without a shortcut around both."""
    conv = nn.Conv2d(width, width, 3, padding=1)
    body = nn.Sequential(AttentionModule(width, non_local), conv)
    return nn.Sequential(OrderedDict(body=body))


@DENOISERS.register("rnan")
class RNAN(Denoiser):
    """RNAN for colour images [1]_.

    Without gradients its non-local attention is exact for the whole image, in memory that grows
    with the number of pixels and time that grows with its square.

    Parameters
    ----------
    groups
        Residual attention groups; the first and the last are non-local.
    width
        Channels between the convolutions; the non-local blocks embed in half of them.
    softmax
        What attention weights are normalised over: ``"queries"``, as in the published code and
        for its weights, or ``"keys"``, as in the paper's formula.
    rgb_range
        The value of white inside the network; the authors' code and weights take 255.
    chop
        Whether ``denoise`` restores overlapping patches of less than 10,000 pixels each, as the
        published test code does, so that pixels attend to their patch alone.

    Raises
    ------
    ValueError
        If there are fewer than two groups or channels, or ``softmax`` is unknown.

    References
    ----------
    .. [1] Zhang et al., "Residual Non-local Attention Networks for Image Restoration", ICLR 2019.
    """

    cites = ("zhang2019rnan",)
    learned = True
    image_channels = 3
    sizes = {
        "tiny": {"groups": 5, "width": 10},
        "small": {"groups": 6, "width": 15},
        "s": {"width": 32},
    }
    test_time = ("chop",)

    def __init__(
        self,
        *,
        groups: int = 10,
        width: int = 64,
        softmax: str = "queries",
        rgb_range: float = 1.0,
        chop: bool = False,
    ):
        super().__init__()
        if groups < 2 or width < 2:
            raise ValueError(
                f"{self.name} needs 2 or more groups and channels, "
                f"got groups={groups} and width={width}"
            )
        if softmax not in ATTENTIONS:
            raise ValueError(
                f"unknown softmax '{softmax}' of {self.name}; "
                f"choose one of: {', '.join(ATTENTIONS)}"
            )
        self.rgb_range = rgb_range
        self.chop = chop
        self.head = nn.Sequential(nn.Conv2d(3, width, 3, padding=1))
        self.body_nl_low = nn.Sequential(group(width, NonLocalBlock(width, softmax)))
        self.body = nn.Sequential(*(group(width) for _ in range(groups - 2)))
        self.body.append(nn.Conv2d(width, width, 3, padding=1))
        self.body_nl_high = nn.Sequential(group(width, NonLocalBlock(width, softmax)))
        self.tail = nn.Sequential(nn.Conv2d(width, 3, 3, padding=1))

    @classmethod
    def arguments_of(cls, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
        """``width`` and ``groups``, and the authors' ``rgb_range``."""
        convs = (key for key in shapes if key.endswith(".body.1.weight"))  # one ends each group
        local = sum(key.startswith("body.") for key in convs)
        found: dict[str, object] = {"groups": 2 + local, "rgb_range": 255.0}
        if "head.0.weight" in shapes:
            found["width"] = shapes["head.0.weight"][0]
        return found

    def analysed_layers(self) -> list[str]:
        """The first convolution, the two parts of each group, and the one between the groups."""
        last = len(self.body) - 1
        groups = ["body_nl_low.0", *(f"body.{place}" for place in range(last))]
        parts = [f"{group}.body.{part}" for group in groups for part in (0, 1)]
        high = [f"body_nl_high.0.body.{part}" for part in (0, 1)]
        return ["head", *parts, f"body.{last}", *high]

    def forward(self, noisy: Tensor) -> Tensor:
        """(B, 3, H, W) around [0, 1] to the same, not clamped.

        Padding to an even height and width reflects at the right and lower edge and is cropped
        away again.
        """
        height, width = noisy.shape[-2:]
        image = pad_to_multiple(noisy * self.rgb_range, 2)
        # at 500x500 on a CPU, convolutions take a fifth less time with channels last
        features = self.head(image.contiguous(memory_format=torch.channels_last))
        features = self.body_nl_high(self.body(self.body_nl_low(features)))
        return noisy + self.tail(features)[..., :height, :width] / self.rgb_range

    def exported(self) -> nn.Module:
        raise ValueError(
            "its attention between all pixels would take memory that grows with the square of "
            "their number"
        )

    def restore(self, noisy: Tensor) -> Tensor:
        """The whole image at once, or patch by patch if ``chop`` is on."""
        return self.chopped(noisy) if self.chop else self(noisy)

    def chopped(self, noisy: Tensor) -> Tensor:
        """Restore (B, 3, H, W) in four overlapping patches, and a large patch in the same way.

        Each quarter of the output comes from one patch. An image too small for four patches is
        seen whole by all of them, where the published code fails.
        """
        rows, columns = (overlapping_halves(length) for length in noisy.shape[-2:])
        restored = torch.empty_like(noisy)
        for (seen_rows, own_rows, kept_rows), (seen, own, kept) in product(rows, columns):
            patch = noisy[..., seen_rows, seen]
            small = patch.shape[-2] * patch.shape[-1] < CHOP_PIXELS
            whole = self(patch) if small else self.chopped(patch)
            restored[..., own_rows, own] = whole[..., kept_rows, kept]
        return restored


def overlapping_halves(length: int) -> list[tuple[slice, slice, slice]]:
    """For each half of an axis: what its patch sees, the half, and its place in the patch."""
    half = length // 2
    size = min(length, half // CHOP_STEP * CHOP_STEP + CHOP_MARGIN)
    return [
        (slice(size), slice(half), slice(half)),
        (slice(length - size, length), slice(half, length), slice(half - length, None)),
    ]
