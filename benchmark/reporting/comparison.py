"""What a visual comparison shows: its scores, image, crops and words."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.cells.scores import Scale, Scores, metric_names
from benchmark.protocol import REFERENCE, name_of
from benchmark.reporting.board import Board
from benchmark.reporting.figures.comparison import Box, Picture, Row
from benchmark.reporting.selection import ALL, check_name
from benchmark.reporting.statistics import mild_to_hard

NOISY = "identity"  # the model whose scores are those of the noisy image
SHARE, LEAST = 5, 64  # the side of a chosen crop: a fifth of the image's, 64 pixels or more


@dataclass(frozen=True, eq=False)
class Comparison:
    """Which scores a figure is of: of one dataset, with an image and a row for each condition.

    Parameters
    ----------
    models
        In the order of their columns, without `NOISY`.
    conditions
        Noises, each with a level.
    metrics
        Those below the pictures.
    """

    scores: Scores
    dataset: str
    models: Sequence[str]
    conditions: Sequence[tuple[str, float]]
    seed: int
    metrics: Sequence[str]

    def rows(self, condition: tuple[str, float]) -> pd.DataFrame:
        """The lines of one condition, in the order in which the cells have their images."""
        rows, (noise, level) = self.scores.rows, condition
        of = (rows["dataset"] == self.dataset) & (rows["noise"] == noise)
        return rows[of & (rows["level"] == level) & (rows["seed"] == self.seed)]

    def images(self) -> list[str]:
        """The images of which every model is scored under every condition.

        Raises
        ------
        ValueError
            If there is none.
        """
        found: list[str] | None = None
        for noise, level in self.conditions:
            rows = self.rows((noise, level))
            for model in self.models or [NOISY]:
                names = [*rows.loc[rows["model"] == model, "image"]]
                found = names if found is None else [name for name in found if name in names]
                if not found:
                    raise ValueError(
                        f"no image of {self.dataset} has scores of {model} under {noise} "
                        f"{level:g}, seed {self.seed}, and of all else that is shown; choose other "
                        f"models, noises or levels"
                    )
        return found or []

    @property
    def rivals(self) -> list[str]:
        """The two models whose difference chooses an image: the first which are no references."""
        return [model for model in self.models if model not in REFERENCE][:2]

    def choose_image(self) -> str:
        """The image on which the rivals differ most by the first metric, on the mean of the rows.

        Without two rivals it is the first one.
        """
        images, rivals = self.images(), self.rivals
        if len(rivals) < 2:
            return images[0]
        rows = pd.concat(map(self.rows, self.conditions))
        means = rows.groupby(["model", "image"])[self.metrics[0]].mean()
        return str((means[rivals[0]] - means[rivals[1]]).abs()[images].idxmax())

    def row(self, condition: tuple[str, float], of: Mapping[str, np.ndarray], image: str) -> Row:
        """A row of the figure: pictures, and the scores of the whole image below them.

        Parameters
        ----------
        of
            By ``noisy``, each model and ``clean`` their pixels, (H, W, 3) uint8.
        """
        rows = self.rows(condition)
        table = rows[rows["image"] == image].set_index("model")
        texts: dict[str, list[str]] = {name: [] for name in of}
        bold: dict[str, list[bool]] = {name: [] for name in of}
        for metric in self.metrics:
            scale = self.scores.scales[metric]
            values = {str(model): float(value) for model, value in table[metric].items()}
            known = [values[model] for model in self.models if not math.isnan(values[model])]
            best = (max if scale.is_higher_better else min)(known, default=None)
            for name in of:
                value = values.get(NOISY if name == "noisy" else name, math.nan)
                shown = "–" if math.isnan(value) else f"{value:.{scale.digits}f}"
                texts[name].append(_plain(scale) if name == "clean" else shown)
                bold[name].append(name in self.models and len(known) > 1 and value == best)
        pictures = [Picture(pixels, texts[name], bold[name]) for name, pixels in of.items()]
        return Row(self._title(condition), pictures)

    def caption(self, image: str, crops: Sequence[Box], chosen: Collection[str]) -> str:
        """What is to be known of the figure, as plain text.

        Parameters
        ----------
        chosen
            ``"image"`` and ``"crop"`` where they were not given.
        """
        label, first = self.scores.label, self.scores.scales[self.metrics[0]]
        said = f"Image {image} of {self.label}"
        if "image" in chosen and len(self.rivals) == 2:
            rivals = " and ".join(map(label, self.rivals))
            said += f", on which {rivals} differ most in {_plain(first)},"
        rows = _listed([self._title(condition) for condition in self.conditions])
        under = "" if self.is_recorded else f" under {rows}, seed {self.seed}"
        names = " / ".join(self.scores.scales[metric].label for metric in self.metrics)
        of = " and ".join(sorted(map(name_of, self.scores.protocols)))
        protocol = f", by protocol {of}" if of else ""
        best = "; the best of the models in bold" if len(self.models) > 1 else ""
        borders = {self.scores.border.get(self.dataset, {}).get(name, 0) for name in self.metrics}
        less = f", {max(borders)}-pixel border left out" if any(borders) else ""
        places = _listed([f"{wide}×{high} pixels at x={x}, y={y}" for y, x, high, wide in crops])
        how = ", where the models differ most" if len(self.models) > 1 else ", where it is worst"
        return (
            f"{said}{under}. Below each picture stands its {names}, as in "
            f"the tables: of the whole image{less}{protocol}{best}. Magnified are "
            f"{places}{how if 'crop' in chosen else ''}."
        )

    @property
    def label(self) -> str:
        """The dataset, and what of its images is shown."""
        shown = pd.concat([self.rows(condition) for condition in self.conditions])
        return self.scores.dataset_label(self.dataset, shown)

    @property
    def is_recorded(self) -> bool:
        """Whether its noise came with its images, at no level that one could name."""
        return [*self.conditions] == [(self.dataset, 0.0)]

    def _title(self, condition: tuple[str, float]) -> str:
        noise = self.scores.label(condition[0])
        return noise if self.is_recorded else f"{noise} {condition[1]:g}"


def _listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _plain(scale: Scale) -> str:
    """A metric's name without its unit."""
    return scale.label.partition(" (")[0]


