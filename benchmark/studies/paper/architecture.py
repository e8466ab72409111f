"""Figure 4: the masked network as it is at one size, drawn from its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.reporting.figures.style import SIZES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MASK, PLAIN, GROUP = "#F3C9BD", "#F2F2F2", "#D9E4F1"
EDGE = "0.35"
HIGH = 4.3  # inches
GAP = 0.22  # between two boxes, in inches
CONVS = {"1conv": "conv 3×3", "3conv": "convs 3×3, 1×1, 3×3,\nin a quarter of channels"}


@dataclass(frozen=True)
class Architecture:
    """What the figure shows.

    Parameters
    ----------
    embed_dim, depths, num_heads, window_size, mlp_ratio, resi_connection
        As `baselines.swinir.SwinIR` has them.
    input_ratio, attention_ratio
        Lowest and highest percentage of what is hidden.
    parameters
        How many numbers are trained.
    """

    embed_dim: int
    depths: tuple[int, ...]
    num_heads: int
    window_size: int
    mlp_ratio: float
    resi_connection: str
    input_ratio: tuple[int, int]
    attention_ratio: tuple[int, int]
    parameters: int

    @classmethod
    def of(cls, settings: Mapping[str, Any], parameters: int) -> Architecture:
        """From the settings of a network, of which there may be more."""
        names = [name for name in cls.__dataclass_fields__ if name != "parameters"]
        found = {name: settings[name] for name in names}
        lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
        return cls(**{**found, **lists}, parameters=parameters)


@dataclass(frozen=True)
class Box:
    """A step of the network: its words, its width in inches and its colour."""

    text: str
    width: float
    colour: str = PLAIN


def architecture_figure(of: Architecture) -> Figure:
    """The network above, one of its Swin blocks below; what masks is red."""
    from matplotlib.figure import Figure

    size, channels = SIZES[0], of.embed_dim
    figure = Figure(figsize=(size.width, HIGH))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, size.width)
    axes.set_ylim(0, HIGH)
    axes.set_axis_off()
    conv = CONVS[of.resi_connection]
    same = len({*of.depths}) == 1
    groups = [
        Box(f"group {place}: {depth} blocks,\nconv, shortcut", 0.5, GROUP)
        for place, depth in enumerate(of.depths, 1)
    ]
    above = [
        Box("noisy image, 3 channels", 0.42, "white"),
        Box(f"input mask:\n{_range(of.input_ratio)} of pixels,\nin training only", 0.72, MASK),
        Box(f"conv 1×1, 3 to {channels} channels", 0.42),
        Box("layer norm", 0.42),
        *groups,
        Box("layer norm", 0.42),
        Box(conv, 0.62 if "\n" in conv else 0.42),
        Box(f"conv 3×3, {channels} to 3 channels", 0.42),
        Box("restored image", 0.42, "white"),
    ]
    hidden, side = round(channels * of.mlp_ratio), of.window_size
    tokens = f"attention mask:\n{_range(of.attention_ratio)} of tokens,\nin testing too"
    heads = f"{of.num_heads} heads of {channels // of.num_heads} channels"
    windows = f"attention in windows\nof {side}×{side}, every second\nblock shifted,\n{heads}"
    below = [
        Box("tokens", 0.42, "white"),
        Box("layer norm", 0.42),
        Box(tokens, 0.82, MASK),
        Box(windows, 0.92),
        Box("+", 0.28, "white"),
        Box("layer norm", 0.42),
        Box(f"MLP, {channels} to {hidden}\nto {channels} channels", 0.62),
        Box("+", 0.28, "white"),
        Box("tokens", 0.42, "white"),
    ]
    depth = f"{of.depths[0]} in each group" if same else "in all groups"
    title = {"fontsize": size.large, "fontweight": "bold", "va": "center"}
    axes.text(0.15, HIGH - 0.18, f"The network: {of.parameters:,} parameters", **title)
    axes.text(0.15, HIGH - 2.28, f"A Swin block, {depth}", **title)
    _row(axes, above, HIGH - 1.22, 1.72)
    places = _row(axes, below, HIGH - 3.38, 1.5)
    _shortcut(axes, places[0], places[4], HIGH - 3.38 - 0.75)
    _shortcut(axes, places[4], places[7], HIGH - 3.38 - 0.75)
    return figure


def _range(ratio: tuple[int, int]) -> str:
    low, high = ratio
    return f"{low} %" if low == high else f"{low} to {high} %"


def _row(axes: Axes, boxes: Sequence[Box], middle: float, high: float) -> list[float]:
    """Boxes beside each other, joined by arrows; the middle of each."""
    from matplotlib.patches import FancyBboxPatch

    places, left = [], 0.15
    for box in boxes:
        height = 0.28 if box.text == "+" else high
        patch = FancyBboxPatch(
            (left, middle - height / 2),
            box.width,
            height,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=box.colour,
            edgecolor=EDGE,
            linewidth=0.8,
        )
        axes.add_patch(patch)
        centre = left + box.width / 2
        rotation = 0 if box.text == "+" else 90
        words = {"ha": "center", "va": "center", "rotation": rotation, "fontsize": SIZES[0].small}
        axes.text(centre, middle, box.text, **words)
        if places:
            _arrow(axes, (left - GAP, middle), (left, middle))
        places.append(centre)
        left += box.width + GAP
    return places


def _shortcut(axes: Axes, start: float, end: float, bottom: float) -> None:
    """A line below the boxes, from one to a sum."""
    low, middle = bottom - 0.1, bottom + 0.75
    line = {"color": EDGE, "linewidth": 0.8}
    inside = 0.06 if start > 2 else 0.0  # two lines at one sum stand apart
    axes.plot([start + inside] * 2, [bottom if not inside else middle - 0.14, low], **line)
    axes.plot([start + inside, end - 0.06], [low, low], **line)
    _arrow(axes, (end - 0.06, low), (end - 0.06, middle - 0.13))


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "-|>", "color": EDGE, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=arrow)
