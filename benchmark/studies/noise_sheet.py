"""A noise's data sheet: one page of figures and one of numbers. matplotlib is imported to draw."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.datasets import Dataset, Recorded
from benchmark.files.whole import file_name, write_whole
from benchmark.noise import NoiseModel
from benchmark.pixels import central
from benchmark.registry import summary
from benchmark.reporting.figures import COLOURS, WIDTH
from benchmark.reporting.tables import ABSENT, Table
from benchmark.studies.noise_measures import (
    CHART,
    PATCH,
    PATCHES,
    REACH,
    Measured,
    Picture,
    Sheet,
    measure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 120
ZOOM = 3  # dots a pixel of a picture: noise is seen one pixel at a time
EDGE, GAP = 0.1, 0.05  # inches around and between pictures
SHOWN = 5  # levels with pictures of their own
COLUMNS = 6  # of pictures
GREY = "0.3"
RAMP = (COLOURS[3], COLOURS[1], COLOURS[5], COLOURS[0])  # mild, cool to hard, warm
CAVEAT = COLOURS[5]
TITLE = 50  # characters of a title in full size
HEADER_LINE = 0.18  # inches between lines under the title
LINE = 118  # characters of such a line
CAPTION = 148  # characters of a line at the foot
FEWEST_COLUMNS = 4  # pictures get no larger where there are fewer

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)  # a heading of numpydoc


def write_sheet(
    name: str,
    subject: NoiseModel | Recorded,
    dataset: Dataset | None,
    out: Path,
    command: str,
    seed: int = 0,
) -> Sheet:
    """Measure a noise and write ``NAME.png`` and ``NAME.md``: the same bytes for the same input.

    Parameters
    ----------
    dataset
        The clean images; recorded noise brings its own.
    command
        What the page says it was made with.

    Raises
    ------
    ValueError
        As `benchmark.studies.noise_measures.measure` does.
    """
    sheet = measure(name, subject, dataset, seed)
    write_whole(out / f"{file_name(name)}.md", page(sheet, command))
    write_whole(out / f"{file_name(name)}.png", _png(draw(sheet)))
    return sheet


def _png(figure: Figure) -> bytes:
    """A figure without transparency, which would cost a tenth of the file, and without a date."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    content = BytesIO()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    Image.fromarray(pixels).save(content, format="png", optimize=True)
    return content.getvalue()


def write_index(sheets: Iterable[Sheet], out: Path, command: str) -> Path:
    """Write ``README.md``, the table of all sheets in a folder."""
    path = out / "README.md"
    write_whole(path, index_page(sheets, command))
    return path


