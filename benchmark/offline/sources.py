"""What can be fetched, by name: data sets, published weights; read from ``sources.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from benchmark.offline.checksums import Checksums
from benchmark.registry import did_you_mean

FOLDER = Path(__file__).parent
RAW = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Remote:
    """One file at its original address.

    Parameters
    ----------
    name
        What it is called here.
    """

    address: str
    name: str
    checksums: Checksums


@dataclass(frozen=True)
class Source:
    """A data set, or the weights of a network.

    Parameters
    ----------
    kind
        data, whose files go into a folder of its name, or weights, one file.
    terms
        The licence, or what is known instead.
    restricts
        Whether the terms have to be agreed to.
    page
        Where people find it, and its terms.
    files
        None where it is only to be had by hand.
    """

    name: str
    kind: str
    about: str
    terms: str
    restricts: bool
    page: str
    files: tuple[Remote, ...]

    @property
    def size(self) -> int | None:
        """All bytes; None where they are not known before they are fetched."""
        sizes = [file.checksums.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)


@cache
def all_sources() -> dict[str, Source]:
    """Every source by name, in the order of the file."""
    with (FOLDER / "sources.toml").open("rb") as file:
        return {name: _source(name, entry) for name, entry in tomllib.load(file).items()}


def chosen(names: tuple[str, ...]) -> list[Source]:
    """The sources of these names, each once.

    Raises
    ------
    ValueError
        If there is none of a name, or no name is given.
    """
    known = all_sources()
    if not names:
        raise ValueError(f"name what to fetch: {', '.join(known)}; bench list fetch says more")
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ValueError(f"nothing to fetch is called '{name}'{hint} Known: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _source(name: str, entry: dict[str, Any]) -> Source:
    repository, commit = entry.get("repository"), entry.get("commit")
    page = entry.get("page") or entry.get("address", "")
    if repository:
        page = f"https://github.com/{repository}/tree/{commit}"
    return Source(
        name=name,
        kind=entry["kind"],
        about=entry["about"],
        terms=entry["terms"],
        restricts=entry.get("restricts", False),
        page=page,
        files=tuple(_files(name, entry)),
    )


def _files(name: str, entry: dict[str, Any]) -> list[Remote]:
    place = "{repository}/{commit}".format(**entry) if "repository" in entry else ""
    checksums = Checksums(entry.get("size"), entry.get("blob", ""), entry.get("sha256", ""))
    if "path" in entry:
        address = f"{RAW}/{place}/{quote(entry['path'])}"
    elif "address" in entry:
        address = entry["address"]
    elif place:
        return [
            Remote(
                f"{RAW}/{place}/{quote(path)}",
                PurePosixPath(path).name.replace(entry.get("left_out", ""), ""),
                listed,
            )
            for path, listed in _listing(name)
        ]
    else:
        return []
    file = entry.get("file") or name + PurePosixPath(address).suffix
    return [Remote(address, file, checksums)]


def _listing(name: str) -> list[tuple[str, Checksums]]:
    """Paths in a repository and what stands there, as ``git ls-tree -r -l`` prints them."""
    found = []
    for line in (FOLDER / "listings" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        facts, path = line.split("\t")
        _, _, blob, size = facts.split()
        found.append((path, Checksums(int(size), blob)))
    return found
