"""Worse, better, missing, new: lines of scores against those of the baseline."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmark.cells import Cell
from benchmark.cells.scores import Scale
from benchmark.reporting.gate.baseline import Line

# what a cell can be, the worst first; of its metrics the worst counts
WORSE, MISSING, OTHER = "worse", "missing", "other"
BETTER, NEW, EQUAL = "better", "new", "equal"
VERDICTS = (WORSE, MISSING, OTHER, BETTER, NEW, EQUAL)
FAILING = (WORSE, MISSING)
PARTS = {"clean": "clean images", "noisy": "noisy images"}  # of a line's settings, in words

# Runs of a stochastic network whose mean is its score, and how many standard deviations of that
# mean two equal networks may be apart. Their difference has the square root of 2 times that
# deviation, and where it is estimated from 10 runs, 4.09 of it are as rare as 3 of a known one,
# once in 740 (Student's t with 9 degrees of freedom): 4.09 * 1.414.
REPEATS, SPREADS = 10, 5.8


@dataclass(frozen=True)
class Change:
    """One metric of one cell, in its unit; before is None too where it is of something else."""

    before: float | None
    now: float | None
    tolerance: float

    @property
    def is_compared(self) -> bool:
        """Whether both sides have the same thing."""
        return None not in (self.before, self.now)


@dataclass(frozen=True)
class Compared:
    """What became of one cell.

    Parameters
    ----------
    verdict
        One of `VERDICTS`.
    changes
        By metric, those on either side.
    reasons
        Sentences which say why it is not equal, those of the worst metric first.
    failing
        Where it fails, how many of these are reasons for that.
    """

    cell: Cell
    verdict: str
    changes: Mapping[str, Change] = field(default_factory=dict)
    reasons: Sequence[str] = ()
    failing: int = 1


@dataclass(frozen=True)
class Pace:
    """How long a model takes on a dataset, as a multiple of the fixed network's seconds."""

    model: str
    dataset: str
    before: float | None
    now: float

    @property
    def slowdown(self) -> float | None:
        """Times as long as the baseline says; None where it does not say."""
        return self.now / self.before if self.before else None


def tolerance(scale: Scale, spread: float) -> float:
    """By how much a mean may move without being worse or better, in the metric's unit.

    Half a unit of the last digit that tables show, which is more than what threads and processors
    change, and `SPREADS` times the spread of a stochastic network.
    """
    return 0.5 * 10.0**-scale.digits + SPREADS * spread


def compare(
    before: Iterable[Line],
    now: Iterable[Line],
    scales: Mapping[str, Scale],
    failed: Mapping[Cell, str],
) -> list[Compared]:
    """Every cell of either side, the worst verdicts first, else in the order of the lines.

    Parameters
    ----------
    scales
        By metric, of those scored now.
    failed
        By cell, why there are no scores of it now.
    """
    known = {line.cell: line for line in before}
    scored = {line.cell: line for line in now}
    compared = []
    for cell in dict.fromkeys([*known, *scored, *failed]):
        old, new = known.get(cell), scored.get(cell)
        if cell in failed:
            compared.append(Compared(cell, WORSE, _changes(old, None, scales), [failed[cell]]))
        elif old is None or new is None:
            verdict = NEW if old is None else MISSING
            side = "the baseline" if old is None else "this check"
            reason = f"{cell} is not in {side}"
            compared.append(Compared(cell, verdict, _changes(old, new, scales), [reason]))
        else:
            compared.append(_compared(old, new, scales))
    return sorted(compared, key=lambda found: VERDICTS.index(found.verdict))


def counts(compared: Iterable[Compared]) -> dict[str, int]:
    """How many cells there are of each verdict which any has, the worst first."""
    found = Counter(one.verdict for one in compared)
    return {verdict: found[verdict] for verdict in VERDICTS if verdict in found}


def paces(before: Iterable[Line], relative_seconds: Mapping[tuple[str, str], float]) -> list[Pace]:
    """The speeds of now beside those of the baseline, by model and dataset."""
    known = {(line.cell.model, line.cell.dataset): line.relative_seconds for line in before}
    return [Pace(*key, known.get(key), seconds) for key, seconds in relative_seconds.items()]


def with_paces(lines: Iterable[Line], before: Iterable[Line], found: Iterable[Pace]) -> list[Line]:
    """Lines with the speeds of now, or those of the baseline where nobody timed them now."""
    known = {(old.cell.model, old.cell.dataset): old.relative_seconds for old in before}
    known |= {(pace.model, pace.dataset): pace.now for pace in found}
    return [
        replace(line, relative_seconds=known.get((line.cell.model, line.cell.dataset)))
        for line in lines
    ]


def passes(compared: Iterable[Compared]) -> bool:
    """Whether at least one score could be compared, and none is worse or missing."""
    cells = list(compared)
    changes = [change for one in cells for change in one.changes.values()]
    failing = any(one.verdict in FAILING for one in cells)
    return any(change.is_compared for change in changes) and not failing


