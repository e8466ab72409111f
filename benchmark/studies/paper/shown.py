"""What the page shows of each part: pictures that are there, and tables computed from scores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from benchmark.cells import ResultStore
from benchmark.cells.scores import Scores, known_scale
from benchmark.protocol import REFERENCE
from benchmark.reporting.comparison import Comparison, comparison_of
from benchmark.reporting.figures.saving import save_figure
from benchmark.reporting.tables import ABSENT, Table
from benchmark.studies import ablation as ablations
from benchmark.studies.paper.architecture import Architecture, architecture_figure
from benchmark.studies.paper.parts import Part
from benchmark.studies.paper.plan import COMPARISONS, Plan, Shown
from benchmark.studies.paper.published import METRICS, PUBLISHED

Read = Callable[[ResultStore], Scores]
DRAWN = "figure_4.svg"  # with the page
PICTURES = {  # of runs: patterns of the files which the page shows
    "figure_3": ("completion", "completion*.[sp][vn]g"),
    "figure_5": ("masks", "brightness.svg"),
    "figure_7": ("input_ratio", "trade_off.svg"),
    "figure_12": ("cka", "cka*.[sp][vn]g"),
    "figure_13": ("curves", "training_curves.svg"),
    "figure_14": ("srga", "srga*.[sp][vn]g"),
    "figure_15": ("features", "features*.[sp][vn]g"),
}
PAGES = {  # of runs, for more than the page shows
    "completion": "completion.md",
    "cka": "cka.md",
    "srga": "srga.md",
    "features": "features.md",
    "curves": "training.md",
    "scores": "leaderboard.md",
}
ABLATED = {"table_1": "masks", "table_2": "attention_ratio", "table_3a": "input_ratio"}
SCORED = {"table_3b": ("mc_render", (128, 64)), "table_3c": ("isp", (1,))}


class Gallery:
    """Pictures and tables of a plan's results, as blocks of Markdown.

    Parameters
    ----------
    read
        Gives the scores of a folder's cells.
    architecture
        What Figure 4 is drawn from.
    """

    def __init__(self, plan: Plan, read: Read, architecture: Architecture):
        self.plan, self.read, self.architecture = plan, read, architecture
        self._known: dict[str, Scores] = {}

    def blocks(self, part: Part) -> list[str]:
        """What is there of a part; nothing if nothing is."""
        if part.name == "figure_4":
            return self._architecture()
        if shown := COMPARISONS.get(part.name):
            return self._comparison(part.name, shown)
        if part.name == "figure_11":
            return self._pictures(self.plan.out / part.name, "figure11_*.svg", part.title)
        if part.name in PICTURES:
            run, pattern = PICTURES[part.name]
            return self._analysed(self.plan.runs[run].folder, pattern, part.title)
        if part.name in ABLATED:
            return self._ablation(ABLATED[part.name])
        noise, levels = SCORED[part.name]
        return [block for level in levels for block in self._scores(noise, level)]

    def page_of(self, part: Part) -> str:
        """A link to what there is beside that, relative to the page; empty if nothing."""
        run = self.plan.runs[part.runs[-1]] if part.runs else None
        if run is None or not run.is_there:
            return ""
        path = run.folder / PAGES.get(run.name, run.page or "README.md")
        return f"[{path.name}]({self._link(path)})" if path.is_file() else ""

    def _link(self, path: Path) -> str:
        return quote(Path(os.path.relpath(path, self.plan.out)).as_posix())

    def _picture(self, path: Path, title: str) -> str:
        return f"![{title}]({self._link(path)})"

    def _pictures(self, folder: Path, pattern: str, title: str) -> list[str]:
        return [self._picture(path, title) for path in sorted(folder.glob(pattern))]

    def _analysed(self, folder: Path, pattern: str, title: str) -> list[str]:
        """Each figure in one format, SVG where there is one: those of our images, if any are."""
        found = {path.stem: path for path in sorted(folder.glob(pattern))}
        ours = {s: path for s, path in found.items() if s.endswith(f"_{self.plan.dataset}")}
        return [self._picture(path, title) for path in (ours or found).values()]

    def _architecture(self) -> list[str]:
        self.plan.out.mkdir(parents=True, exist_ok=True)
        shown = architecture_figure, self.architecture
        (path,) = save_figure((self.plan.out / DRAWN).with_suffix(""), ["svg"], *shown)
        return [self._picture(path, "Figure 4")]

    def _comparison(self, name: str, shown: Shown) -> list[str]:
        """The picture of the image which the scores choose, and what it is of: of the networks
        which it shows, those which are still to be trained and have no scores are left out."""
        scores = self._scores_of(shown.run)
        if scores.rows.empty:
            return []
        untrained = {*self.plan.to_train} - {*scores.rows["model"]}
        models = [name for name in self.plan.models_of(shown) if name not in untrained]
        try:
            asked = (models, shown.noise, shown.level, None, None, METRICS[:2])
            chosen = comparison_of(scores, *asked)
            image = chosen.choose_image()
        except ValueError:  # scores of other models or noises: the picture cannot be of them
            return []
        found = self.plan.out / name / f"comparison_{chosen.dataset}_{image}.png"
        title = name.replace("_", " ").capitalize()
        return [self._picture(found, title), _caption(chosen, image)] if found.is_file() else []

    def _ablation(self, name: str) -> list[str]:
        ablation, scores = self.plan.ablations[name], self._scores_of(name)
        if scores.rows.empty:
            return []
        names = [*ablation.variants]
        added = sorted({*scores.rows["dataset"]} - {*scores.rows["noise"]})  # no recorded noise
        try:
            of = scores.of(datasets=added[:1])
            return [*ablations.beside_published(of, names, ablation.published)]
        except ValueError:  # it was stopped before all variants had scores
            return []

    def _scores(self, noise: str, level: float) -> list[str]:
        """Means under a noise at a level beside the published ones; a line a model."""
        scores = self._scores_of("scores")
        rows = scores.rows
        if rows.empty:
            return []
        rows = rows[(rows["noise"] == noise) & (rows["level"] == level)]
        wanted = [name for name in ("identity", *self.plan.models) if name in {*rows["model"]}]
        if not wanted:
            return []
        there = [*dict.fromkeys(rows["dataset"])]
        dataset = self.plan.dataset if self.plan.dataset in there else str(there[0])
        rows = rows[rows["dataset"] == dataset]
        table = beside_published(rows, wanted, noise, level, scores)
        is_recorded = dataset == noise  # with its images
        of = () if is_recorded else (scores.dataset_label(dataset, rows),)
        said = (f"{scores.label(noise)} {level:g}", *of, f"{rows['image'].nunique()} images")
        return [f"{', '.join(said)}:", table.markdown()]

    def forget(self, runs: Iterable[str]) -> None:
        """Read the scores of these runs again: there are more of them now."""
        for name in runs:
            self._known.pop(name, None)

    def _scores_of(self, run: str) -> Scores:
        if run not in self._known:
            self._known[run] = self.read(ResultStore(self.plan.runs_folder(run)))
        return self._known[run]


def beside_published(
    rows: pd.DataFrame, models: list[str], noise: str, level: float, scores: Scores
) -> Table:
    """Means over images of each model, and the published number of that name."""
    header, columns = ["model"], [[scores.label(name) for name in models]]
    means = rows.groupby("model")[[name for name in METRICS if name in rows]].mean()
    for metric in METRICS:
        scale = scores.scales.get(metric, known_scale(metric))
        ours = [means[metric].get(name, np.nan) if metric in means else np.nan for name in models]
        theirs = [PUBLISHED[metric].get((noise, level, name), np.nan) for name in models]
        header += [scale.label, f"published {metric.upper()}"]
        columns += [[_text(value, scale.digits) for value in side] for side in (ours, theirs)]
    rule = sum(name in REFERENCE for name in models)
    return Table(header, list(zip(*columns, strict=True)), rule=rule)


def _text(value: float, digits: int) -> str:
    return ABSENT if np.isnan(value) else f"{value:.{digits}f}"


def _caption(chosen: Comparison, image: str) -> str:
    rivals = " and ".join(map(chosen.scores.label, chosen.rivals))
    most = f", on which {rivals} differ most" if len(chosen.rivals) == 2 else ""
    noises = ", ".join(
        f"{chosen.scores.label(noise)} {level:g}" for noise, level in chosen.conditions
    )
    return (
        f"Image {image} of {chosen.label}{most}, under {noises}. "
        f"Below each picture stand its PSNR and SSIM, those of the whole image; magnified is where "
        f"the models differ most."
    )
