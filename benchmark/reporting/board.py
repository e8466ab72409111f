"""Who is best: models ranked by their mean over noises, on the lines all of them have."""

from collections.abc import Mapping, Sequence

import pandas as pd

from benchmark.protocol import IN_DISTRIBUTION, REFERENCE
from benchmark.reporting.intervals import (
    CELL,
    check_table,
    estimate,
    metric_names,
    noise_means,
    paired_difference,
    score_matrix,
    shared_rows,
)


def leaderboard(
    table: pd.DataFrame,
    metric: str = "psnr",
    in_distribution: tuple[str, float] = IN_DISTRIBUTION,
    reference: Sequence[str] = REFERENCE,
    higher_is_better: Mapping[str, bool] | None = None,
) -> pd.DataFrame:
    """Rank the models of each dataset.

    Parameters
    ----------
    in_distribution
        Noise and level of training; it has its own column and counts in no other.
    reference
        Models which stand above the others, in this order, and are not ranked.
    higher_is_better
        Direction of metrics about which ``table.attrs`` says nothing; psnr and ssim are known.

    Returns
    -------
    pandas.DataFrame
        Indexed by (dataset, model), best model first: ``in_distribution``; ``ood``, the
        unweighted mean over noises, with ``ood_low`` and ``ood_high``, its 95 % interval over
        images; a column per noise, the unweighted mean over its levels; ``seconds`` per image.

    Raises
    ------
    ValueError
        If the metric is unknown or empty, its direction is unknown, or nothing is shared.
    """
    sign = -1 if is_higher_better(table, metric, higher_is_better) else 1
    rows = shared_rows(with_values(check_table(table), metric))
    if rows.empty:
        raise ValueError(
            f"no cell with {metric} is shared by all models; compare fewer models or finish the run"
        )
    lines, noises = [], []
    for (dataset, model), part in rows.groupby(["dataset", "model"]):
        trained, others = _split(part, in_distribution)
        ood = estimate(score_matrix(others, metric))
        line = {
            "dataset": dataset,
            "model": model,
            "place": [*reference, model].index(model),
            "in_distribution": trained.groupby("seed")[metric].mean().mean(),
            "ood": ood.mean,
            "ood_low": ood.low,
            "ood_high": ood.high,
            "seconds": part["seconds"].mean(),
        }
        means = noise_means(score_matrix(others, metric)).to_dict()
        noises += means
        lines.append(line | means)
    board = pd.DataFrame(lines)
    board["loss"], board["loss_trained"] = sign * board["ood"], sign * board["in_distribution"]
    board = board.sort_values(["dataset", "place", "loss", "loss_trained", "model"])
    summary = ["in_distribution", "ood", "ood_low", "ood_high"]
    columns = [*summary, *noise_order(noises, in_distribution[0]), "seconds"]
    return board.set_index(["dataset", "model"])[columns]


def comparison(
    table: pd.DataFrame,
    metric: str = "psnr",
    in_distribution: tuple[str, float] = IN_DISTRIBUTION,
    reference: Sequence[str] = REFERENCE,
    higher_is_better: Mapping[str, bool] | None = None,
) -> pd.DataFrame:
    """The mean over noises of each model less that of one other, image by image.

    The other is ``baseline`` where ``masked`` is there too, else the best model of the dataset.

    Returns
    -------
    pandas.DataFrame
        Indexed by (dataset, model) in the order of `leaderboard`: ``against``, ``difference``,
        its 95 % interval ``low`` to ``high``, and Wilcoxon's ``p``. Empty for a single model.
    """
    board = leaderboard(table, metric, in_distribution, reference, higher_is_better)
    rows = shared_rows(with_values(check_table(table), metric))
    _, others = _split(rows, in_distribution)
    scores = {key: score_matrix(part, metric) for key, part in others.groupby(["dataset", "model"])}
    lines = []
    for dataset in board.index.unique("dataset"):
        models = list(board.loc[dataset].index)
        ranked = [model for model in models if model not in reference] or models
        against = "baseline" if {"baseline", "masked"} <= set(ranked) else ranked[0]
        for model in models:
            if model != against and (dataset, model) in scores:
                found = paired_difference(scores[dataset, model], scores[dataset, against])
                lines.append((dataset, model, against, found.mean, found.low, found.high, found.p))
    columns = ["dataset", "model", "against", "difference", "low", "high", "p"]
    return pd.DataFrame(lines, columns=columns).set_index(["dataset", "model"])


def cell_means(table: pd.DataFrame) -> pd.DataFrame:
    """A line per model, dataset, noise and level that all models share: means over images.

    Seeds count equally. A mean is NaN if one of its values is. Timings come last.
    """
    rows, key = shared_rows(table), ["model", "dataset", "noise", "level"]
    values = [*metric_names(table), "seconds"]
    means = rows.groupby(["model", *CELL])[values].agg(lambda part: part.mean(skipna=False))
    means = means.groupby(level=key).agg(lambda part: part.mean(skipna=False))
    means.insert(len(values) - 1, "n_images", rows.groupby(key)["image"].nunique())
    return means.reset_index()


def is_higher_better(
    table: pd.DataFrame, metric: str, given: Mapping[str, bool] | None = None
) -> bool:
    """Direction of a metric, from ``given``, ``table.attrs`` or its name; else ValueError."""
    known = {**table.attrs.get("higher_is_better", {}), **(given or {})}
    if metric in known:
        return known[metric]
    if metric.startswith(("psnr", "ssim")):
        return True
    raise ValueError(
        f"nothing says whether a higher {metric} is better; "
        f"pass higher_is_better={{'{metric}': True}}, or False"
    )


def present_metrics(table: pd.DataFrame) -> list[str]:
    """The metrics which have values, PSNR first; ValueError if none has."""
    present = [name for name in metric_names(table) if table[name].notna().any()]
    if not present:
        raise ValueError("no metric in the table of scores has a value, so there is no leaderboard")
    return sorted(present, key=lambda name: name != "psnr")


def with_values(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The lines on which a metric has a value; ValueError if there is none."""
    present = present_metrics(table)
    if metric not in present:
        raise ValueError(f"the table of scores has no {metric}; it has {', '.join(present)}")
    return table.dropna(subset=metric)


def dataset_order(table: pd.DataFrame) -> list[str]:
    """Datasets by name, those with recorded noise last: they have its name."""
    recorded = set(table.loc[table["noise"] == table["dataset"], "dataset"])
    return sorted(table["dataset"].unique(), key=lambda dataset: (dataset in recorded, dataset))


def noise_order(noises: Sequence[str], first: str = IN_DISTRIBUTION[0]) -> list[str]:
    """The noise of training first, the others by name: the same from any table."""
    return sorted(set(noises), key=lambda noise: (noise != first, noise))


def label(model: str) -> str:
    """What readers see for a model: ``identity`` is the noisy input itself."""
    return "noisy input" if model == "identity" else model


def metric_label(metric: str) -> str:
    """A metric's name and unit: ``PSNR (dB)``, ``SSIM``, ``LPIPS``."""
    name = metric.upper().replace("_", "-")
    return f"{name} (dB)" if metric.startswith("psnr") else name


def _split(
    rows: pd.DataFrame, in_distribution: tuple[str, float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The lines of the noise and level of training, and all others."""
    noise, level = in_distribution
    trained = (rows["noise"] == noise) & (rows["level"] == level)
    return rows[trained], rows[~trained]
