"""What every figure keeps, nothing of it is cut off; and reports without figures."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from matplotlib.figure import Figure


def assert_whole(figure: Figure) -> None:
    """Fail where something drawn reaches over an edge of the figure, by a hundredth of an inch."""
    figure.draw_without_rendering()
    tight, size = figure.get_tightbbox(), figure.get_size_inches()
    assert min(tight.x0, tight.y0) >= -0.01
    assert tight.x1 <= size[0] + 0.01 and tight.y1 <= size[1] + 0.01


def leave_undrawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Draw no figure of a report, which takes most of its time; the names of those to be drawn."""
    names: list[str] = []

    def save_png(path: Path, *_: object) -> Path:
        names.append(path.name)
        return path

    def save_figure(stem: Path, formats: Iterable[str], *_: object, **__: object) -> list[Path]:
        words = [word for word in formats if word in ("svg", "pdf", "png", "tex")]
        return [save_png(stem.with_name(f"{stem.name}.{word}")) for word in words]

    monkeypatch.setattr("benchmark.reporting.figures.of_board.save_png", save_png)
    monkeypatch.setattr("benchmark.reporting.figures.of_board.save_figure", save_figure)
    return names
