"""The indices of generalization as people read them: a table, and what is said under it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from benchmark.cells.scores import Scores
from benchmark.reporting.generalization.indices import INTERVALS, SEVERITIES, Generalization, of
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.tables import ABSENT, Table

PAGE = "docs/generalization.md"


@dataclass(frozen=True, eq=False)
class Section:
    """What a leaderboard says of the generalization of its models."""

    table: Table
    sentences: list[str]


def section(scores: Scores, ranking: Ranking) -> Section | None:
    """The section of a ranking; None where fewer than two noises beyond training are compared."""
    found = of(scores, ranking)
    if len({noise for noise, _ in found.conditions}) < 2:
        return None
    return Section(_table(found), _sentences(found))


def _headings(found: Generalization) -> dict[str, str]:
    """The heading of each column that has a number, by its name."""
    noise, level = found.ranking.in_distribution
    headings = {
        "in_distribution": f"{found.ranking.label(noise)} {level:g}",
        "ood": "OOD mean",
        **{f"ood_{suite}": f"OOD mean, {suite}" for suite in found.suites},
        "ood_families": "OOD mean by family",
        "gap": "gap",
        "worst_family": "worst family",
        "gain_noisy": "gain over noisy input",
        "gain_bm3d": "gain over bm3d",
        "area": "area",
        "oracle_share": "share of oracle's gain",
    }
    return {name: text for name, text in headings.items() if found.table[name].notna().any()}


def _table(found: Generalization) -> Table:
    headings, ranking = _headings(found), found.ranking
    rows = [
        [ranking.label(str(model)), *(_text(line, name, ranking) for name in headings)]
        for model, line in found.table.iterrows()
    ]
    header = ["model", *headings.values()]
    return Table(header, rows, rule=ranking.rule)


def _text(line: pd.Series, name: str, ranking: Ranking) -> str:
    """An index with half its interval, where it has one; gains and gaps with their sign."""
    value, digits = line[name], ranking.scale.digits
    if pd.isna(value):
        return ABSENT
    if name == "worst_family":
        return f"{ranking.label(value)} {line['worst']:.{digits}f}"
    if name == "oracle_share":
        return f"{100 * value:.0f} %"
    signed = "+" if name.startswith("ga") else ""
    text = f"{value:{signed}.{digits}f}"
    if name in INTERVALS:
        low, high = (line[bound] for bound in INTERVALS[name])
        text += "" if pd.isna(low) else f" ± {(high - low) / 2:.{digits}f}"
    return text


def _sentences(found: Generalization) -> list[str]:
    headings, scale, label = _headings(found), found.ranking.scale, found.ranking.label
    alone = " alone, not over trainings" * bool((found.ranking.trainings > 1).any())
    said = [f"Each index: `{PAGE}`; ± is half its 95 % bootstrap interval over images{alone}."]
    for suite, own in found.suites.items():
        said.append(
            f"OOD mean, {suite}: unweighted mean over {len(own)} noises of `noise={suite}`."
        )
    families = len(found.families)
    several = f"{families} famil{'y' if families == 1 else 'ies'}"
    said.append(f"By family: unweighted mean over {several}, each that over its noises.")
    if "gap" in headings:
        first, second = headings["in_distribution"], "the mean by family"
        if not scale.is_higher_better:
            first, second = second, first
        said.append(f"Gap: {first} less {second}.")
    if "gain_noisy" in headings or "gain_bm3d" in headings:
        said.append("Gain: in the mean by family, on the same images; above zero is better.")
    if "area" in headings:
        said.append(_area(found))
    if found.oracles:
        known = [f"{label(m)} ({label(n)} {level:g})" for (n, level), m in found.oracles.items()]
        lacking = "" if "oracle_share" in headings else "; without a gain over the noisy input"
        said.append(f"Oracles, trained on what they are tested on: {', '.join(known)}{lacking}.")
    elsewhere = [label(str(m)) for m in found.table.index if found.is_trained_elsewhere(str(m))]
    if elsewhere:
        noise, level = found.ranking.in_distribution
        names = ", ".join(elsewhere)
        said.append(
            f"Not trained on {label(noise)} {level:g}, so without that column and gap: {names}."
        )
    if any(own != [family] for family, own in found.families.items()):
        own = [f"{label(f)} ({', '.join(map(label, own))})" for f, own in found.families.items()]
        said.append(f"Families: {', '.join(own)}.")
    return said


def _area(found: Generalization) -> str:
    """Which severities and which noises are behind the areas."""
    (low, high), noises = SEVERITIES, sorted({noise for noise, _ in found.conditions})
    lacking = [found.ranking.label(noise) for noise in noises if noise not in found.curves]
    without = f"; not from end to end: {', '.join(lacking)}" if lacking else ""
    return (
        f"Area: mean by family where the noisy input has {low:g} to {high:g} dB, of "
        f"{len(found.curves)} of {len(noises)} noises{without}."
    )