def refuse_nothing_compared(compared: Sequence[Compared], baseline: str) -> None:
    """Raise ``ValueError`` where none failed and none could be compared: that holds nothing."""
    if not passes(compared) and not any(one.verdict in FAILING for one in compared):
        raise ValueError(
            f"none of {len(compared)} cells could be compared with {baseline}: "
            f"{compared[0].reasons[0]}; if that is meant, give the same command with update=true"
        )


def refuse_untimed(before: Iterable[Line], models: Collection[str], most: float | None) -> None:
    """Raise ``ValueError`` where slowdowns are limited and the baseline lacks a model's speed."""
    untimed = {
        f"{line.cell.model} on {line.cell.dataset}": None
        for line in before
        if line.cell.model in models and line.relative_seconds is None
    }
    if most is not None and untimed:
        raise ValueError(
            f"max_slowdown={most:g} compares speeds, and the baseline has none of "
            f"{' and '.join(untimed)}; time the models once, with update=true speed=true"
        )


def too_slow(found: Iterable[Pace], most: float | None) -> dict[Pace, str]:
    """The speeds which fail, each with a sentence, where slowdowns are limited."""
    return {
        pace: f"{pace.model} on {pace.dataset} takes {pace.slowdown:.2f} times as long as in the "
        f"baseline ({pace.now:.3g} times the fixed network, {pace.before:.3g} before), more than "
        f"max_slowdown={most:g} allows"
        for pace in found
        if most is not None and pace.slowdown is not None and pace.slowdown > most
    }


def _compared(old: Line, new: Line, scales: Mapping[str, Scale]) -> Compared:
    """A cell which both sides have."""
    changes = _changes(old, new, scales)
    shared = old.settings.keys() | new.settings.keys()
    other = [part for part in sorted(shared) if old.settings.get(part) != new.settings.get(part)]
    of_all = [part for part in other if part not in changes]
    if of_all:
        what = " and ".join(PARTS.get(part, part) for part in of_all)
        count = f" ({old.images} images before, now {new.images})"
        reason = (
            f"{old.cell} cannot be compared: other {what} than in the baseline"
            f"{count if old.images != new.images else ''}"
        )
        return Compared(old.cell, OTHER, _not_compared(changes, changes), [reason])
    verdicts = {
        name: OTHER
        if name in other and None not in (change.before, change.now)
        else _verdict(change, scales.get(name))
        for name, change in changes.items()
    }
    moved = sorted(changes.keys(), key=lambda name: VERDICTS.index(verdicts[name]))
    worst = verdicts[moved[0]] if moved else EQUAL
    failing = sum(verdict in FAILING for verdict in verdicts.values())
    reasons = [
        _reason(old.cell, name, verdicts[name], changes[name], scales)
        for name in moved
        if verdicts[name] != EQUAL
    ]
    return Compared(old.cell, worst, _not_compared(changes, other), reasons, failing)


def _changes(old: Line | None, new: Line | None, scales: Mapping[str, Scale]) -> dict[str, Change]:
    before, now = (line.scores if line else {} for line in (old, new))
    spreads = old.spreads if old else {}
    return {
        name: Change(
            before.get(name),
            now.get(name),
            tolerance(scales[name], spreads.get(name, 0.0)) if name in scales else math.nan,
        )
        for name in [*now, *(name for name in before if name not in now)]
    }


def _not_compared(changes: Mapping[str, Change], other: Collection[str]) -> dict[str, Change]:
    """The changes, of which these have nothing before that the score of now could be beside."""
    return {
        name: replace(change, before=None) if name in other else change
        for name, change in changes.items()
    }


def _verdict(change: Change, scale: Scale | None) -> str:
    if change.before is None:
        return NEW
    if change.now is None or scale is None:
        return MISSING
    gain = change.now - change.before
    if not scale.is_higher_better:
        gain = -gain
    if math.isnan(gain) or gain < -change.tolerance:
        return WORSE
    return BETTER if gain > change.tolerance else EQUAL


def _reason(
    cell: Cell, name: str, verdict: str, change: Change, scales: Mapping[str, Scale]
) -> str:
    if verdict == OTHER:
        return f"{cell}: {name} cannot be compared, it has other settings than in the baseline"
    if verdict == NEW:
        return f"{cell}: {name} is not in the baseline"
    if change.now is None or change.before is None:
        return f"{cell}: {name} was not scored, which the baseline has"
    scale = scales[name]
    digits, unit = scale.digits + 2, f" {scale.unit}" if scale.unit else ""
    before, difference = change.before, change.now - change.before
    return (
        f"{cell}: {name} is {change.now:.{digits}f}{unit}, {difference:+.{digits}f} from "
        f"{before:.{digits}f} in the baseline, where {change.tolerance:.{digits}f} is allowed: "
        f"{verdict}"
    )
