"""BibTeX of what results were made with: the entries which classes name and their packages bring.

A class says in ``cites`` what it is of: keys of entries in ``references.bib`` of its package, or of
ours, or whole entries. An entry of a file begins with ``@`` at the start of a line and ends with
``}`` at the start of another.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from benchmark.cells.records import Record

ENTRY = re.compile(r"^@\w+\{\s*([^\s,{}]+),.*?^\}", re.MULTILINE | re.DOTALL)
WHOLE = re.compile(r"@\w+\{\s*([^\s,{}]+),.*\}", re.DOTALL)
ROLES = ("suite", "noise", "model", "metric", "dataset")
SUITE = ("noisebench", "chen2023masked")  # the code, and the paper whose protocol it follows

Used = tuple[str, str]  # a role and a registered name


def used_by(records: Iterable[Record]) -> list[Used]:
    """What stored cells were made with, each once: by role, then by name.

    The noises of a formula are named one by one; recorded noise is its dataset.
    """
    found = set()
    for record in records:
        settings = record["settings"]
        noise = settings["noise"]
        names = re.findall(r"(\w+)\(", noise.get("formula", "")) or [noise["of"]]
        found |= {("noise", name) for name in names if name != "recorded"}
        found |= {(role, settings[role]["of"]) for role in ("model", "dataset")}
        found |= {("metric", metric["of"]) for metric in settings["metrics"].values()}
    return sorted(found, key=lambda used: (ROLES.index(used[0]), used[1]))


def entries_of(cls: type) -> dict[str, str]:
    """The entries which a registered class cites, by key.

    Raises
    ------
    ValueError
        If it cites what is no entry, and no key of one.
    """
    owner = next((base for base in cls.__mro__ if "cites" in vars(base)), cls)
    known = references("benchmark") | references(owner.__module__.partition(".")[0])
    found = {}
    for cited in getattr(cls, "cites", ()):
        if whole := WHOLE.fullmatch(textwrap.dedent(cited).strip()):
            found[whole[1]] = whole[0]
        elif cited in known:
            found[cited] = known[cited]
        else:
            raise ValueError(
                f"{owner.__module__}.{owner.__qualname__} cites '{cited}', which is no BibTeX "
                f"entry, and no key of one in references.bib of its package; its author should "
                f"write cites = ('key',), and the entry there"
            )
    return found


@cache
def references(package: str) -> dict[str, str]:
    """The entries of an imported package's ``references.bib``, by key; none where it has no file.

    Raises
    ------
    ValueError
        If a key is there twice.
    """
    found: dict[str, str] = {}
    for folder in getattr(sys.modules.get(package), "__path__", ()):
        path = Path(folder) / "references.bib"
        for entry in ENTRY.finditer(path.read_text("utf-8")) if path.is_file() else ():
            if entry[1] in found:
                raise ValueError(f"{path} has two entries '{entry[1]}'; its author should drop one")
            found[entry[1]] = entry[0]
    return found


def bibliography(used: Iterable[Used], classes: Mapping[str, Mapping[str, type]]) -> str:
    """A ``.bib`` file: each entry once, below a comment which says what it is for.

    Parameters
    ----------
    used
        As `used_by` gives it.
    classes
        By role but ``suite``, the registered classes by name.

    Raises
    ------
    ValueError
        As `entries_of`, or if two packages have different entries of one key.
    """
    texts = {key: references("benchmark")[key] for key in SUITE}
    reasons: dict[str, dict[str, list[str]]] = {key: {"suite": ["noisebench"]} for key in SUITE}
    lacking: dict[str, list[str]] = {}
    for role, name in used:
        entries = entries_of(classes[role][name]) if name in classes[role] else {}
        if not entries:
            lacking.setdefault(role, []).append(name)
        for key, text in entries.items():
            if texts.setdefault(key, text) != text:
                raise ValueError(
                    f"{role} '{name}' cites '{key}', and another package has another entry of that "
                    f"key; one of their authors should rename it"
                )
            reasons.setdefault(key, {}).setdefault(role, []).append(name)
    parts = ["% BibTeX of what results were made with, by bench cite"]
    parts += [f"{_comment(reasons[key])}\n{text}" for key, text in texts.items()]
    if lacking:
        parts.append(_comment(lacking, "without an entry: "))
    return "\n\n".join(parts) + "\n"


def _comment(names: Mapping[str, Iterable[str]], what: str = "") -> str:
    """Roles and names; an @ would begin an entry, in BibTeX even here."""
    text = what + "; ".join(f"{role}: {', '.join(of)}" for role, of in names.items())
    return textwrap.fill(
        text.replace("@", " at "), 100, initial_indent="% ", subsequent_indent="% "
    )
