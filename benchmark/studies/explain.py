"""Which convention makes which part of a score: the table, the page and the CSV of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.cells import Cell
from benchmark.cells.provenance import Record
from benchmark.cells.scores import label_of
from benchmark.files.whole import write_whole
from benchmark.metrics import METRICS, Metric
from benchmark.metrics.perceptual import LPIPS
from benchmark.protocol import Protocol, name_of
from benchmark.reporting.pages import render
from benchmark.reporting.tables import ABSENT, Table
from benchmark.scoring.conventions import CONVENTIONS, Scoring, others, steps
from benchmark.scoring.explain import Score, explain
from benchmark.scoring.grid import Grid

LINE = ["dataset", "noise", "level", "seed", "model", "protocol", "convention"]
DIGITS = {"psnr": 3, "ssim": 4, "lpips": 4}  # a tenth of what people argue about
WHO = {convention.name: convention.who for convention in CONVENTIONS}
LPIPS_ONLY = "LPIPS: BGR"


@dataclass(frozen=True)
class Explained:
    """A cell's scores by a protocol, and with changes: each alone, or one after the other.

    Parameters
    ----------
    start, end
        Names of protocols; no end where each change stands alone.
    first
        The scores by ``start``.
    changed
        By what was changed. Of a walk from one protocol to another each has all changes before it,
        and the last one is ``end``.
    stored
        What the stored cell says of its own score, in words; "" for none.
    """

    cell: Cell
    start: str
    end: str | None
    first: Score
    changed: Mapping[str, Score]
    stored: str = ""

    def changes(self) -> Iterator[tuple[str, Score, Score]]:
        """What was changed, the scores with it, and those which it is compared with."""
        before = self.first
        for name, score in self.changed.items():
            yield name, score, before
            if self.end is not None:
                before = score


def lpips_metrics() -> dict[bool, Metric]:
    """LPIPS by whether it sees BGR.

    Raises
    ------
    benchmark.metrics.MetricUnavailable
        If its weights are not on this machine.
    """
    found = {False: LPIPS(), True: LPIPS(channel_order="bgr")}
    found[True].prepare()
    return {**found}


def measure(
    grid: Grid,
    start: Protocol,
    end: Protocol | None,
    device: str,
    lpips: Mapping[bool, Metric] | None = None,
    border: int | None = None,
) -> list[Explained]:
    """Score every cell of a grid by one protocol, and with changes to it.

    Parameters
    ----------
    end
        The protocol to walk to, one change after the other; None for every convention alone.
    lpips
        As `lpips_metrics` gives it; without it there is no LPIPS.
    border
        What is left out at the beginning, of a stored cell's PSNR; None is that of the dataset or
        the protocol.

    Raises
    ------
    ValueError
        If the two protocols do the same with every cell, or are not both of images of 8 bits,
        and of grey ones if one is.
    """
    if start.bits != 8:
        raise ValueError(
            f"the conventions which are known here are those of 8 bits, and protocol {start.name} "
            f"has {start.bits}; begin with one of 8"
        )
    if start.grey:
        lpips = None  # it sees colours
    found = []
    for cell in grid.cells:
        last = _of_dataset(grid, cell, end) if end else None
        own = _of_dataset(grid, cell, start)
        base = Scoring(own if border is None else replace(own, border=border))
        changed = steps(base.protocol, last) if last else others(base)
        if cell.recorded:  # its noisy images are there already
            changed = {name: way for name, way in changed.items() if not _is_of_noise(name)}
        if not lpips:
            changed.pop(LPIPS_ONLY, None)
        if not changed:
            raise ValueError(
                f"protocols {start.name} and {last.name if last else ''} do the same with {cell}; "
                f"name two which differ"
            )
        scores = explain(grid, cell, {"": base, **changed}, device, lpips)
        found.append(Explained(cell, start.name, end.name if end else None, scores.pop(""), scores))
    return found


def table(explained: Explained, brief: bool = False) -> Table:
    """The scores of one cell and their changes, as texts.

    Parameters
    ----------
    brief
        For a narrow terminal: without who does so.
    """
    has_lpips = explained.first.lpips is not None
    metrics = ["psnr", "ssim", *(["lpips"] if has_lpips else [])]
    walks = explained.end is not None
    alone = not (walks or brief)
    header = ["convention", *(["who does so"] if alone else [])]
    for metric in metrics:
        scale = METRICS[metric]
        unit = f" ({scale.unit})" if scale.unit else ""
        header += [f"{metric.upper()}{unit}", f"{metric.upper()} change"]

    def row(name: str, score: Score, before: Score | None) -> list[str]:
        texts = [name, *([WHO.get(name, ABSENT)] if alone else [])]
        for metric in metrics:
            value = getattr(score, metric)
            texts += [
                f"{value:.{DIGITS[metric]}f}",
                _change(value, getattr(before, metric), DIGITS[metric]) if before else ABSENT,
            ]
        return texts

    rows = [row(f"protocol {explained.start}", explained.first, None)]
    rows += [row(name, score, before) for name, score, before in explained.changes()]
    if walks:
        *_, last = explained.changed.values()
        rows.append(row(f"protocol {explained.end}, all together", last, explained.first))
    return Table(header, rows, left=["convention", "who does so"], rule=1)


def heading(explained: Explained) -> str:
    """What was scored, in words."""
    cell, images = explained.cell, explained.first.images
    seed = f", seed {cell.seed}" if cell.seed else ""
    stored = f"; {explained.stored}" if explained.stored else ""
    counted = f"{images} image{'s' * (images != 1)}{seed}{stored}"
    return f"{label_of(cell.model)}, {cell.noise} {cell.level:g} on {cell.dataset}, {counted}"


def border_of(record: Record) -> int | None:
    """What the PSNR of a stored cell leaves out; None where it does not say."""
    return record["settings"]["metrics"].get("psnr", {}).get("border")


def in_words(record: Record) -> str:
    """By which protocol a stored cell was scored, its mean PSNR, and how it is restored now."""
    scores = [row.get("psnr") for row in record["images"]]
    mean = f" with {np.mean(scores):.{DIGITS['psnr']}f} dB" if None not in scores else ""
    model, tiles = record["settings"]["model"], record.get("environment", {}).get("tile")
    kinds = (("precision", "fp32"), ("runtime", "torch"))
    how = [f"{key}={model[key]}" for key, usual in kinds if model.get(key, usual) != usual]
    how += ["tiles"] if tiles else []
    then = f", restored then with {' and '.join(how)}, here without" if how else ""
    return f"stored by protocol {name_of(record['settings']['protocol'])}{mean}{then}"


def lines(found: Sequence[Explained]) -> pd.DataFrame:
    """A line per cell and convention, unrounded; the protocol itself is the convention "".

    Columns: dataset, noise, level, seed, model, protocol, convention, psnr (dB), ssim, lpips where
    it was computed, images.
    """
    rows = []
    for one in found:
        for name, score in {"": one.first, **one.changed}.items():
            scores = {k: v for k, v in vars(score).items() if v is not None}
            protocol = f"{one.start} to {one.end}" if one.end else one.start
            rows.append({**vars(one.cell), "protocol": protocol, "convention": name, **scores})
    columns = [name for name in ("psnr", "ssim", "lpips") if name in rows[0]]
    return pd.DataFrame(rows)[[*LINE, *columns, "images"]]


def write_pages(found: Sequence[Explained], out: Path, command: str) -> list[Path]:
    """Write ``explain.md`` and ``explain.csv``; the files."""
    page = render(
        "explain.md",
        command=command,
        starts=list(dict.fromkeys(one.start for one in found)),
        end=found[0].end,
        cells=[(heading(one), table(one)) for one in found],
    )
    written = {
        "explain.md": page,
        "explain.csv": lines(found).to_csv(index=False, lineterminator="\n"),
    }
    for name, text in written.items():
        write_whole(out / name, text)
    return [out / name for name in written]


def _of_dataset(grid: Grid, cell: Cell, protocol: Protocol) -> Protocol:
    """A protocol with the border of the dataset's own, which goes before it."""
    border = grid.datasets[cell.dataset].border
    return protocol if border is None else replace(protocol, border=border)


def _is_of_noise(convention: str) -> bool:
    return convention.startswith(("noisy", "noise"))


def _change(value: float, before: float, digits: int) -> str:
    """The difference; nothing where a convention does not touch a metric at all."""
    return ABSENT if value == before else f"{value - before:+.{digits}f}"
