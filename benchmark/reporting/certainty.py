"""How sure a ranking is, in words and tables: what intervals cover, who is tied."""

from __future__ import annotations

import numpy as np

from benchmark.cells.scores import CELL
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.statistics import RESAMPLES
from benchmark.reporting.statistics.pairs import LEVEL
from benchmark.reporting.tables import ABSENT, Table


def covered(ranking: Ranking) -> str:
    """What intervals are over: ``12 images, 2 seeds of the noise and 3 trainings of masked``."""
    images, fewest = ranking.shared["image"].nunique(), _fewest(ranking)
    some = f" ({fewest} in some cells)" if fewest < images else ""
    parts = [f"{images} image{'s' * (images != 1)}{some}"]
    if max(ranking.seeds, default=1) > 1:
        parts.append(f"{' or '.join(map(str, ranking.seeds))} seeds of the noise")
    several = ranking.trainings[ranking.trainings > 1]
    for model, count in several.items():
        parts.append(f"{count} trainings of {ranking.label(str(model))}")
    return _listed(parts)


def interval_words(ranking: Ranking) -> list[str]:
    """What is said of the 95 % intervals; of training runs only where there are several."""
    said = [f"95 % interval: bootstrap over {covered(ranking)}, {RESAMPLES} resamples."]
    if ranking.table["ood_low"].isna().all():
        said = [f"No 95 % interval over {covered(ranking)}: it takes two in every cell."]
    if (ranking.trainings > 1).any() and (ranking.trainings == 1).any():
        said.append("Where a model has one training, the interval leaves others of it out.")
    if twice := ranking.duplicates:
        names = ", ".join(map(ranking.label, twice))
        said.append(f"The scores of another training, so counted once: {names}.")
    return said


def tie_words(ranking: Ranking, brief: bool = False) -> list[str]:
    """How models were compared, and what the groups and ranks say."""
    if not ranking.is_ranked:
        return []
    pairs = ranking.pairs
    images, alpha = pairs.measured.of_images.shape[1], f"{100 * LEVEL:.0f} %"
    over = f"{images} image{'s' * (images != 1)}"
    if images < ranking.shared["image"].nunique():
        over += " which all cells have"
    counts = [count for count in pairs.counts if count]  # of ranked models, and with a reference
    if pairs.least_p * min(counts) >= LEVEL:
        return [
            f"No two models can be told apart over {over}: the least p there can be is "
            f"{_p(pairs.least_p)}, too much for {_pairs(min(counts))} tested together at {alpha}."
        ]
    tested = _pairs(counts[0])
    if len(counts) > 1:
        tested = f"{_pairs(counts[0])} of ranked models and {counts[1]} with a reference"
    how = f"Wilcoxon's test over {over}, {tested}, Holm, {alpha}"
    if not ranking.tells_apart:
        return [f"No two models can be told apart ({how})."]
    if brief:
        return [f"Group: models which share a letter cannot be told apart ({how})."]
    ranked = "; references have none" if ranking.references else ""
    counted = ""
    if (ranking.trainings > 1).any():
        counted = ", and Student's t over images and trainings where there are several,"
    return [
        f"Group: models which share a letter cannot be told apart (Wilcoxon's signed-rank test "
        f"over {over}{counted} of {tested}, corrected by Holm to {alpha} for all "
        f"{'of a kind ' * (len(counts) > 1)}together).",
        f"Rank: the best and the worst place which these tests leave a model{ranked}.",
    ]


def bold_words(ranking: Ranking, brief: bool = False) -> list[str]:
    """What bold and italic mean."""
    said = []
    if any(ranking.best.values()):
        said.append(
            "Bold: the best model of a column and those which cannot be told apart from it, unless "
            "all are."
        )
        if not brief:
            said[0] += (
                " Each column has tests of its own, image by image, so that a lower mean may be "
                "bold where a higher one is not."
            )
    return [*said, *reference_words(ranking)]


def reference_words(ranking: Ranking) -> list[str]:
    """Which models are not ranked, and what italic means."""
    if not ranking.references:
        return []
    names = " and ".join(map(ranking.label, ranking.references))
    return [f"For reference, not ranked: {names}; italic where no model reaches it."]


def differences(ranking: Ranking) -> Table:
    """What `Ranking.differences` says, as texts."""
    rows = []
    for model, line in ranking.differences.iterrows():
        difference, low, high = (
            f"{line[name]:+.{ranking.scale.digits}f}" for name in ("difference", "low", "high")
        )
        interval = ABSENT if np.isnan(line["low"]) else f"{low} to {high}"
        certainty = [_p(line["p"]), _p(line["p_holm"])]
        rows.append([ranking.label(str(model)), difference, interval, *certainty])
    return Table(["model", "difference", "95 % interval", "p", "p, Holm"], rows)


def spreads(ranking: Ranking) -> Table | None:
    """What one draw of images, noise and training changes; None where only images were drawn."""
    if max(ranking.seeds, default=1) == 1 and (ranking.trainings == 1).all():
        return None
    found = ranking.spreads if ranking.noises else {}
    columns = {"other images": "images", "another seed": "seeds", "another training": "training"}
    digits = ranking.scale.digits + 1
    values = {
        heading: [getattr(spread, name) for spread in found.values()]
        for heading, name in columns.items()
    }
    seen = {heading: of for heading, of in values.items() if not np.isnan(of).all()}
    if set(seen) <= {"other images"}:
        return None
    texts = [
        [ABSENT if np.isnan(value) else f"{value:.{digits}f}" for value in of]
        for of in seen.values()
    ]
    rows = list(zip(map(ranking.label, found), *texts, strict=True))
    return Table(["model", *seen], rows)


def rank_text(low: float, high: float) -> str:
    """``3``, ``1 to 4``, or a dash where there is none."""
    if np.isnan(low):
        return ABSENT
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


def _p(value: float) -> str:
    if np.isnan(value):
        return ABSENT
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _pairs(count: int) -> str:
    return f"{count} pair{'s' * (count != 1)}"


def _fewest(ranking: Ranking) -> int:
    """How many images there are of the cell which has the fewest."""
    if ranking.shared.empty:
        return 0
    return int(ranking.shared.groupby(CELL)["image"].nunique().min())


def _listed(parts: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
