"""By which code cells were made, whether that is the code of now, and what a table mixes."""

import hashlib
import inspect
import json
import sys
import sysconfig
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points, packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark import __version__
from benchmark.registry import ENTRY_POINT_GROUP, OURS

if TYPE_CHECKING:
    import pandas as pd

OUR_PACKAGES = {"benchmark", *(name for name in OURS if "." not in name)}
US = "noisebench"
MADE_BY = "made_by"  # where a half-done cell's row carries its `stamp`
MADE_IN = "made_in"  # and by how many threads, on what: the environment of a cell, in part
PLACE = ("device", "threads")  # of the environment, what may differ between two writers of a cell
EARLIER = "earlier"  # the key of what some of a cell's rows were made with, where not as the others
BOTH = " and "  # between two values of one cell
PIXELS = ("noisy", "clean")  # short hashes of what was scored; missing where it is not known
DIGITS = 16  # hexadecimal ones of a short hash
ROLES = ("model", "noise", "dataset")
CELL = ("model", "dataset", "noise", "level", "seed")
FIRST = ("torch", US)  # what a sentence names before the rest
OF_INFERENCE = ("tile", "precision", "runtime")  # what a cell may record of a model beside settings
OF_MODEL = (*OF_INFERENCE, "outputs")  # the last is of what another program restored
TOLD = {"model": OF_MODEL, "noise": ("levels",)}  # elsewhere, so no setting that several differ in
LONGEST = 40  # characters of a setting's value in a sentence
MOST = 4  # things that a sentence names before it only counts

Code = dict[str, Any]  # what `code_of_cell` says
Record = Mapping[str, Any]  # a cell's file, as `ResultStore.read` gives it
Row = dict[str, Any]  # of one image
Facts = dict[str, str]  # what made a cell, in words: "torch" to "2.4.0"


def short_hash(content: bytes) -> str:
    """The first 16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def pixels_hash(image: np.ndarray) -> str:
    """A short hash of an image's shape, type and pixels."""
    kind = f"{image.shape} {image.dtype}\n".encode()
    return short_hash(kind + np.ascontiguousarray(image).tobytes())


@cache
def code_of(cls: type) -> dict[str, str | None]:
    """Where a class comes from, as it is when this is first asked for.

    Returns
    -------
    dict
        ``class``, its full name; ``distribution`` and ``version`` of its package, None for a
        module that belongs to none; ``source``, a short hash of the file that defines it, with
        line ends as on Unix, or of the class alone where there is no file; None without a source.
    """
    distribution, release = _distribution(cls.__module__)
    return {
        "class": f"{cls.__module__}.{cls.__qualname__}",
        "distribution": distribution,
        "version": release,
        "source": _source(cls),
    }


def code_of_cell(
    model: object, noise: object | None, dataset: object, metrics: Mapping[str, object]
) -> Code:
    """The code of all that makes a cell's scores, by role; by name under "metrics" and "parts".

    Parameters
    ----------
    noise
        None where it is recorded. The parts are the noises which it is made of, if it is a formula.
    """
    roles = {"model": model, "dataset": dataset} | ({"noise": noise} if noise is not None else {})
    parts = getattr(noise, "made_of", {})
    return {
        **{role: code_of(type(used)) for role, used in roles.items()},
        **({"parts": {name: code_of(part) for name, part in parts.items()}} if parts else {}),
        "metrics": {name: code_of(type(metric)) for name, metric in metrics.items()},
    }


def stamp(cell: Mapping[str, object], code: Code, torch_version: str) -> str:
    """A short hash of a cell's code, and of torch: half-done cells go on under an equal one."""
    facts = code_facts(cell, code) | {"torch": torch_version}
    return short_hash(json.dumps(facts, sort_keys=True).encode())


def same_made(rows: Iterable[Row], made_by: str | None) -> list[Row]:
    """The rows of a half-done cell which go on: those which carry the same `stamp`."""
    return [row for row in rows if row.get(MADE_BY) == made_by]


def without_stamp(rows: Iterable[Row]) -> list[Row]:
    """The rows of a finished cell, which says by itself what they were made by."""
    hidden = (MADE_BY, MADE_IN)
    return [{key: value for key, value in row.items() if key not in hidden} for row in rows]


