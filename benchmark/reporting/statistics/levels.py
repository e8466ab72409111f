"""Means at single levels of a noise, each with its interval: the points of a curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmark.reporting.statistics.bootstrap import Bootstrap
from benchmark.reporting.statistics.means import Measured
from benchmark.reporting.statistics.shared import shared_rows
from benchmark.reporting.statistics.trainings import trainings_of

LEVEL = ["noise", "level"]


def level_means(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The mean of each model at each noise and level, and its 95 % interval as in the tables.

    It is over the images and seeds which all models of that level have: see `Bootstrap`. Models
    ``masked@1``, ``masked@2`` are trainings of one, ``masked``.

    Parameters
    ----------
    rows
        A line per image of one dataset.

    Returns
    -------
    pandas.DataFrame
        Columns ``mean``, ``low``, ``high``, ``images`` (how many) and ``seeds`` (a tuple), by
        noise, level and model. The ends of the interval are NaN for a single image.
    """
    rows = shared_rows(rows.dropna(subset=metric), within=("dataset", *LEVEL))
    wide = rows.pivot(index=["model", "image"], columns=[*LEVEL, "seed"], values=metric)
    models, images = wide.index.unique("model"), wide.index.unique("image")
    whole = wide.reindex(pd.MultiIndex.from_product([models, images]))
    arrays = whole.to_numpy(float).reshape(len(models), len(images), -1)
    scores = dict(zip(models, arrays, strict=True))
    networks = trainings_of(rows, metric)
    found = {}
    levels = [(noise, level) for noise, level, _ in wide.columns]
    for level in dict.fromkeys(levels):
        chosen = np.array([one == level for one in levels])
        parts = {
            network: [scores[one][:, chosen] for one in members]
            for network, members in networks.items()
        }
        measured = _measured(parts, wide.columns[chosen])
        low, high = Bootstrap(measured).bounds(np.eye(len(measured.names)))
        means, count = measured.means, measured.pooled.shape[1]
        seeds = tuple(sorted(wide.columns[chosen].get_level_values("seed")))
        for name, mean, down, up in zip(measured.names, means, low, high, strict=True):
            found[(*level, name)] = mean, mean + down, mean + up, count, seeds
    index = pd.MultiIndex.from_tuples(found, names=[*LEVEL, "model"])
    columns = ["mean", "low", "high", "images", "seeds"]
    return pd.DataFrame([*found.values()], index, columns).sort_index()


def _measured(parts: dict[str, list[np.ndarray]], cells: pd.Index) -> Measured:
    """The trainings which have these cells, (images, cells) each, and the images that are there."""
    present = {
        name: [of for of in members if not np.isnan(of).all()] for name, members in parts.items()
    }
    stacked = {name: np.stack(members) for name, members in present.items() if members}
    seen = ~np.isnan(next(iter(stacked.values()))).all(axis=(0, 2))
    return Measured({name: of[:, seen] for name, of in stacked.items()}, cells)