def choose_crop(shown: Sequence[Sequence[np.ndarray]]) -> Box:
    """The square in which the models' pictures differ most, over all rows.

    Parameters
    ----------
    shown
        For each row the pictures of its models, (H, W, 3) uint8 each.
    """
    height, width = shown[0][0].shape[:2]
    short = min(height, width)
    side = max(1, short // SHARE, min(LEAST, short // 3))
    spread = np.zeros((height, width))
    for pictures in shown:
        spread += np.ptp([picture.mean(axis=2) for picture in pictures], axis=0)
    sums = np.pad(spread.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return int(top), int(left), side, side


def crops_of(words: Sequence[str]) -> list[Box]:
    """Boxes from texts such as ``120:80:64``: x, y and the side of a square, in pixels.

    Raises
    ------
    ValueError
        If a text is none of these.
    """
    boxes = []
    for word in words:
        found = re.fullmatch(r"(\d+):(\d+):([1-9]\d*)", word)
        if found is None:
            raise ValueError(
                f"crops has '{word}', which is no X:Y:SIDE in pixels, such as 120:80:64"
            )
        left, top, side = map(int, found.groups())
        boxes.append((top, left, side, side))
    return boxes


def comparison_of(
    scores: Scores,
    models: Sequence[str],
    noises: Sequence[str],
    levels: Sequence[float],
    dataset: str | None,
    seed: int | None,
    metrics: Sequence[str],
) -> Comparison:
    """What is asked for, with what stands for ``all`` and for None.

    Parameters
    ----------
    models, noises
        Names in their order, or ``("all",)``: references first, then by name; by name.
    levels
        One for each noise, or one for all, or several of one noise; empty: of each noise the third,
        mild to hard, or its last.
    dataset
        None: the first with all the noises; those with recorded noise come last.
    seed
        None: the smallest.

    Raises
    ------
    ValueError
        If nothing has a name, a level or a seed, or the levels are not as many as the noises.
    """
    every, datasets = ALL in noises, Board(scores).datasets  # of scores which can be compared
    if dataset is None:
        of = {name: {*scores.of(datasets=[name]).rows["noise"]} for name in datasets}
        dataset = next((n for n in of if every or {*noises} <= of[n]), datasets[0])
    part = scores.of(datasets=[dataset])
    noises = sorted(part.rows["noise"].unique()) if every else noises
    part = part.of(noises=noises)
    if ALL in models:
        names = {*part.rows["model"]} - {NOISY}
        models = sorted(names, key=lambda name: (name not in REFERENCE, name))
    part.of(models=models)
    seeds = sorted(map(int, part.rows["seed"].unique()))
    if seed is not None and seed not in seeds:
        raise ValueError(f"no scores with seed={seed}; there are: {', '.join(map(str, seeds))}")
    for metric in metrics:
        check_name("metric", metric, metric_names(part.rows))
    shown = [model for model in models if model != NOISY]
    conditions = _conditions(part.rows, noises, levels)
    return Comparison(part, dataset, shown, conditions, seeds[0] if seed is None else seed, metrics)


def _conditions(
    rows: pd.DataFrame, noises: Sequence[str], levels: Sequence[float]
) -> list[tuple[str, float]]:
    if not levels:
        return [(noise, mild_to_hard(rows, noise)[:3][-1]) for noise in noises]
    if 1 not in (len(noises), len(levels)) and len(noises) != len(levels):
        raise ValueError(
            f"level= has {len(levels)} values for {len(noises)} noises; give one for each noise, "
            f"in their order, or one for all"
        )
    count = max(len(noises), len(levels))
    pairs = [(noises[k % len(noises)], levels[k % len(levels)]) for k in range(count)]
    for noise, level in pairs:
        known = mild_to_hard(rows, noise)
        if level not in known:
            raise ValueError(
                f"no scores of {noise} at level {level:g}; there are those at "
                f"{', '.join(f'{one:g}' for one in known)}"
            )
    return pairs
