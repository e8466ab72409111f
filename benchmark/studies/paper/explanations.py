"""Why masked training generalizes: which of the paper's explanations hold for networks here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.reporting.tables import ABSENT, Table
from benchmark.reporting.trainings.page import Run as Curves
from benchmark.reporting.trainings.page import conditions, read_runs
from benchmark.studies.ablation import mean_brightness
from benchmark.studies.analyses.pages import read_table
from benchmark.studies.paper.plan import FOUR, PAIR, Plan

PLAIN = PAIR[0]  # the network without masks
STEADY = 0.1  # dB: few images tell no smaller change apart
STEP = 0.5  # of 255: half of a step of 8 bits cannot be seen

Values = Mapping[str, float]  # by noise and level, in words


@dataclass(frozen=True)
class Finding:
    """One explanation, held against one masked network.

    Parameters
    ----------
    claim
        What the paper says.
    part
        Its figure.
    measure
        What the numbers are.
    network
        The masked network; empty where nothing is made.
    plain, masked
        What was measured of the network without masks and of the masked one.
    floor
        What their difference has to exceed.
    sign
        1 where the masked network is to have more, -1 where less.
    digits
        Behind the point, of the numbers.
    note
        What else has to be known of them.
    """

    claim: str
    part: str
    measure: str = ""
    network: str = ""
    plain: Values = field(default_factory=dict)
    masked: Values = field(default_factory=dict)
    floor: float = 0.0
    sign: int = -1
    digits: int = 2
    note: str = ""

    @cached_property
    def differences(self) -> dict[str, float]:
        """By how much the masked network is nearer to the claim than the plain one."""
        both = [name for name in self.masked if name in self.plain]
        return {name: self.sign * (self.masked[name] - self.plain[name]) for name in both}

    @property
    def verdict(self) -> str:
        """``holds``, ``does not hold``, ``within the floor``, how often, or ``not made``."""
        if not self.differences:
            return "not made"
        beyond = [value for value in self.differences.values() if abs(value) > self.floor]
        positive, count = sum(value > 0 for value in beyond), len(self.differences)
        negative = len(beyond) - positive
        if positive == count:
            return "holds"
        if positive:
            against = f", the opposite for {negative}" if negative else ""
            return f"holds for {positive} of {count} noises{against}"
        return "does not hold" if beyond else "within the floor"


SCORES = (
    "What the others explain: the masked network restores noises which it was not trained on "
    "better than the one without masks"
)
CKA = (
    "Deep layers of the network without masks treat another noise differently, those of the "
    "masked one alike"
)
CURVES = "Longer training costs the network without masks quality on other noises, the masked less"
SRGA = "The masked network's deepest features move less under another noise"
FEATURES = "The values of the masked network's deepest features keep their distribution better"
BRIGHTNESS = "Without the attention mask the images of a masked network are too bright"


def findings(plan: Plan) -> list[Finding]:
    """Every explanation for every masked network of which there are results."""
    analyses = plan.folders["analyses"]
    found = []
    for claim, part, own in (
        (SCORES, "figure_11", _scores(plan)),
        (CKA, "figure_12", _cka(analyses / "cka/cka.csv", plan.dataset)),
        (CURVES, "figure_13", _curves(plan.folders["training"])),
        (SRGA, "figure_14", _srga(analyses / "srga/srga.csv", plan.dataset)),
        (FEATURES, "figure_15", _features(analyses / "features/features.csv", plan.dataset)),
        (BRIGHTNESS, "figure_5", _brightness(plan.folders["ablations"] / "masks/brightness.csv")),
    ):
        try:
            there = [Finding(claim, part, **values) for values in own]
        except ValueError as error:  # a table which is damaged, or of another version
            there = [Finding(claim, part, note=str(error).rstrip("."))]
        found += there or [Finding(claim, part)]
    return found


def verdicts(found: Sequence[Finding]) -> Table:
    """A line for each explanation and masked network."""
    header = ["the paper's explanation", "part", "network", "here"]
    rows = [[one.claim, _title(one), one.network or ABSENT, one.verdict] for one in found]
    return Table(header, rows, {(row, 3): "bold" for row in range(len(rows))}, left=header)


def measured(found: Sequence[Finding]) -> Table:
    """The numbers behind the verdicts: a line for each noise."""
    header = ["part", "measure", "noise", "network", "masked", "without masks", "floor"]
    rows = [
        [
            _title(one),
            one.measure,
            noise,
            one.network,
            f"{one.masked[noise]:.{one.digits}f}",
            f"{one.plain[noise]:.{one.digits}f}",
            f"{one.floor:.{one.digits}f}" if one.floor else ABSENT,
        ]
        for one in found
        for noise in one.differences
    ]
    return Table(header, rows, left=header[:4])


def notes(found: Sequence[Finding]) -> list[str]:
    """What has to be known of the numbers of a part, each once."""
    return list(dict.fromkeys(f"{_title(one)}: {one.note}." for one in found if one.note))


def all_lines(found: Sequence[Finding]) -> pd.DataFrame:
    """A line for each noise, in full precision; one where nothing is made."""
    lines = [
        {
            "part": one.part,
            "network": one.network,
            "noise": noise,
            "measure": one.measure,
            "masked": one.masked.get(noise, np.nan),
            "without_masks": one.plain.get(noise, np.nan),
            "floor": one.floor,
            "verdict": one.verdict,
        }
        for one in found
        for noise in one.differences or [""]
    ]
    return pd.DataFrame(lines)


def _title(one: Finding) -> str:
    return one.part.replace("_", " ").capitalize()


Found = Iterator[dict[str, Any]]  # keywords of `Finding`


def _of_images(rows: pd.DataFrame, dataset: str) -> tuple[pd.DataFrame, str]:
    """The lines of a dataset, or of the first one where it has none: which then is said."""
    there = [*dict.fromkeys(rows["dataset"])]
    if dataset not in there and there:
        return rows[rows["dataset"] == there[0]], f"measured on {there[0]}"
    return rows[rows["dataset"] == dataset], ""


def _by_noise(rows: pd.DataFrame, noise: str, level: str, value: str) -> dict[str, float]:
    """Means by noise and level, in the order of the lines."""
    names = rows[noise] + rows[level].map(" {:g}".format)
    return rows.groupby(names, sort=False)[value].mean().to_dict()


def _pairs(values: Mapping[str, Values], **more: object) -> Found:
    """Of each masked network, its values and those of the network without masks."""
    for name in values if PLAIN in values else ():
        if name.startswith("masked"):
            yield {"network": name, "plain": values[PLAIN], "masked": values[name], **more}


def _scores(plan: Plan) -> Found:
    """Mean PSNR over the levels of each noise of Figure 11."""
    columns = ("model", "dataset", "noise", "level", "psnr")
    rows = read_table(plan.folders["scores"] / "leaderboard.csv", *columns)
    if rows.empty:
        return
    rows = rows[rows["noise"].isin(FOUR) & (rows["dataset"] == plan.dataset)]
    values = {
        str(name): {str(noise): psnr.mean() for noise, psnr in own.groupby("noise")["psnr"]}
        for name, own in rows.groupby("model", sort=False)
    }
    yield from _pairs(values, sign=1, floor=STEADY, measure="PSNR (dB), mean over levels ↑")


def _cka(path: Path, dataset: str) -> Found:
    """CKA of each layer of the deeper half with itself under another noise."""
    sides = [f"{side}_{what}" for side in ("left", "right") for what in ("model", "layer")]
    rows = read_table(path, "dataset", *sides, "right_noise", "right_level", "cka")
    if rows.empty:
        return
    rows, where = _of_images(rows, dataset)
    same = rows[rows["left_model"] == rows["right_model"]]
    same = same[same["left_layer"] == same["right_layer"]]
    layers = [*dict.fromkeys(same["left_layer"])]
    deep = same[same["left_layer"].isin(layers[len(layers) // 2 :])]
    values = {
        str(name): _by_noise(own, "right_noise", "right_level", "cka")
        for name, own in deep.groupby("left_model", sort=False)
    }
    count = len(layers) - len(layers) // 2
    note = (
        f"each layer with itself under gaussian 15, mean of the {count} deepest of {len(layers)}; "
        "what the paper says of the two networks with each other, its part (a), is shown only"
    )
    note = "; ".join(filter(None, [note, where]))
    yield from _pairs(values, sign=1, digits=4, measure="CKA ↑", note=note)


def _srga(path: Path, dataset: str) -> Found:
    rows = read_table(path, "dataset", "model", "noise", "level", "patches", "srga", "floor_again")
    if rows.empty:
        return
    rows, where = _of_images(rows, dataset)
    most = rows[rows["patches"] == rows["patches"].max()]
    for one in _moved(most, "srga", "floor_again", measure="SRGA ↓", digits=2):
        halves = most[most["model"].isin([PLAIN, one["network"]])].get("floor_halves")
        if halves is not None:
            said = f"{halves.min():.2f} to {halves.max():.2f}"
            said = f"between two halves of the crops under gaussian 15 it is {said}"
            one["note"] = "; ".join(filter(None, [said, where]))
        yield one


def _features(path: Path, dataset: str) -> Found:
    rows = read_table(path, "dataset", "model", "noise", "level", "distance", "floor")
    if rows.empty:
        return
    rows, where = _of_images(rows, dataset)
    others = rows[rows["distance"] > 0]  # the reference is at no distance from itself
    more = {"measure": "Wasserstein's distance ↓", "digits": 4, "note": where}
    yield from _moved(others, "distance", "floor", **more)


def _moved(rows: pd.DataFrame, value: str, floor: str, **more: object) -> Found:
    """How far features move: a difference counts beyond the larger of both networks' floors."""
    values = {
        str(name): _by_noise(own, "noise", "level", value)
        for name, own in rows.groupby("model", sort=False)
    }
    floors = rows.groupby("model")[floor].max()
    for one in _pairs(values, **more):
        yield {**one, "floor": float(floors[[PLAIN, str(one["network"])]].max())}


