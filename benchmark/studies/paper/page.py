"""The page of the paper, written anew whenever one more part of it is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.files.whole import write_whole
from benchmark.reporting.pages import render
from benchmark.reporting.tables import Table
from benchmark.studies.paper import explanations
from benchmark.studies.paper.making import Outcome, Outcomes, there
from benchmark.studies.paper.parts import CITED, PARTS, Part
from benchmark.studies.paper.plan import Plan
from benchmark.studies.paper.shown import Gallery

PAGE, TABLE = "README.md", "explanations.csv"
HERE = ("made", "found")
OF = re.compile(r"with networks of the size `(.+?)` on `(.+?)`")  # of a page: what it is of


@dataclass(frozen=True)
class Section:
    """What the page says of one part: the values of its template."""

    title: str
    asks: str
    status: str
    note: str
    blocks: Sequence[str]
    same: str
    other: str
    page: str
    shared: Sequence[str]
    commands: Sequence[str]
    made_by: Sequence[str]


def write_page(
    plan: Plan, gallery: Gallery, networks: Table, budget: str, command: str, outcomes: Outcomes
) -> list[Path]:
    """Write ``README.md`` and ``explanations.csv``, with what is there at this moment.

    Parameters
    ----------
    networks, budget
        What is known of the networks, as a table and in words.
    command
        What the page says that it was made by.
    outcomes
        Of the runs which were given; the others are there, or not.
    """
    out, found = plan.out, explanations.findings(plan)
    known = {**there([*plan.runs.values()]), **outcomes}
    parts = [_section(plan, gallery, part, known) for part in PARTS]
    shared = [{"run": run, "outcome": known[run.name]} for run in plan.shared(PARTS)]
    page = render(
        "paper.md",
        command=command,
        cited=CITED,
        size=plan.size,
        dataset=plan.dataset,
        networks=networks,
        budget=budget,
        there=sum(part.status in HERE for part in parts),
        verdicts=explanations.verdicts(found),
        measured=explanations.measured(found),
        notes=explanations.notes(found),
        summary=_summary(parts),
        absent=plan.absent,
        parts=parts,
        shared=shared,
    )
    write_whole(out / TABLE, explanations.all_lines(found).to_csv(index=False))
    write_whole(out / PAGE, page)
    return [out / PAGE, out / TABLE]


def check_folder(plan: Plan) -> None:
    """Refuse a folder whose page is of other networks or images: their parts would be found.

    Raises
    ------
    ValueError
        If it has a page of another size or dataset.
    """
    path = plan.out / PAGE
    found = OF.search(path.read_text("utf-8", "replace")) if path.is_file() else None
    if found and found.groups() != (plan.size, plan.dataset):
        size, dataset = found.groups()
        raise ValueError(
            f"{path} is of size={size} data={dataset}, whose parts would be mixed with those of "
            f"size={plan.size} data={plan.dataset}; choose another folder with out=FOLDER"
        )


def lacking(plan: Plan, parts: Sequence[Part], outcomes: Outcomes) -> dict[str, str]:
    """By the title of each part which was asked for and is not there, what became of it."""
    known = {**there([*plan.runs.values()]), **outcomes}
    states = {part.title: _outcome(part, known) for part in parts}
    return {title: state.status for title, state in states.items() if not state.is_there}


def _outcome(part: Part, known: Outcomes) -> Outcome:
    """What became of the last of a part's runs; what is drawn with the page is made."""
    return known[part.runs[-1]] if part.runs else Outcome("made")


def _section(plan: Plan, gallery: Gallery, part: Part, known: Outcomes) -> Section:
    outcome = _outcome(part, known)
    blocks = gallery.blocks(part)
    if outcome.is_there and not blocks:
        outcome = Outcome("missing", f"{part.title} needs scores or pictures which are not there")
    shared = [run.name for run in plan.shared(PARTS)]
    runs = plan.runs_of([part])
    own = [run for run in runs if run.name not in shared]
    note = outcome.note
    return Section(
        title=part.title,
        asks=part.asks,
        status=outcome.status,
        note=note[:1].upper() + note[1:] + "." * (bool(note) and note[-1] not in ".!?"),
        blocks=blocks,
        same=part.same,
        other=part.other,
        page=gallery.page_of(part),
        shared=[f"[{run.name}](#{run.name})" for run in runs if run.name in shared],
        commands=[run.command for run in own] if runs else [_drawn(plan, part)],
        made_by=[command for run in own if run.is_there for command in run.other_commands],
    )


def _drawn(plan: Plan, part: Part) -> str:
    """The command which draws a part with the page, of what is there now."""
    folders = plan.folders.items()
    where = [f"{name}={path}" for name, path in folders if path != plan.out / name]
    size = f"size={plan.size}"
    return shlex.join(
        ["bench", "paper", part.name, size, "make=none", *plan.data, *where, f"out={plan.out}"]
    )


def _summary(parts: Sequence[Section]) -> Table:
    header = ["part", "asks", "here"]
    rows = [[f"[{p.title}](#{_anchor(p.title)})", p.asks, p.status] for p in parts]
    return Table(header, rows, left=header)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
