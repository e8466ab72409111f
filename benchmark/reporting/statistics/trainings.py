"""Several trainings of one network: which models they are, and what another one would change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.cells.scores import ROW, metric_names

if TYPE_CHECKING:
    from benchmark.reporting.statistics.means import Measured

SIGN = "@"  # before the number, or any name, of a training


def network_of(model: str) -> str:
    """The network of a model: ``masked`` of ``masked@2``, and of ``masked`` itself."""
    return model.partition(SIGN)[0] or model


def trainings_of(rows: pd.DataFrame, metric: str | None = None) -> dict[str, list[str]]:
    """By network the models which are its trainings; a network without ``@`` is one of its own.

    Parameters
    ----------
    metric
        With it, of models which have the same scores everywhere only the first is a training:
        the same weights under two names are no two draws.
    """
    found: dict[str, list[str]] = {}
    for model in sorted(rows["model"].unique()):
        found.setdefault(network_of(model), []).append(model)
    several = [members for members in found.values() if len(members) > 1] if metric else []
    for members in several:
        seen = set()
        for model in list(members):
            lines = rows[rows["model"] == model].sort_values(ROW)
            scores = lines[metric].to_numpy(float).tobytes()
            if scores in seen:
                members.remove(model)
            seen.add(scores)
    return found


def by_network(rows: pd.DataFrame, metric: str | None = None) -> pd.DataFrame:
    """The lines with one model for each network: means over its trainings, as they are if none.

    Parameters
    ----------
    metric
        As in `trainings_of`: with it, the same weights under two names count once.
    """
    networks = rows["model"].map(network_of)
    if networks.equals(rows["model"]):
        return rows
    counted = {model for members in trainings_of(rows, metric).values() for model in members}
    values, own = [*metric_names(rows), "seconds"], rows["model"].isin(counted)
    means = rows[own].assign(model=networks[own]).groupby(["model", *ROW], as_index=False)
    return means[values].mean()


@dataclass(frozen=True)
class Spread:
    """What a model's mean would change by, as one standard deviation, if one thing were drawn anew.

    Each is for one training scored on one seed of the noise over as many images as were scored,
    and NaN where there is only one to see it by.

    Parameters
    ----------
    images
        Other images, as many.
    seeds
        Another seed of the noise, which is another pass of a stochastic network as well.
    training
        Another training of the network.
    """

    images: float
    seeds: float
    training: float


def spread_of(measured: Measured, place: int) -> Spread:
    """The spread of one model, by its place.

    The variance by seeds is that within an image and level. What is left of the variance between
    images, without the seeds' part, is the images' own; that of trainings holds what one changes
    on single images too.
    """
    images = measured.of_images.shape[1]
    total = measured.of_images[place].var(ddof=1) / images if images > 1 else np.nan
    values = pd.DataFrame(measured.pooled[place], columns=measured.cells)
    levels = values.T.groupby(level=["noise", "level"])
    counts, within = levels.size(), levels.var()  # a line per level, NaN for one seed
    weights = pd.Series(measured.weights, index=measured.cells)
    shares = weights.groupby(level=["noise", "level"]).sum()
    parts = within.mean(axis=1) * shares**2 / within.count(axis=1)  # levels are independent
    single, of_means = parts.sum(min_count=1), (parts / counts).sum()
    count = measured.counts[place]
    training = np.sqrt(measured.training_variance[place] * count) if count > 1 else np.nan
    return Spread(
        float(np.sqrt(max(total - of_means, 0.0))), float(np.sqrt(single)), float(training)
    )