def with_other_metrics(code: Code, stored: Record | None) -> Code:
    """A cell's code, with that of metrics which it had before and which are kept."""
    before = (stored or {}).get("code", {}).get("metrics", {})
    return {**code, "metrics": {**before, **code["metrics"]}}


def code_facts(cell: Mapping[str, object], code: Code) -> Facts:
    """In words, what is known of a cell's code: versions by distribution, hashes by class.

    Parameters
    ----------
    cell
        The cell's key, by name.
    """
    of_classes = {
        **{f"{role} {cell[role]}": code[role] for role in ROLES if role in code},
        **{f"noise {name}": origin for name, origin in code.get("parts", {}).items()},
        **{f"metric {name}": origin for name, origin in code["metrics"].items()},
    }
    releases: dict[str, set[str]] = {}
    for origin in of_classes.values():
        if origin["distribution"]:
            releases.setdefault(origin["distribution"], set()).add(origin["version"])
    return {
        **{name: BOTH.join(sorted(numbers)) for name, numbers in releases.items()},
        **{
            f"source of {label}": origin["source"]
            for label, origin in of_classes.items()
            if origin["source"]
        },
    }


def code_changes(record: Record, now: Code) -> list[str] | None:
    """How the code of a finished cell differs from that of now; None if the cell does not say.

    Only what both sides know is compared: metrics which one side lacks are no difference. A cell
    some of whose images were made earlier differs where their code does.
    """
    if "code" not in record:
        return None
    after = code_facts(record["cell"], now)
    makings = [code_facts(record["cell"], made["code"]) for made in makings_of(record)]
    changes = [
        key if key.startswith("source of") else f"{key} {value}, now {after[key]}"
        for before in makings
        for key, value in before.items()
        if after.get(key, value) != value
    ]
    return list(dict.fromkeys(changes))


def makings_of(record: Record) -> list[Record]:
    """The environment and code of a cell, and those of images which were made earlier."""
    entries = [entry for entry in (record, *(record.get(EARLIER) or ())) if isinstance(entry, dict)]
    return [entry for entry in entries if isinstance(entry.get("code"), dict)]


def facts_of(record: Record) -> Facts:
    """Everything which `Made` compares of a cell's making: torch, our version, and its code."""
    found: dict[str, list[str]] = {}
    for made in makings_of(record) or [record]:
        environment = made.get("environment", {})
        facts = {name: environment[name] for name in ("torch", US) if name in environment}
        facts |= code_facts(record["cell"], made["code"]) if "code" in made else {}
        for what, value in facts.items():
            found.setdefault(what, []).append(value)
    return {what: BOTH.join(sorted(set(values))) for what, values in found.items()}


def chosen_of(record: Record) -> Facts:
    """The settings of a cell's model and noise, in which several of one name may differ."""
    found = {}
    for role, told in TOLD.items():
        for key, value in record.get("settings", {}).get(role, {}).items():
            if key not in told:
                text = str(value).replace(BOTH, " & ")
                short = text[7:15] if text.startswith("sha256:") else text[:LONGEST]
                found[f"{key} of {record['cell'][role]}"] = short
    return found


@dataclass(frozen=True)
class Made:
    """What cells were made by, and of what, where they differ in it."""

    facts: Mapping[tuple[object, ...], Facts]  # by `CELL`; only what is not the same in all
    silent: frozenset[tuple[object, ...]]  # the cells which do not say by what code
    chosen: Mapping[tuple[object, ...], Facts]  # as facts, the settings of models and noises

    def sentence(self, rows: "pd.DataFrame") -> str:
        """What lines of a table mix, and how many cells there are of each; empty if nothing."""
        cells = list(rows[list(CELL)].drop_duplicates().itertuples(index=False, name=None))
        said, several = [], _mixed(self.chosen, cells)
        if several:
            said.append(f"Several of one name: {'; '.join(several)}; give each a name of its own.")
        parts = _mixed(self.facts, cells)
        silent = sum(cell in self.silent for cell in cells)
        if 0 < silent < len(cells):
            parts.append(f"{silent} of {len(cells)} cells do not say by what code")
        said += [f"Not all made alike: {'; '.join(parts)}."] if parts else []
        return " ".join(said)


