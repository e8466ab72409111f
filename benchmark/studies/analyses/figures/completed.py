"""Figure 3: what networks make of an image of which most pixels are hidden, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from benchmark.studies.analyses.look import PLAIN, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INPUT = "input"


@dataclass(frozen=True, eq=False)
class Completed:
    """What a network made of an image of which a share is hidden.

    Parameters
    ----------
    hidden
        In percent.
    given, restored
        (H, W, 3) uint8: what goes in, and what comes out.
    psnr, psnr_hidden
        In dB, of all pixels and of the hidden ones, which are written below it; NaN: nothing.
    """

    model: str
    hidden: int
    given: np.ndarray
    restored: np.ndarray
    psnr: float
    psnr_hidden: float


def completed(shown: Sequence[Completed], look: Look = PLAIN) -> Figure:
    """A row a network below that of what goes in, a column a share which is hidden [1]_.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 3.
    """
    from matplotlib.figure import Figure

    size = look.size
    models = list(dict.fromkeys(one.model for one in shown))
    shares = list(dict.fromkeys(one.hidden for one in shown))
    line = 1.5 * size.large / 72  # inches of a line of text
    side = (size.width - line) / len(shares)
    tall = (len(models) + 1) * (side + line) + line
    figure = Figure(figsize=(size.width, tall))
    figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    panels = figure.subplots(len(models) + 1, len(shares), squeeze=False)
    for one in shown:
        column = shares.index(one.hidden)
        top, panel = panels[0, column], panels[1 + models.index(one.model), column]
        if one.model == models[0]:
            _show(top, one.given)
            top.set_title(f"{one.hidden} % hidden", fontsize=size.large, fontweight="bold")
        _show(panel, one.restored)
        numbers = [f"{number:.2f}" for number in (one.psnr, one.psnr_hidden) if not isnan(number)]
        panel.set_xlabel(", ".join(numbers), fontsize=size.small, labelpad=2)
    for panel, name in zip(panels[:, 0], [INPUT, *map(look.label, models)], strict=True):
        panel.set_ylabel(name, fontsize=size.large)
    return figure


def _show(panel: Axes, picture: np.ndarray) -> None:
    panel.imshow(picture, interpolation="none")
    panel.set_xticks([])
    panel.set_yticks([])
    for spine in panel.spines.values():
        spine.set_visible(False)
