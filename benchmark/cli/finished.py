"""A run whose cells are all there, known again by the state of all that it read: no planning."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from types import ModuleType

from platformdirs import user_cache_path

from benchmark.cli.command import CommandLine
from benchmark.console.log import Sentence
from benchmark.files.states import below, digest_of_states
from benchmark.files.whole import write_whole

MOST_FILES = 100_000  # that a record watches of one folder; runs with more are planned each time
MOST_RECORDS = 100  # the oldest go

Condition = tuple[str, str, float, int]  # dataset, noise, level, seed


@dataclass(frozen=True)
class Finished:
    """What a run was planned to be, all of which is in its folder, and what tells that it still is.

    Parameters
    ----------
    surroundings
        `Catalogue.state`.
    read, paths
        The state of the files and folders which the run read beside its own, and their paths.
    stored
        The state of the cells and pictures in its folder.
    images
        By dataset, the names of those which each cell has.
    plan
        The file that says what a stopped run of this grid was to score; such a run is planned.
    said
        What the run said and warned of while it was planned.
    """

    surroundings: str
    read: str
    paths: list[str]
    stored: str
    out: str
    models: list[str]
    conditions: list[Condition]
    images: Mapping[str, list[str]]
    plan: str
    said: list[Sentence]


@dataclass(frozen=True)
class Watch:
    """The state of what a run reads, taken before it reads it.

    Parameters
    ----------
    paths
        Images and their folders, weights, what else settings name, and the code which is loaded;
        those which are not there as well, where it counts that they are not.
    """

    line: CommandLine
    paths: list[str]
    read: str

    @classmethod
    def of(cls, line: CommandLine, paths: Iterable[Path]) -> "Watch | None":
        """None where a run cannot be known again: its words say more than settings, or too much is
        to be watched."""
        if not line.catalogue.state or not line.says_all:
            return None
        listed: set[str] = set()
        for path in paths:
            listed.update(islice(below(os.path.abspath(path)), MOST_FILES + 1))
            if len(listed) > MOST_FILES:
                return None
        listed |= _modules()
        return cls(line, sorted(listed), digest_of_states(sorted(listed)))

    def keep(
        self,
        stored: str,
        out: str,
        models: Iterable[str],
        conditions: Iterable[Condition],
        images: Mapping[str, list[str]],
        plan: Path,
        said: Iterable[Sentence],
    ) -> None:
        """Keep what the run has found: all of its cells.

        Parameters
        ----------
        stored
            Of `state_of_results`, taken before the cells were looked at for the last time.
        """
        path = _path(self.line)
        if path is None:
            return
        found = Finished(
            self.line.catalogue.state,
            self.read,
            self.paths,
            stored,
            out,
            list(models),
            list(conditions),
            images,
            str(plan),
            list(said),
        )
        text = json.dumps(asdict(found))
        with contextlib.suppress(OSError):  # nothing but the time to plan again is lost
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, f"{sha256(text.encode()).hexdigest()}\n{text}")
            for old in sorted(path.parent.glob("*.json"), key=os.path.getmtime)[:-MOST_RECORDS]:
                old.unlink(missing_ok=True)


def find(line: CommandLine) -> Finished | None:
    """The run of these words, if nothing has changed on which its plan and its cells depend."""
    state = line.catalogue.state  # as it is before a run is planned
    path = _path(line) if state else None
    if path is None:
        return None
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        if digest != sha256(text.encode()).hexdigest():  # damaged
            return None
        found = Finished(**json.loads(text))
        if found.surroundings != state or os.path.lexists(found.plan):
            return None
        if found.read != digest_of_states(found.paths):
            return None
        return found if found.stored == state_of_results(found.out) else None
    except (OSError, ValueError, TypeError):  # none, or another version's
        return None


def state_of_results(out: str | Path) -> str:
    """The state of all cells and pictures of a results folder."""
    paths = [os.path.join(out, "cells.jsonl")]
    for folder in ("cells", "pictures"):
        paths += below(os.path.join(out, folder))
    return digest_of_states(paths)


def _path(line: CommandLine) -> Path | None:
    """Where the record of a command line in the working folder is kept; None without a home or
    where the working folder was removed."""
    with contextlib.suppress(RuntimeError, FileNotFoundError):
        words = sha256(repr((os.getcwd(), line.words)).encode()).hexdigest()
        return user_cache_path("noisebench") / "finished" / f"{words[:32]}.json"
    return None


def _modules() -> set[str]:
    """The files of the code which this process has loaded."""
    modules = [m for m in list(sys.modules.values()) if issubclass(type(m), ModuleType)]
    return {path for m in modules if isinstance(path := vars(m).get("__file__"), str)}