def made_of(records: Iterable[Record]) -> Made | None:
    """What cells mix; None if they were all made alike, or say nothing."""
    facts, silent, chosen = {}, set(), {}
    known: dict[tuple[object, ...], tuple[Facts, object]] = {}  # the object: an id is its own
    for record in records:
        cell = tuple(record["cell"][name] for name in CELL)
        origin = record.get("environment"), record.get("code"), record.get(EARLIER)
        key = (*cell[:3], *map(id, origin))  # what is not told by level or seed
        if key not in known:
            known[key] = facts_of(record), origin
        facts[cell], _ = known[key]
        chosen[cell] = chosen_of(record)
        if "code" not in record:
            silent.add(cell)
    facts, chosen = _differing(facts), _differing(chosen)
    silent = silent if len(silent) < len(facts) else set()
    if not silent and not any(facts.values()) and not any(chosen.values()):
        return None
    return Made(facts, frozenset(silent), chosen)


def _differing(facts: Mapping[tuple[object, ...], Facts]) -> dict[tuple[object, ...], Facts]:
    """The same, but for what has one value in all cells."""
    values: dict[str, set[str]] = {}
    for found in {id(found): found for found in facts.values()}.values():
        for what, value in found.items():
            values.setdefault(what, set()).add(value)
    mixed = {what for what, found in values.items() if _is_mixed(found)}
    return {
        cell: {what: value for what, value in found.items() if what in mixed}
        for cell, found in facts.items()
    }


def _mixed(
    facts: Mapping[tuple[object, ...], Facts], cells: Iterable[tuple[object, ...]]
) -> list[str]:
    """What some cells mix, each with how many there are of every value; the first few."""
    counts: dict[str, Counter[str]] = {}
    for cell in cells:
        for what, value in facts.get(cell, {}).items():
            counts.setdefault(what, Counter())[value] += 1
    mixed = {what: found for what, found in counts.items() if _is_mixed(found)}
    order = sorted(mixed, key=lambda what: (_place(what), what))
    parts = [f"{what} {counted(mixed[what])}" for what in order[:MOST]]
    if more := order[MOST:]:
        parts.append(f"and {len(more)} more, such as {more[0]}")
    return parts


def _is_mixed(values: Collection[str]) -> bool:
    return len(values) > 1 or any(BOTH in value for value in values)


def some_of(names: Iterable[str]) -> str:
    """The first few of several names, and how many more there are."""
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def counted(found: Mapping[str, int], what: str = "cell") -> str:
    """``2.4.0 in 3 cells, 2.5.1 in 1``, from the number of cells, or what else, of each value."""
    (value, number), *others = sorted(found.items())
    first = f"{value} in {number} {what}{'s' * (number != 1)}"
    return ", ".join([first, *(f"{value} in {number}" for value, number in others)])


def _place(what: str) -> int:
    if what in FIRST:
        return FIRST.index(what)
    return len(FIRST) + what.startswith("source of")


def _distribution(module: str) -> tuple[str | None, str | None]:
    """Name and version of the distribution that a module belongs to."""
    top = module.partition(".")[0]
    if top in OUR_PACKAGES:
        return US, __version__
    plugins = [(e.module, e.dist) for e in entry_points(group=ENTRY_POINT_GROUP) if e.dist]
    for name, plugin in plugins:
        if name == module or module.startswith(f"{name}."):
            return plugin.name, plugin.version
    for name, plugin in plugins:
        if name.partition(".")[0] == top:
            return plugin.name, plugin.version
    if not _is_installed(module):
        return None, None
    names = packages_distributions().get(top, [])  # reads every package's list of files: slow
    return (names[0], version(names[0])) if names else (None, None)


def _is_installed(module: str) -> bool:
    """Whether a module lies where packages are installed."""
    path = getattr(sys.modules.get(module), "__file__", None)
    roots = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
    return path is not None and not roots.isdisjoint(Path(path).resolve().parents)


def _source(cls: type) -> str | None:
    try:
        text = Path(inspect.getsourcefile(cls) or "").read_bytes()
    except (OSError, TypeError):  # typed into a notebook, compiled, or inside an archive
        text = _text(cls)
    return short_hash(text.replace(b"\r\n", b"\n")) if text else None


def _text(cls: type) -> bytes:
    """The source of a class which has no file, else that of its methods; empty if there is none."""
    texts = []
    for part in [cls, *filter(inspect.isfunction, vars(cls).values())]:
        try:
            texts.append(inspect.getsource(part))
        except (OSError, TypeError):
            continue
        if part is cls:
            break
    return "".join(texts).encode()
