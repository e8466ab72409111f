"""The figures of a report: which a table of scores has, how each is saved and stands on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmark.files.whole import file_name
from benchmark.reporting.board import Board
from benchmark.reporting.figures.captions import curves_caption, ranks_caption
from benchmark.reporting.figures.curves import Curves, figure11
from benchmark.reporting.figures.ranks import Diagram, ranks_figure
from benchmark.reporting.figures.saving import is_drawn, save_figure, save_png
from benchmark.reporting.figures.strips import strip
from benchmark.reporting.figures.style import Style
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.strips import strips

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = ("svg", "png", "pdf")  # what a page shows of a figure, the first that there is
MOST_PANELS = 8  # noises in a figure of two metrics; more of them get a figure each
STRIP = "strip_{}_{}"  # of a noise and a dataset

Save = Callable[[Path, Sequence[str]], list[Path]]  # to a path without its end, in some formats


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure before it is drawn.

    Parameters
    ----------
    name
        Of its files, without their ends.
    title
        The heading of the figures which begin with it.
    text
        What it is, for those who do not see it.
    caption
        What a page says below it.
    end
        Its only format, whichever are asked for; empty where it has any of them.
    """

    name: str
    title: str
    text: str
    save: Save
    caption: str = ""
    end: str = ""

    def markdown(self, formats: Sequence[str]) -> list[str]:
        """The paragraphs of a page which show it; none where it is in no format that pages show."""
        asked = [end for end in SHOWN if end in formats]
        if not asked:
            return []
        end = self.end or asked[0]
        shown = f"{'!' * (end != 'pdf')}[{self.text}]({self.name}.{end})"
        heading = f"### {self.title}" if self.title else ""
        return [text for text in (heading, shown, self.caption) if text]


def drawings(board: Board, dataset: str, pictures: Path | None, style: Style) -> Iterator[Drawing]:
    """The figures of a dataset: curves, mean ranks, and strips of those pictures that there are."""
    rankings, part = board.rankings[dataset], board.rows[board.rows["dataset"] == dataset]
    metrics = [name for name in board.only or ("psnr", "ssim") if name in rankings]
    metrics = metrics or [*rankings][:2]
    title = text = "Quality against level"
    for name, drawn in _figures11(part, dataset, metrics):
        curves, of = Curves.of(board, dataset, drawn), [rankings[metric] for metric in drawn]
        caption = curves_caption(curves, board.scores, of, style.columns)
        yield Drawing(name, title, text, _saving(figure11, curves, caption, style), caption)
        title = ""
    if told := [rankings[name] for name in metrics if _is_told(rankings[name])]:
        text, caption = "Mean ranks, tied models joined", ranks_caption(board.scores, told)
        save = _saving(ranks_figure, [*map(Diagram.of, told)], caption, style)
        yield Drawing(f"ranks_{dataset}", "Mean ranks", text, save, caption)
    for noise, crops, below in strips(board.scores, dataset, pictures, board.order):
        text = f"{noise}: clean, noisy and restored crops"
        save = partial(_save_strip, crops, below)
        yield Drawing(STRIP.format(file_name(noise), dataset), "", text, save, end="png")


def remove_stale(board: Board, out: Path, drawn: Sequence[Path], formats: Sequence[str]) -> None:
    """Remove the figures which an earlier report drew to a folder in these formats, and none does.

    A strip stays where its pictures alone are gone.
    """
    pairs = board.rows[["noise", "dataset"]].drop_duplicates().itertuples(index=False)
    kept = {out / f"{STRIP.format(file_name(noise), dataset)}.png" for noise, dataset in pairs}
    ends = {*formats, *(["pdf"] if "tex" in formats else [])}
    patterns = [f"{name}_*.{end}" for name in ("figure11", "ranks") for end in ends]
    patterns += ["strip_*.png"] if {*SHOWN} & {*formats} else []
    found = {path for pattern in patterns for path in out.glob(pattern)}
    for path in sorted(found - {*drawn} - kept):
        if is_drawn(path):
            path.unlink()


def _saving(draw: Callable[..., Figure], what: object, caption: str, style: Style) -> Save:
    told = {"caption": caption, "columns": style.columns}
    return lambda stem, formats: save_figure(stem, formats, draw, what, style, **told)


def _save_strip(crops: object, title: str, stem: Path, formats: Sequence[str]) -> list[Path]:
    return [save_png(stem.with_name(f"{stem.name}.png"), strip, crops, title)]


def _figures11(
    table: pd.DataFrame, dataset: str, metrics: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """Names of a dataset's figures and the metrics on each: one alone where noises are many."""
    if not metrics or not (table.groupby("noise")["level"].nunique() > 1).any():
        return  # a single level is no curve
    name = f"figure11_{dataset}"
    if table["noise"].nunique() <= MOST_PANELS:
        yield name, metrics
        return
    for place, metric in enumerate(metrics):
        yield name if place == 0 else f"{name}_{metric}", [metric]


def _is_told(ranking: Ranking) -> bool:
    """Whether mean ranks are worth a figure: of three models or more, not all of them tied."""
    if ranking.shared.empty or not ranking.tells_apart or len(ranking.table) < 3:
        return False
    return ranking.pairs.measured.of_images.shape[1] > 0
