"""Differences of scores as people read them: tables of texts, a page, a CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmark.reporting.tables import Table

FURTHER = 4  # digits behind those which a leaderboard shows, for what two machines disagree about


def of_images(lines: pd.DataFrame, labels: Mapping[str, Any]) -> Table:
    """One cell, image by image: each metric before, after, and the difference.

    Parameters
    ----------
    lines
        A line per image and metric: ``image``, ``metric``, ``before``, ``after``.
    labels
        Of the cell, with the ``digits`` of its metrics where they are known.
    """
    images = list(dict.fromkeys(lines["image"]))
    columns: dict[str, list[str]] = {"image": images}
    for metric, part in lines.groupby("metric", sort=False):
        name, by_image = str(metric), part.set_index("image").reindex(images)
        digits = labels.get("digits", {}).get(name, 2 if name.startswith("psnr") else 4) + FURTHER
        for side in ("before", "after"):
            columns[f"{name}_{side}"] = [f"{value:.{digits}f}" for value in by_image[side]]
        change = by_image["after"] - by_image["before"]
        columns[f"{name}_difference"] = [f"{value:+.2g}" if value else "0" for value in change]
    return Table(list(columns), list(zip(*columns.values(), strict=True)))