def page(sheet: Sheet, command: str) -> str:
    """A sheet as Markdown: what the noise is, its picture, its numbers, where they come from."""
    about, *sections = _docstring(sheet.kind)
    first, _, rest = about.partition("\n\n")
    settings = ", ".join(f"`{key}={value}`" for key, value in sheet.settings.items()) or "none"
    levels = "Levels, mild to hard: " + ", ".join(f"{level.level:g}" for level in sheet.levels)
    unit = f" ({sheet.unit})" if sheet.unit else ""
    said = f"{levels}{unit}. " if _at(sheet, sheet.middle) else ""
    paragraphs = [
        f"# {sheet.name}",
        first,
        *([f"> **Note:** {_sentence(sheet.note)}"] if sheet.note else []),
        f"{said}Settings: {settings}.",
        f"![crops, variance, residual, correlations and PSNR]({file_name(sheet.name)}.png)",
        "## Measured",
        _numbers(sheet),
        " ".join(_explanations(sheet)),
        "## Described",
        *([rest] if rest else []),
        *sections,
        f"Made with `{command}`.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def index_page(sheets: Iterable[Sheet], command: str) -> str:
    """The table of all sheets: a line for each noise, with a link to its page."""
    headings = ["noise", "unit", "levels", "PSNR, dB", "law", "kurtosis", "neighbours", "note"]
    lines = []
    for sheet in sheets:
        first, last = sheet.levels[0], sheet.levels[-1]
        psnr = [f"{measured.psnr.mean():.2f}" for measured in (first, last)]
        spread = sheet.middle.spread
        lines.append(
            [
                f"[{sheet.name}]({file_name(sheet.name)}.md)",
                sheet.unit or ABSENT,
                " ".join(f"{measured.level:g}" for measured in sheet.levels),
                " to ".join(dict.fromkeys(psnr)),
                _deviation(sheet.middle) if sheet.lawful else "none",
                _number(spread.kurtosis, 2),
                _number(float(np.mean(spread.neighbours[:2])), 2),
                _sentence(sheet.note) if sheet.note else ABSENT,
            ]
        )
    said = (
        "Levels run from mild to hard; PSNR is the mean over the images at the first and the last. "
        "At the middle level: by how much the measured variance differs from the promised law; the "
        "excess kurtosis of the residual (0 for a normal law); its correlation with the next pixel "
        "in the row and in the column, averaged."
    )
    table = Table(headings, lines, left=("noise", "unit", "levels", "note"))
    return (
        "\n\n".join(["# Noises", table.markdown(padded=False), said, f"Made with `{command}`."])
        + "\n"
    )


def _numbers(sheet: Sheet) -> str:
    headings = ["level", "PSNR, dB", "SSIM", "std", "bias", "skewness", "kurtosis"]
    headings += ["row", "column", "diagonal", "channels"]
    lines = []
    for measured in sheet.levels:
        spread = measured.spread
        lines.append(
            [
                f"{measured.level:g}",
                _number(measured.psnr.mean(), 2),
                _number(measured.ssim.mean(), 4),
                *(_number(value, 2) for value in (spread.std, spread.bias)),
                *(_number(value, 2) for value in (spread.skewness, spread.kurtosis)),
                *(_number(value, 3) for value in spread.neighbours),
                _number(spread.between_channels, 3),
                *([_deviation(measured)] if sheet.lawful else []),
            ]
        )
    table = Table(headings + ["variance - law"] * sheet.lawful, lines)
    return table.markdown(padded=False)


def _explanations(sheet: Sheet) -> Iterator[str]:
    count = len(sheet.images)
    seed = "" if sheet.seed is None else f", seed {sheet.seed}"
    yield (
        f"PSNR and SSIM: mean over {count} image{'s' * (count != 1)} of `{sheet.dataset}`, clipped "
        f"and rounded to 8 bits, a border of {sheet.border} px left out{seed}."
    )
    yield (
        f"The other columns: {_origin(sheet)}; standard deviation and bias, the mean, in 8-bit "
        f"steps; kurtosis is the excess, 0 for a normal law; correlation with the next pixel in "
        f"the row, in the column and diagonally, and of two channels."
    )
    if sheet.lawful:
        yield (
            f"Variance - law: by how much the variance of flat patches differs from the promised "
            f"one, mean over {len(CHART)} intensities from 0 to 1 and its standard error."
        )
    else:
        yield "This noise promises no closed law of its variance, so it is only measured."


def _origin(sheet: Sheet) -> str:
    if sheet.lawful:
        return f"unclipped noise on {PATCHES} mid-grey patches of {PATCH}x{PATCH} pixels"
    return f"the 8-bit residual of the images of `{sheet.dataset}`"


def _docstring(kind: type) -> list[str]:
    """A class's description, then its parameters and references, as paragraphs of Markdown."""
    about, *rest = SECTION.split(inspect.cleandoc(kind.__doc__ or ""))
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    found = [about.strip()]
    if "Parameters" in sections:
        blocks = re.split(r"\n(?=\S)", sections["Parameters"].strip())
        items = (block.partition("\n") for block in blocks)
        found.append("\n".join(f"- `{name}`: {_joined(text)}" for name, _, text in items))
    if "References" in sections:
        _, *entries = re.split(r"^\.\. \[(\d+)\]", sections["References"], flags=re.MULTILINE)
        pairs = zip(entries[::2], entries[1::2], strict=True)
        found.append("\n".join(f"{number}. {_joined(text)}" for number, text in pairs))
    return [text.replace("``", "`").replace("]_", "]") for text in found]


def _joined(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _number(value: float, digits: int) -> str:
    """A number, or a dash for NaN; -0.00 is 0.00."""
    return f"{round(value, digits) + 0.0:.{digits}f}" if np.isfinite(value) else ABSENT


def _deviation(measured: Measured) -> str:
    percent, error = measured.deviation
    shown = round(percent, 1) + 0.0  # no -0.0
    return f"{shown:+.1f} ± {error:.1f} %" if np.isfinite(percent) else ABSENT


def draw(sheet: Sheet) -> Figure:
    """The sheet as one figure: crops on top, five panels below."""
    from matplotlib.figure import Figure

    header = _header(sheet)
    columns = _columns(sheet)
    side = _side(len(columns))
    rows = 3 if any(picture.redeveloped for picture, _ in columns) else 2
    below_title = 0.55 + HEADER_LINE * len(header)
    below_pictures = below_title + 0.3 + rows * (side + GAP)
    height = below_pictures + 6.1
    figure = Figure(figsize=(WIDTH, height))

    def place(left: float, top: float, width: float, tall: float) -> Axes:
        box = (left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height)
        return figure.add_axes(box)

    size = min(17, 17 * TITLE / len(sheet.name))
    name = {"fontsize": size, "fontweight": "bold", "parse_math": False}
    figure.text(EDGE / WIDTH, 1 - 0.36 / height, sheet.name, **name)
    for number, (line, colour) in enumerate(header):
        y = 1 - (0.62 + number * HEADER_LINE) / height
        figure.text(EDGE / WIDTH, y, line, fontsize=9, color=colour, parse_math=False)
    for number, (picture, level) in enumerate(columns):
        left = EDGE + number * (side + GAP)
        tops = [below_title + 0.3 + row * (side + GAP) for row in range(rows)]
        axes = [place(left, top, side, side) for top in tops]
        _picture_column(axes, sheet, picture, level, round(side * DOTS_PER_INCH / ZOOM))
    top = below_pictures + 0.45
    _variance_panel(place(0.72, top, 4.45, 2.1), sheet)
    _histogram_panel(place(6.05, top, 2.8, 2.1), sheet)
    top += 2.1 + 0.95
    _psnr_panel(place(0.72, top, 2.5, 1.4), sheet)
    _correlation_panel(place(4.1, top, 1.4, 1.4), place(5.58, top, 0.09, 1.4), sheet)
    _channel_panel(place(6.9, top, 1.4, 1.4), sheet)
    figure.text(EDGE / WIDTH, 0.1 / height, _caption(sheet), fontsize=7.5, color=GREY)
    return figure


def _header(sheet: Sheet) -> list[tuple[str, str]]:
    """The lines under the title, each with its colour: what it is, and its caveat."""
    lines = [(line, GREY) for line in textwrap.wrap(summary(sheet.kind), LINE)]
    if sheet.note:
        lines += [(line, CAVEAT) for line in textwrap.wrap(f"Note: {_sentence(sheet.note)}", LINE)]
    return lines


def _caption(sheet: Sheet) -> str:
    shown = ", ".join(dict.fromkeys(picture.image for picture, _ in _columns(sheet)))
    at = f" at {_at(sheet, sheet.middle)}" if _at(sheet, sheet.middle) else ""
    said = [
        f"Pictures: the middle of {shown} ({sheet.dataset}). "
        f"PSNR: each of {len(sheet.images)} images and their mean. "
        f"Images are clipped and rounded to 8 bits.",
        f"Residual and correlations{at}: {_origin(sheet)}. Dashed: normal law. "
        + ("" if sheet.lawful else "No closed law of the variance is promised."),
    ]
    lines = [line for text in said for line in textwrap.wrap(text.replace("`", ""), CAPTION)]
    return "\n".join(lines)


def _columns(sheet: Sheet) -> list[tuple[Picture, Measured | None]]:
    """Each image clean, then at its levels; several images where levels are few."""
    last = len(sheet.levels) - 1
    chosen = dict.fromkeys(round(i) for i in np.linspace(0, last, min(last + 1, SHOWN)))
    levels = [None, *(sheet.levels[index] for index in chosen)]
    pictures = sheet.pictures[: max(1, COLUMNS // len(levels))]
    return [(picture, level) for picture in pictures for level in levels]


def _side(columns: int) -> float:
    """Inches of a picture: a whole number of its pixels, each ``ZOOM`` dots wide."""
    room = (WIDTH - 2 * EDGE + GAP) / max(columns, FEWEST_COLUMNS) - GAP
    return int(room * DOTS_PER_INCH / ZOOM) * ZOOM / DOTS_PER_INCH


def _picture_column(
    axes: list[Axes], sheet: Sheet, picture: Picture, level: Measured | None, pixels: int
) -> None:
    """The clean image alone, or target (where it differs), noisy image and residual at a level."""
    for axis in axes:
        axis.set_axis_off()
    rows = ["target", "noisy", f"residual\n{_gain(sheet):g}x, around grey"][-len(axes) :]
    if level is None:
        shown, title, colour = [picture.clean], "clean", GREY
        for axis, row in list(zip(axes, rows, strict=True))[1:]:
            axis.text(0.97, 0.04, row, fontsize=8.5, color=GREY, ha="right")
        if sheet.unit and picture is sheet.pictures[0]:
            unit = textwrap.fill(f"level: {sheet.unit}", pixels // 3)
            axes[1].text(0, 0.97, unit, fontsize=8.5, color=GREY, va="top", parse_math=False)
    else:
        target, noisy = picture.target[level.level], picture.noisy[level.level]
        residual = 127.5 + _gain(sheet) * (noisy.astype(float) - target)
        shown = [target, noisy, np.clip(residual, 0, 255).astype(np.uint8)][-len(axes) :]
        title = _at(sheet, level) or "noisy"
        title, colour = title + ", target" * (len(axes) == 3), _colour(sheet, level)
    axes[0].set_title(title, fontsize=9, color=colour, pad=4)
    for axis, image in zip(axes, shown, strict=False):
        axis.imshow(central(image, pixels), interpolation="nearest")


def _at(sheet: Sheet, level: Measured) -> str:
    """``level 25``, or nothing for recorded noise, which has no levels but one."""
    return f"level {level.level:g}" if sheet.unit or len(sheet.levels) > 1 else ""


def _gain(sheet: Sheet) -> float:
    """How much residuals are amplified, so that those of the middle level fill the range."""
    size = np.hypot(sheet.middle.spread.std, sheet.middle.spread.bias)
    return next((gain for gain in (1, 2, 4, 8, 16) if 2 * gain * size > 60), 16)


def _colour(sheet: Sheet, level: Measured) -> tuple[float, ...]:
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list("mild to hard", RAMP)
    return ramp(sheet.levels.index(level) / max(1, len(sheet.levels) - 1))


def _variance_panel(panel: Axes, sheet: Sheet) -> None:
    styles = {
        "promised law": {"linestyle": "-", "linewidth": 1.5},
        "flat patches, unclipped": {"linestyle": "none", "marker": "o", "markersize": 4.5},
        "images, 8 bits": {"linestyle": "none", "marker": "x", "markersize": 3.5, "alpha": 0.7},
    }
    first = 0 if sheet.lawful else 2
    for level in sheet.levels:
        curves = [(CHART, level.promised), (CHART, level.charted), level.seen][first:]
        for (x, variance), style in zip(curves, [*styles.values()][first:], strict=True):
            panel.plot(x, 255**2 * variance, color=_colour(sheet, level), **style)
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


def _histogram_panel(panel: Axes, sheet: Sheet) -> None:
    spread = sheet.middle.spread
    centres, density = spread.histogram
    colour = _colour(sheet, sheet.middle)
    bottom = min(density[density > 0].min() / 2, density.max() / 300)
    panel.fill_between(centres, bottom, density, step="mid", color=colour, alpha=0.35, lw=0)
    if spread.std > 0:
        x = np.linspace(centres[0], centres[-1], 400)
        normal = np.exp(-0.5 * ((x - spread.bias) / spread.std) ** 2)
        panel.plot(x, normal / spread.std / np.sqrt(2 * np.pi), color="0.15", lw=1, ls="--")
    _calm(panel, f"residual at {at}" if (at := _at(sheet, sheet.middle)) else "residual")
    panel.set_yscale("log")
    panel.minorticks_off()
    panel.set_ylim(bottom, density.max() * 3)
    panel.set_xlim(centres[0], centres[-1])
    panel.set_xlabel("8-bit steps", fontsize=8)
    panel.set_ylabel("density", fontsize=8)


def _psnr_panel(panel: Axes, sheet: Sheet) -> None:
    places = range(len(sheet.levels))
    means = [level.psnr.mean() for level in sheet.levels]
    panel.plot(places, means, color="0.7", linewidth=1.2, zorder=1)
    for place, level in zip(places, sheet.levels, strict=True):
        colour = [_colour(sheet, level)]
        panel.scatter([place] * len(level.psnr), level.psnr, s=9, c=colour, alpha=0.4, lw=0)
        panel.scatter([place], [level.psnr.mean()], s=30, c=colour, zorder=2)
    _calm(panel, "PSNR of the noisy images")
    labels = [f"{level.level:g}" if _at(sheet, level) else "" for level in sheet.levels]
    panel.set_xticks(places, labels)
    panel.set_xlim(-0.4, len(sheet.levels) - 0.6)
    panel.margins(y=0.15)
    panel.set_xlabel("level" if any(labels) else "", fontsize=8)
    panel.set_ylabel("dB", fontsize=8)


def _correlation_panel(panel: Axes, bar: Axes, sheet: Sheet) -> None:
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
    row, column, diagonal = (_number(value, 2) for value in sheet.middle.spread.neighbours)
    text = f"lag, in pixels\nnext: → {row}  ↓ {column}  ↘ {diagonal}"
    panel.set_xlabel(text, fontsize=8)
    panel.figure.colorbar(image, cax=bar, ticks=[-limit, 0, limit])
    bar.tick_params(labelsize=8)
    bar.spines[:].set_visible(False)


def _channel_panel(panel: Axes, sheet: Sheet) -> None:
    channels = sheet.middle.spread.channels
    panel.imshow(np.where(np.eye(3), 0, channels), cmap="RdBu_r", vmin=-1, vmax=1)
    for row, column in np.ndindex(3, 3):
        value = float(channels[row, column])
        colour = "white" if row != column and abs(value) > 0.6 else "black"
        panel.text(
            column, row, _number(value, 2), fontsize=9, color=colour, ha="center", va="center"
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
