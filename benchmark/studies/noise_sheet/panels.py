"""The panels of a sheet's figure: a curve, a histogram or a matrix each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.reporting.figures.style import COLOURS
from benchmark.studies.noise_sheet.sheet import CHART, Measured, Sheet
from benchmark.studies.noise_sheet.spread import REACH
from benchmark.studies.noise_sheet.texts import at, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY = "0.3"
RAMP = (COLOURS[3], COLOURS[1], COLOURS[5], COLOURS[0])  # mild, cool to hard, warm


def colour_of(sheet: Sheet, level: Measured) -> tuple[float, ...]:
    """The colour of a level, RGBA: cool where it is mild, warm where it is hard."""
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list("mild to hard", RAMP)
    return ramp(sheet.levels.index(level) / max(1, len(sheet.levels) - 1))


def variance_panel(panel: Axes, sheet: Sheet) -> None:
    """Variance against intensity, as promised and as measured, a colour for each level."""
    styles = {
        "promised law": {"linestyle": "-", "linewidth": 1.5},
        "flat patches, unclipped": {"linestyle": "none", "marker": "o", "markersize": 4.5},
        "images, 8 bits": {"linestyle": "none", "marker": "x", "markersize": 3.5, "alpha": 0.7},
    }
    first = 0 if sheet.lawful else 2
    for level in sheet.levels:
        curves = [(CHART, level.promised), (CHART, level.charted), level.seen][first:]
        for (x, variance), style in zip(curves, [*styles.values()][first:], strict=True):
            panel.plot(x, 255**2 * variance, color=colour_of(sheet, level), **style)
    for name, style in [*styles.items()][first:]:
        panel.plot([], [], color=GREY, label=name, **style)
    _calm(panel, "variance against intensity")
    panel.set_xlabel("intensity", fontsize=8)
    panel.set_ylabel("variance, (8-bit steps)²", fontsize=8)
    panel.set_xlim(-0.02, 1.02)
    panel.set_ylim(0, max(panel.get_ylim()[1] * 1.15, 1))
    panel.legend(
        loc="upper left", ncols=3, fontsize=8, frameon=False, columnspacing=1.2, borderpad=0
    )


def histogram_panel(panel: Axes, sheet: Sheet) -> None:
    """The residual of the middle level, and the normal law of its mean and width."""
    spread = sheet.middle.spread
    centres, density = spread.histogram
    colour = colour_of(sheet, sheet.middle)
    highest = density.max() or 1.0  # 0 where every residual is out of the panel's range
    bottom = min(density[density > 0].min(initial=highest) / 2, highest / 300)
    panel.fill_between(centres, bottom, density, step="mid", color=colour, alpha=0.35, lw=0)
    if spread.std > 0:
        x = np.linspace(centres[0], centres[-1], 400)
        normal = np.exp(-0.5 * ((x - spread.bias) / spread.std) ** 2)
        panel.plot(x, normal / spread.std / np.sqrt(2 * np.pi), color="0.15", lw=1, ls="--")
    level = at(sheet, sheet.middle)
    _calm(panel, f"residual at {level}" if level else "residual")
    panel.set_yscale("log")
    panel.minorticks_off()
    panel.set_ylim(bottom, highest * 3)
    panel.set_xlim(centres[0], centres[-1])
    panel.set_xlabel("8-bit steps", fontsize=8)
    panel.set_ylabel("density", fontsize=8)


def psnr_panel(panel: Axes, sheet: Sheet) -> None:
    """PSNR of every noisy image and their mean, at each level."""
    places = range(len(sheet.levels))
    means = [level.psnr.mean() for level in sheet.levels]
    panel.plot(places, means, color="0.7", linewidth=1.2, zorder=1)
    for place, level in zip(places, sheet.levels, strict=True):
        colour = [colour_of(sheet, level)]
        panel.scatter([place] * len(level.psnr), level.psnr, s=9, c=colour, alpha=0.4, lw=0)
        panel.scatter([place], [level.psnr.mean()], s=30, c=colour, zorder=2)
    _calm(panel, "PSNR of the noisy images")
    labels = [f"{level.level:g}" if at(sheet, level) else "" for level in sheet.levels]
    panel.set_xticks(places, labels)
    panel.set_xlim(-0.4, len(sheet.levels) - 0.6)
    panel.margins(y=0.15)
    panel.set_xlabel("level" if any(labels) else "", fontsize=8)
    panel.set_ylabel("dB", fontsize=8)


def correlation_panel(panel: Axes, bar: Axes, sheet: Sheet) -> None:
    """The residual's autocorrelation at the middle level, and ``bar``, its colours."""
    correlation = sheet.middle.spread.correlation.copy()
    correlation[REACH, REACH] = np.nan  # always 1, and drawn black
    others = np.abs(correlation[np.isfinite(correlation)])
    limit = np.clip(np.ceil(10 * others.max(initial=0)) / 10, 0.1, 1)
    panel.set_facecolor("black" if len(others) else "0.9")
    reach = REACH + 0.5
    image = panel.imshow(
        correlation, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=(-reach, reach, reach, -reach)
    )
    panel.set_title("autocorrelation", fontsize=10, fontweight="bold")
    panel.set_xticks([-5, 0, 5])
    panel.set_yticks([-5, 0, 5])
    panel.tick_params(labelsize=8)
    row, column, diagonal = (number(value, 2) for value in sheet.middle.spread.neighbours)
    label = f"lag, in pixels\nnext: → {row}  ↓ {column}  ↘ {diagonal}"
    panel.set_xlabel(label, fontsize=8)
    panel.figure.colorbar(image, cax=bar, ticks=[-limit, 0, limit])
    bar.tick_params(labelsize=8)
    bar.spines[:].set_visible(False)


def channel_panel(panel: Axes, sheet: Sheet) -> None:
    """How far the residuals of R, G and B go together at the middle level."""
    channels = sheet.middle.spread.channels
    panel.imshow(np.where(np.eye(3), 0, channels), cmap="RdBu_r", vmin=-1, vmax=1)
    for row, column in np.ndindex(3, 3):
        value = float(channels[row, column])
        colour = "white" if row != column and abs(value) > 0.6 else "black"
        panel.text(
            column, row, number(value, 2), fontsize=9, color=colour, ha="center", va="center"
        )
    panel.set_title("correlation of channels", fontsize=10, fontweight="bold")
    panel.set_xticks(range(3), list("RGB"))
    panel.set_yticks(range(3), list("RGB"))
    panel.tick_params(labelsize=8, length=0)


def _calm(panel: Axes, title: str) -> None:
    panel.set_title(title, fontsize=10, fontweight="bold")
    panel.grid(True, color="0.9", linewidth=0.7)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)
