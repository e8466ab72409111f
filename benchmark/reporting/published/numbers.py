"""The numbers that papers printed, and the papers: two CSV files which travel with the package."""

import csv
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
METRICS = ("psnr", "ssim", "lpips")  # the columns which are scores


@dataclass(frozen=True)
class Source:
    """Where numbers come from: a line of ``sources.csv``.

    Parameters
    ----------
    source
        The key by which ``numbers.csv`` cites it.
    doi, arxiv
        Either may be empty.
    place
        The address at which the numbers were read.
    """

    source: str
    authors: str
    title: str
    year: int
    doi: str
    arxiv: str
    place: str

    @property
    def citation(self) -> str:
        """Authors, title, year and where it is to be found, as one line."""
        found = f"doi:{self.doi}" if self.doi else f"arXiv:{self.arxiv}" if self.arxiv else ""
        where = ", ".join(filter(None, [found, self.place]))
        return f"{self.authors}, {self.title}, {self.year}, {where}"


@dataclass(frozen=True)
class Published:
    """One printed number or several of one cell: a line of ``numbers.csv``.

    Parameters
    ----------
    source
        Key of a `Source`.
    table
        Which of its tables or figures.
    dataset, noise, level, model
        By the registered names; the model by its class, whatever its weights.
    scores
        By metric, the mean over the images of the dataset, with the digits that were printed.
    protocol
        As `benchmark.protocol` names it.
    training
        What the published weights were trained on.
    second_hand
        Whether it was read elsewhere than with those who measured it.
    note
        What else has to be known; may be empty.
    """

    source: str
    table: str
    dataset: str
    noise: str
    level: float
    model: str
    scores: dict[str, Decimal]
    protocol: str
    training: str
    second_hand: bool
    note: str


@cache
def numbers() -> tuple[Published, ...]:
    """Every line of ``numbers.csv``, in its order."""
    return tuple(_published(line) for line in _lines("numbers.csv"))


@cache
def sources() -> dict[str, Source]:
    """Every line of ``sources.csv``, by key."""
    found = (Source(**{**line, "year": int(line["year"])}) for line in _lines("sources.csv"))
    return {source.source: source for source in found}


def _published(line: dict[str, str]) -> Published:
    scores = {metric: Decimal(text) for metric in METRICS if (text := line.pop(metric))}
    level, second_hand = float(line.pop("level")), line.pop("second_hand") == "true"
    return Published(scores=scores, level=level, second_hand=second_hand, **line)


def _lines(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
