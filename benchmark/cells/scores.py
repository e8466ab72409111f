"""The table of scores: a line for each image, and what its columns and names mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.cells.provenance import PIXELS, Made
from benchmark.cells.records import Record

if TYPE_CHECKING:
    import pandas as pd

CELL = ["dataset", "noise", "level", "seed"]
ROW = [*CELL, "image"]
LABELS = {"identity": "noisy input"}  # of models, where no other is chosen
LIMIT = "limit"
PARTS = ("crop", LIMIT)  # settings of every dataset which take a part of it
MOST_DIGITS = 15  # behind the point; more of them say nothing about a float64


@dataclass(frozen=True)
class Scale:
    """How the numbers of a metric are read: which way is better, in which unit, to how many digits.

    Parameters
    ----------
    higher_is_better
        None where nobody said; `is_higher_better` is an error then.
    digits
        Behind the point, where a score is printed.
    """

    metric: str
    higher_is_better: bool | None = None
    unit: str = ""
    digits: int = 4

    @property
    def is_higher_better(self) -> bool:
        """The direction; ``ValueError`` if it is not known."""
        if self.higher_is_better is None:
            raise ValueError(
                f"nothing says whether a higher {self.metric} is better; "
                f"pass higher_is_better={{'{self.metric}': True}}, or False"
            )
        return self.higher_is_better

    @property
    def label(self) -> str:
        """The metric's name and unit: ``PSNR (dB)``, ``SSIM``, ``LPIPS``."""
        name = self.metric.upper().replace("_", "-")
        return f"{name} ({self.unit})" if self.unit else name

    @property
    def heading(self) -> str:
        """The label and the direction: ``PSNR (dB) ↑``."""
        return f"{self.label} {'↑' if self.is_higher_better else '↓'}"


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """The scores of any number of cells, with everything that a reader of them has to know.

    Parameters
    ----------
    rows
        A line per image: ``model``, the five names of `ROW`, a column per metric, and ``seconds``.
        Columns ``noisy`` and ``clean``, where there are some, are hashes of pixels.
    scales
        By metric.
    border
        Pixels left out at each side, by dataset and metric.
    protocols
        What the cells record of how images are treated before they are compared; none where that is
        not known. Of several, only those of one are shown in a table.
    units, notes
        By noise: what a level counts, and the noise's caveat.
    model_notes
        By model: its caveat.
    partners
        By model, the one with which it is to be compared.
    inference
        By dataset and model, how images were restored, if not whole, in fp32 and by torch.
    made
        What the cells were made by, where they were not made alike.
    records
        The cells as they are stored, without their images; none where the rows come from elsewhere.
    families
        By noise: its family, where that is known.
    suites
        By the name of a suite, the noises which it chooses at once.
    trained_on
        By model, those of the cells' noises and levels which it was trained on: none where that is
        known to be another. Models of which nothing is known are not in it.
    labels
        By model or noise, what readers see in place of its name. See `label`.
    """

    rows: pd.DataFrame
    scales: Mapping[str, Scale]
    border: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    protocols: Sequence[Mapping[str, Any]] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    model_notes: Mapping[str, str] = field(default_factory=dict)
    partners: Mapping[str, str] = field(default_factory=dict)
    inference: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    made: Made | None = None
    records: Sequence[Record] = ()
    families: Mapping[str, str] = field(default_factory=dict)
    suites: Mapping[str, Sequence[str]] = field(default_factory=dict)
    trained_on: Mapping[str, Collection[tuple[str, float]]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Scores of {', '.join(self.models) or 'nothing'}\n{self.rows}"

    def _repr_html_(self) -> str:
        return self.rows.to_html(max_rows=12)  # what a notebook shows

    @property
    def models(self) -> list[str]:
        """All models which have cells, whether they have lines here or not, by name."""
        return sorted({*self.rows["model"], *(record["cell"]["model"] for record in self.records)})

    def label(self, name: str) -> str:
        """What readers see for a model or a noise; see `label_of`."""
        return label_of(name, self.labels)

    def dataset_label(self, dataset: str, rows: pd.DataFrame | None = None) -> str:
        """A dataset and what of it was taken, if not all: ``kodak24 (crop=128, limit=12)``.

        Of several crops it says all, ``kodak24 (crop=64 or 128)``, and of several limits none: the
        images are counted wherever a label stands.

        Parameters
        ----------
        rows
            Lines of the cells which are meant: by default all of the dataset.
        """
        parts = []
        for key, values in self.parts_of(dataset, rows).items():
            if values != {None} and (key != LIMIT or len(values) == 1):
                known = [str(value) for value in sorted(v for v in values if v is not None)]
                parts.append(f"{key}={' or '.join([*known, *['none'] * (None in values)])}")
        return f"{dataset} ({', '.join(parts)})" if parts else dataset

    def parts_of(
        self, dataset: str, rows: pd.DataFrame | None = None
    ) -> dict[str, set[int | None]]:
        """By crop and limit what they were in the cells of a dataset; see `dataset_label`."""
        cells = None if rows is None else {*rows[CELL].itertuples(index=False, name=None)}
        found: dict[str, set[int | None]] = {}
        for record in self.records:
            cell, settings = record["cell"], record["settings"]["dataset"]
            key = tuple(cell[name] for name in CELL)
            if cell["dataset"] == dataset and (cells is None or key in cells):
                for part in PARTS:
                    found.setdefault(part, set()).add(settings.get(part))
        return found

    def of(
        self,
        *,
        models: Iterable[str] | None = None,
        datasets: Iterable[str] | None = None,
        noises: Iterable[str] | None = None,
        levels: Iterable[float] | None = None,
    ) -> Scores:
        """The lines of these models, datasets, noises and levels; of all where none are named.

        Raises
        ------
        ValueError
            If there is no line of one of them.
        """
        rows = self.rows
        chosen = {"model": models, "dataset": datasets, "noise": noises, "level": levels}
        for kind, names in chosen.items():
            if names is None:
                continue
            wanted, known = list(names), sorted(self.rows[kind].unique())
            for name in wanted:
                if name not in known:
                    raise ValueError(
                        f"no scores of {kind} '{name}'; there are: "
                        f"{', '.join(map(str, known)) or 'none'}"
                    )
            rows = rows[rows[kind].isin(wanted)]
        return replace(self, rows=rows)


def label_of(name: str, labels: Mapping[str, str] = LABELS) -> str:
    """What readers see for a model or a noise: its label, or its name where it has none.

    A training has the label of its network, as ``Ours@2``. ``identity`` is the noisy input itself,
    unless it is labelled.
    """
    known = {**LABELS, **labels}
    network, *training = re.split("(?=@)", name, maxsplit=1)
    return known.get(name) or "".join([known.get(network, network), *training])


def metric_names(rows: pd.DataFrame) -> list[str]:
    """The metrics of a table: every column which is no name of the line, its time or its pixels."""
    known = ["model", *ROW, "seconds", *PIXELS]
    return [name for name in rows.columns if name not in known]


def known_scale(metric: str) -> Scale:
    """What a metric's name says: all of PSNR and SSIM, and of their variants, else no direction."""
    if metric.startswith("psnr"):
        return Scale(metric, True, "dB", 2)
    return Scale(metric, True if metric.startswith("ssim") else None)


def digits_of(metric: str, labels: Mapping[str, Any]) -> int:
    """How many digits of a metric are printed, as the labels of a cell say, from 0 to 15."""
    digits = labels.get("digits", {}).get(metric, known_scale(metric).digits)
    return min(max(digits, 0), MOST_DIGITS)


def read_names_as_text(path: str | Path, columns: Iterable[str]) -> pd.DataFrame:
    """A CSV file, in which these columns are text whatever it looks like: a model may be 1, or NA.

    Columns which it lacks do not count.

    Raises
    ------
    ValueError
        If it is empty or no CSV.
    """
    import pandas as pd

    names = dict.fromkeys(columns, str)
    return pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])


def as_scores(
    table: Scores | pd.DataFrame | str | Path, higher_is_better: Mapping[str, bool] | None = None
) -> Scores:
    """Scores from anywhere: a table without labels, or the CSV file of one, as well.

    Parameters
    ----------
    higher_is_better
        Direction of metrics about which nothing else says it; psnr and ssim are known.
    """
    if isinstance(table, (str, Path)):
        table = read_names_as_text(table, ["model", "dataset", "noise", "image"])
    if not isinstance(table, Scores):
        table = Scores(table, {name: known_scale(name) for name in metric_names(table)})
    given = {
        name: replace(table.scales.get(name, known_scale(name)), higher_is_better=better)
        for name, better in (higher_is_better or {}).items()
    }
    return replace(table, scales={**table.scales, **given})
