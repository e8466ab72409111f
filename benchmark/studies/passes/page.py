"""The statistics of stochastic inference as a page of Markdown and as CSV."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from benchmark.cells.records import Record
from benchmark.cells.scores import Scale
from benchmark.files.whole import write_whole
from benchmark.metrics import METRICS, PSNR, SSIM
from benchmark.reporting.pages import render
from benchmark.reporting.tables import ABSENT, Table
from benchmark.studies.passes import claims
from benchmark.studies.passes.draws import SCORES
from benchmark.studies.passes.statistics import Summary, summarize

FURTHER = PSNR.digits + 1  # behind the point of a PSNR here: what passes change is small


def write_pages(records: Sequence[Record], out: Path, command: str) -> list[Path]:
    """Write ``passes.md`` and ``passes.csv``, a table for each cell and one of them all.

    Parameters
    ----------
    records
        Cells, as `benchmark.studies.passes.measure` gives them.
    command
        What the page says it was made with.
    """
    summaries = [summarize(record) for record in records]
    write_whole(out / "passes.csv", _all_lines(summaries).to_csv(index=False))
    write_whole(out / "passes.md", page(summaries, command))
    return [out / "passes.md", out / "passes.csv"]


def page(summaries: Sequence[Summary], command: str) -> str:
    """The measured numbers as Markdown, the author's two claims beside them."""
    groups: dict[str, list[Summary]] = {}
    for summary in summaries:
        cell = summary.record["cell"]
        groups.setdefault(f"{cell['model']} on {cell['dataset']}", []).append(summary)
    records = [summary.record for summary in summaries]
    return render(
        "passes.md",
        command=command,
        claims=claims,
        groups=groups,
        headlines=_headlines,
        table=_table,
        images=sorted({len(record["images"]) for record in records}),
        passes=records[0]["settings"]["draws"]["passes"],
        machines=list(dict.fromkeys(map(_machine, records))),
        weights=dict.fromkeys(filter(None, map(_weights, records))),
    )


def _all_lines(summaries: Sequence[Summary]) -> pd.DataFrame:
    """The lines of all cells, one below the other, behind the names of their cells."""
    return pd.DataFrame(
        [
            {**summary.record["cell"], **asdict(line)}
            for summary in summaries
            for line in summary.lines
        ]
    )


def _headlines(summaries: Sequence[Summary]) -> Iterator[str]:
    """A sentence for each claim: at which noises it holds, and the number behind it."""
    for claim, judge in (
        (f"Runs differ by {claims.SPREAD} dB", claims.stability),
        (f"Averaging gains about {claims.GAIN} dB", claims.gain),
    ):
        places: dict[str, list[str]] = {}
        for summary in summaries:
            verdict = judge(summary)
            places.setdefault(verdict.word, []).append(f"{summary.condition} ({verdict.number})")
        verdicts = "; ".join(f"**{word}** at {', '.join(at)}" for word, at in places.items())
        yield f"{claim}: {verdicts}."
    gains: dict[str, list[str]] = {}
    for summary in summaries:
        for line in summary.variants:
            text = f"{_gain(line.gain)} dB at {summary.condition}"
            gains.setdefault(line.inference, []).append(text)
    for variant, texts in gains.items():
        yield f"{variant[:1].upper()}{variant[1:]}, compared with one pass: {', '.join(texts)}."
    for summary in summaries:
        lost = summary.noisy.psnr - summary.means[0].psnr
        if lost > 0:
            yield (
                f"At {summary.condition} one pass is {lost:.{FURTHER}f} dB below its noisy input: "
                f"the verdicts there are about a network which does not denoise."
            )


def _table(summary: Summary) -> Table:
    header = ["inference", *map(_heading, SCORES), "gain (dB)", "of an image"]
    header += ["runs", "spread (dB)", "of an image", "s/image", "x one pass"]
    rows = []
    for line in summary.lines:
        itself = line is summary.means[0]
        span = f"{_gain(line.gain_low)} to {_gain(line.gain_high)}"
        rows.append(
            [
                line.inference,
                f"{line.psnr:.{FURTHER}f}",
                f"{line.ssim:.{SSIM.digits}f}",
                ABSENT if itself else _gain(line.gain),
                ABSENT if itself else span,
                f"{line.runs}",
                _spread(line.spread),
                _spread(line.image_spread),
                f"{line.seconds:.2f}",
                f"{line.relative:.2f}",
            ]
        )
    return Table(header, rows)


def _heading(name: str) -> str:
    metric = METRICS[name]
    return Scale(name, metric.higher_is_better, metric.unit, metric.digits).heading


def _gain(value: float) -> str:
    return f"{value:+.{FURTHER}f}"


def _spread(value: float) -> str:
    return ABSENT if math.isnan(value) else f"{value:.5f}"


def _machine(record: Record) -> str:
    environment = record["environment"]
    return f"{environment['device']}, threads: {environment['threads']}"


def _weights(record: Record) -> str:
    """The network of a cell and its weights' hash; empty where it has none."""
    digest = record["settings"]["model"].get("weights")
    return f"`{record['cell']['model']}` {digest}" if digest else ""
