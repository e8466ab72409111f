"""Which printed numbers and which measured ones are of the same thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from benchmark.cells.records import Record
from benchmark.cells.scores import CELL, Scores
from benchmark.datasets import DATASETS
from benchmark.noise import NOISE_MODELS
from benchmark.protocol import Protocol, protocol_of
from benchmark.registry import Registry
from benchmark.reporting.published.numbers import Published, numbers
from benchmark.reporting.statistics import group_means
from benchmark.settings import identity_of, plain
from benchmark.signature import settings_of

FACTS = ("of", "images", "sha256")  # what a cell says of a dataset beside its settings
MEAN = ["model", "dataset", "noise", "level"]
KEY = ["model", *CELL]  # of a cell: the same with its seed


@dataclass(frozen=True)
class Comparison:
    """A printed number and the measured one that it can be held against.

    Parameters
    ----------
    model
        The name of the measured one, which is of the printed one's class.
    metric
        One of the printed scores, and the name of its column in the scores.
    measured
        The mean over all images of the dataset and the seeds which have all, counting equally.
    """

    published: Published
    dataset: str
    noise: str
    level: float
    model: str
    metric: str
    measured: float

    @property
    def printed(self) -> Decimal:
        return self.published.scores[self.metric]

    @property
    def difference(self) -> float:
        """The measured number less the printed one."""
        return self.measured - float(self.printed)


def comparisons(scores: Scores, printed: Sequence[Published] | None = None) -> list[Comparison]:
    """Every printed number beside each measured one of the same thing.

    That is: the same dataset without crop, limit or other settings of its own, every image of it
    scored; the same noise with its default settings, at the same level; the same protocol; a model
    of the same class, whatever it was trained on, which the printed number says of itself.

    Parameters
    ----------
    scores
        With the records of its cells: where these are missing nothing says what was measured.
    printed
        By default those which travel with the package.
    """
    cells = scores.records
    if not cells:
        return []
    metrics = sorted({metric for cell in cells for metric in cell["settings"]["metrics"]})
    columns = [metric for metric in metrics if metric in scores.rows]
    means = group_means(scores.rows, KEY, columns).set_index(KEY)
    counts = scores.rows.groupby(KEY)["image"].nunique()
    by_thing: dict[tuple[object, ...], dict[tuple[Any, ...], list[Record]]] = {}
    for cell in cells:
        is_whole = counts.get(_key(cell, KEY)) == cell["settings"]["dataset"].get("images")
        if is_whole and _is_as_printed(cell["settings"]):
            seeds = by_thing.setdefault(_thing(cell), {})
            seeds.setdefault(_key(cell, MEAN), []).append(cell)
    found = []
    for number in numbers() if printed is None else printed:
        thing = number.dataset, number.noise, number.model, number.level
        for (model, dataset, noise, level), seeds in by_thing.get(thing, {}).items():
            for metric in filter(columns.__contains__, number.scores):
                own = [cell for cell in seeds if metric in _metrics(number, cell["settings"])]
                values = [float(means.loc[_key(cell, KEY)][metric]) for cell in own]
                values = [value for value in values if value == value]  # NaN: an image lacks it
                if values:
                    mean = sum(values) / len(values)
                    found.append(Comparison(number, dataset, noise, level, model, metric, mean))
    return found


def _key(cell: Record, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(cell["cell"][name] for name in names)


def _thing(cell: Record) -> tuple[object, ...]:
    """The classes of a cell's dataset, noise and model, and its level."""
    classes = (cell["settings"][role].get("of") for role in ("dataset", "noise", "model"))
    return *classes, cell["cell"]["level"]


def _is_as_printed(settings: Mapping[str, Any]) -> bool:
    """Whether a dataset and a noise have their default settings."""
    dataset, noise = settings["dataset"], settings["noise"]
    return _is_default(DATASETS, dataset) and _is_default(NOISE_MODELS, noise)


def _metrics(number: Published, settings: Mapping[str, Any]) -> Iterator[str]:
    """The printed scores which a cell has as well, under the same protocol."""
    for metric in number.scores:
        its = settings["metrics"].get(metric, {})
        if its.get("of") == metric and _agree(number, settings["protocol"], its):
            yield metric


def _agree(number: Published, facts: Mapping[str, Any], metric: Mapping[str, Any]) -> bool:
    """Whether a cell's metric was computed under the protocol of a printed number.

    Where the noise's random numbers come from does not count.

    Parameters
    ----------
    facts
        What the cell says of its protocol.
    metric
        The settings of one of its metrics; without a border it leaves out none in any protocol.
    """
    printed = _of_noise(protocol_of(number.protocol), number.noise)
    try:
        ours = _of_noise(Protocol.of(facts), number.noise)
    except ValueError:
        return False  # a protocol of another version
    border = metric.get("border", printed.border)
    return replace(ours, draw=printed.draw, border=border) == printed


def _of_noise(protocol: Protocol, noise: str) -> Protocol:
    """What a protocol does with one noise."""
    return replace(protocol, noisy_clipped=protocol.clips(noise), unclipped=())


def _is_default(registry: Registry[Any], recorded: Mapping[str, Any]) -> bool:
    """Whether what a cell records of an object is what its class does by default."""
    cls = registry.find(recorded["of"])  # a report alone has loaded none
    if cls is None:
        return False
    defaults = {name: default for name, (_, default) in settings_of(cls).items()}
    default = plain(identity_of(cls, defaults))
    return all(default.get(name) == of for name, of in recorded.items() if name not in FACTS)
