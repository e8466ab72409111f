"""A sheet as a page of Markdown, and the table of several."""

from collections.abc import Iterable

import numpy as np

from benchmark import docstrings
from benchmark.files.whole import file_name
from benchmark.metrics import PSNR, SSIM
from benchmark.reporting.pages import render
from benchmark.reporting.tables import ABSENT, Table
from benchmark.studies.noise_sheet.sheet import CHART, Measured, Sheet
from benchmark.studies.noise_sheet.texts import at, number, origin, sentence


def page(sheet: Sheet, command: str) -> str:
    """A sheet as Markdown: what the noise is, its picture, its numbers, where they come from."""
    about, *sections = _docstring(sheet.kind)
    first, _, rest = about.partition("\n\n")
    means = [level.psnr.mean() for level in sheet.levels]
    falls = means == sorted(means, reverse=True)
    return render(
        "noise_sheet.md",
        sheet=sheet,
        summary=first,
        note=sentence(sheet.note) if sheet.note else "",
        levels=", ".join(f"{level.level:g}" for level in sheet.levels),
        order=", mild to hard" if falls else "",
        has_levels=bool(at(sheet, sheet.middle)),
        settings=[f"`{key}={value}`" for key, value in sheet.settings.items()],
        figure=f"{file_name(sheet.name)}.png",
        numbers=_numbers(sheet),
        origin=origin(sheet),
        intensities=len(CHART),
        sections=[rest, *sections] if rest else sections,
        command=command,
    )


def index_page(sheets: Iterable[Sheet], command: str) -> str:
    """The table of all sheets: a line for each noise, with a link to its page."""
    header = ["noise", "unit", "levels", f"PSNR, {PSNR.unit}", "law"]
    header += ["kurtosis", "neighbours", "note"]
    rows = []
    for sheet in sheets:
        psnr = [number(level.psnr.mean(), PSNR.digits) for level in sheet.levels]
        spread = sheet.middle.spread
        rows.append(
            [
                f"[{sheet.name}]({file_name(sheet.name)}.md)",
                sheet.unit or ABSENT,
                " ".join(f"{measured.level:g}" for measured in sheet.levels),
                " to ".join(dict.fromkeys([psnr[0], psnr[-1]])),
                _deviation(sheet.middle) if sheet.lawful else "none",
                number(spread.kurtosis, 2),
                number(sum(spread.neighbours[:2]) / 2, 2),
                sentence(sheet.note) if sheet.note else ABSENT,
            ]
        )
    table = Table(header, rows, left=("noise", "unit", "levels", "note"))
    return render("noise_sheets.md", table=table, command=command)


def _numbers(sheet: Sheet) -> Table:
    header = ["level", f"PSNR, {PSNR.unit}", "SSIM", "std", "bias", "skewness", "kurtosis"]
    header += ["row", "column", "diagonal", "channels"]
    rows = []
    for measured in sheet.levels:
        spread = measured.spread
        rows.append(
            [
                f"{measured.level:g}",
                number(measured.psnr.mean(), PSNR.digits),
                number(measured.ssim.mean(), SSIM.digits),
                *(number(value, 2) for value in (spread.std, spread.bias)),
                *(number(value, 2) for value in (spread.skewness, spread.kurtosis)),
                *(number(value, 3) for value in spread.neighbours),
                number(spread.between_channels, 3),
                *([_deviation(measured)] if sheet.lawful else []),
            ]
        )
    return Table(header + ["variance - law"] * sheet.lawful, rows)


def _deviation(measured: Measured) -> str:
    percent, error = measured.deviation
    shown = round(percent, 1) + 0.0  # no -0.0
    return f"{shown:+.1f} ± {error:.1f} %" if np.isfinite(percent) else ABSENT


def _docstring(kind: type) -> list[str]:
    """A class's description, then its parameters and references, as paragraphs of Markdown."""
    found = docstrings.read(kind)
    paragraphs = ["\n\n".join(found.paragraphs)]
    if found.parameters:
        paragraphs.append("\n".join(f"- `{name}`: {text}" for name, text in found.parameters))
    if found.references:
        paragraphs.append("\n".join(f"{number}. {text}" for number, text in found.references))
    return [text.replace("``", "`").replace("]_", "]") for text in paragraphs]