def _curves(folder: Path) -> Found:
    """By how much PSNR at the end of a training is below that at its best step."""
    runs = read_runs(folder) if folder.is_dir() else {}
    trained = {run.trained_on for run in runs.values()}
    others = [place for place in conditions(runs) if place not in trained]
    sizes = {name.removeprefix(PLAIN): name for name in runs if name.startswith(PLAIN)}
    for name, run in runs.items():
        own = [size for size in sizes if name.endswith(size)]
        if not name.startswith("masked") or not own:
            continue
        partner = runs[sizes[max(own, key=len)]]  # the published size has no suffix
        plain, masked = (
            {f"{noise} {level:g}": _loss(one, (noise, level)) for noise, level in others}
            for one in (partner, run)
        )
        psnr = partner.at(partner.trained_on)["psnr"]
        yield {
            "network": name,
            "plain": plain,
            "masked": masked,
            "floor": STEADY,
            "measure": "PSNR (dB) lost since the best step ↓",
            "note": "between its first and last validation the network without masks gained "
            f"{psnr.iloc[-1] - psnr.iloc[0]:.2f} dB on its own noise",
        }


def _loss(run: Curves, condition: tuple[str, float]) -> float:
    psnr = run.at(condition)["psnr"]
    return float(psnr.max() - psnr.iloc[-1]) if len(psnr) else np.nan


def _brightness(path: Path) -> Found:
    """How much brighter outputs are than the clean images, with the attention mask and without."""
    histograms = read_table(path)
    if not {"clean", "input_only", "masked"} <= {*histograms}:
        return
    means = {name: mean_brightness(histograms[name].to_numpy()) for name in histograms}
    without, both = (means[name] - means["clean"] for name in ("input_only", "masked"))
    yield {
        "network": "masked",
        "plain": {"gaussian 15": without},
        "masked": {"gaussian 15": abs(both)},
        "floor": STEP,
        "digits": 1,
        "measure": "mean luma above that of the clean images; of masked, away from it",
        "note": "without masks stands here for input_only, the network without the attention mask",
    }
