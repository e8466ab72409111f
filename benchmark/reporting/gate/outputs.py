"""What a check found: a table, a page of Markdown for a CI's summary, and JUnit XML."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from benchmark.cells import Cell
from benchmark.cells.scores import Scale
from benchmark.reporting.gate.compare import (
    EQUAL,
    FAILING,
    MISSING,
    NEW,
    OTHER,
    Change,
    Compared,
    Pace,
    counts,
    passes,
)
from benchmark.reporting.pages import render
from benchmark.reporting.tables import ABSENT, Table

# what XML 1.0 cannot hold, not even as a reference: control characters, halves of surrogate pairs
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNKNOWN = 4  # digits of a metric which is not scored now
MOST = 8  # sentences about cells which are not compared
FURTHER = 2  # digits behind those of a metric's tables: what is compared here is small


def table(compared: Sequence[Compared], scales: Mapping[str, Scale]) -> Table:
    """A row a cell: its verdict, and of each metric the score and its change."""
    names = list(dict.fromkeys(name for found in compared for name in found.changes))
    header = ["verdict", "model", "dataset", "noise"]
    for name in names:
        header += [scales[name].heading if name in scales else name, f"change of {name}"]
    rows, marks = [], {}
    for place, found in enumerate(compared):
        row = [found.verdict, found.cell.model, found.cell.dataset, _condition(found.cell)]
        for name in names:
            digits = scales[name].digits if name in scales else UNKNOWN
            row += _texts(found.changes.get(name), digits)
        rows.append(row)
        if found.verdict in FAILING:
            marks[place, 0] = "bold"
    return Table(header, rows, marks, header[:4])


def sentence(compared: Sequence[Compared]) -> str:
    """``40 cells: 1 worse, 39 equal``."""
    found = ", ".join(f"{number} {verdict}" for verdict, number in counts(compared).items())
    return f"{len(compared)} cell{'s' * (len(compared) != 1)}: {found}"


def changes(compared: Sequence[Compared]) -> str:
    """What an update has changed, as `sentence` says it."""
    return sentence(compared).replace(MISSING, "removed")


def pace_sentence(pace: Pace) -> str:
    """How fast a model is, beside the baseline."""
    if pace.slowdown is None:
        beside = "the baseline does not say"
    else:
        beside = f"{pace.before:.3g} in the baseline"
    return (
        f"{pace.model} on {pace.dataset}: {pace.now:.3g} times the seconds of a fixed network "
        f"({beside})"
    )


def markdown(
    compared: Sequence[Compared],
    scales: Mapping[str, Scale],
    baseline: str,
    found: Sequence[Pace] = (),
    slow: Mapping[Pace, str] | None = None,
) -> str:
    """A page: what has changed first, all cells folded below it."""
    return render(
        "check.md",
        passed=passes(compared) and not slow,
        baseline=baseline,
        sentence=sentence(compared),
        changed=table([one for one in compared if one.verdict != EQUAL], scales),
        everything=table(compared, scales),
        paces=[pace_sentence(pace) for pace in found],
        reasons=[*failures(compared, slow or {}), *warnings(compared)],
    )


def junit(
    compared: Sequence[Compared],
    found: Sequence[Pace] = (),
    slow: Mapping[Pace, str] | None = None,
) -> str:
    """A ``testcase`` for each cell and speed, as Jenkins, GitLab and GitHub's actions read it.

    Worse and missing cells have a ``failure``; those which cannot be compared are ``skipped``; what
    else there is to say stands in ``system-out``.
    """
    slow = slow or {}
    failures = len(slow) + sum(one.verdict in FAILING for one in compared)
    numbers = {
        "tests": str(len(compared) + len(found)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(sum(one.verdict == OTHER for one in compared)),
    }
    suites = ET.Element("testsuites", numbers | {"name": "bench check"})
    del suites.attrib["skipped"]  # which Jenkins's schema knows of a suite alone
    suite = ET.SubElement(suites, "testsuite", {"name": "bench check", **numbers})
    for one in compared:
        cell = one.cell
        case = _case(
            suite,
            f"{cell.model}.{cell.dataset}",
            _condition(cell),
        )
        text = _valid("\n".join(one.reasons))
        if one.verdict in FAILING:
            failure = ET.SubElement(case, "failure", {"message": text, "type": one.verdict})
            failure.text = text
        elif one.verdict == OTHER:
            ET.SubElement(case, "skipped", {"message": text})
        elif text:
            ET.SubElement(case, "system-out").text = f"{one.verdict}: {text}"
    for pace in found:
        case = _case(suite, f"{pace.model}.{pace.dataset}", "speed")
        if pace in slow:
            text = _valid(slow[pace])
            ET.SubElement(case, "failure", {"message": text, "type": "slow"}).text = text
        else:
            ET.SubElement(case, "system-out").text = _valid(pace_sentence(pace))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def failures(compared: Sequence[Compared], slow: Mapping[Pace, str]) -> list[str]:
    """Every sentence because of which a check fails."""
    failing = (one.reasons[: one.failing] for one in compared if one.verdict in FAILING)
    worse = [reason for reasons in failing for reason in reasons]
    return [*worse, *slow.values()]


def warnings(compared: Sequence[Compared]) -> list[str]:
    """Sentences about cells which nothing holds, those of other settings and new ones: the first
    few, and how many more there are."""
    found = [reason for one in compared if one.verdict in (OTHER, NEW) for reason in one.reasons]
    more = [f"and {len(found) - MOST} more like these"] if len(found) > MOST else []
    return [*found[:MOST], *more]


def _case(suite: ET.Element, place: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"classname": _valid(place), "name": _valid(name)})


def _condition(cell: Cell) -> str:
    """``gaussian 25``, and the seed where it is not 0."""
    return f"{cell.noise} {cell.level:g}" + (f", seed {cell.seed}" if cell.seed else "")


def _texts(change: Change | None, digits: int) -> list[str]:
    """The score of now and its change."""
    now, before = (change.now, change.before) if change else (None, None)
    return [
        ABSENT if now is None else f"{now:.{digits}f}",
        ABSENT if now is None or before is None else f"{now - before:+.{digits + FURTHER}f}",
    ]


def _valid(text: str) -> str:
    return NO_XML.sub("\ufffd", text)
