"""A command of bench among those which make the page: what it leaves, and whether that is there."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from benchmark.reporting.readme import commands_of

WHERE = ("out", "runs")  # settings which say where results lie, not what they are
INLINE = re.compile(r"^Made with `(bench .+)`\.$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One command of bench, and what it leaves.

    Parameters
    ----------
    name
        What parts call it.
    words
        Behind ``bench``, none of them quoted.
    leaves
        Patterns of files in the folder: it is there where each has one.
    page
        The file of the folder which says what it was made by; empty where none does.
    trains
        Whether it takes hours: where it is there, it is not given again.
    after
        The names of the runs whose results it reads.
    needs
        What has to be there beside these: the weights of ablations, of which only the page may be.
    """

    name: str
    words: tuple[str, ...]
    folder: Path
    leaves: tuple[str, ...]
    page: str = ""
    trains: bool = False
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What makes it alone, as it is typed."""
        return shlex.join(["bench", *self.words])

    @property
    def is_there(self) -> bool:
        return all(any(self.folder.glob(pattern)) for pattern in self.leaves)

    @property
    def made_by(self) -> list[str]:
        """The commands which the page in its folder names; none where it names none."""
        path = self.folder / self.page
        if not self.page or not path.is_file():
            return []
        text = path.read_text("utf-8", "replace")
        return commands_of(text, self.words[0]) or INLINE.findall(text)

    @property
    def other_commands(self) -> list[str]:
        """Those of `made_by`, if this one, wherever it writes to, is not among them."""
        made_by = self.made_by
        return [] if _what(self.command) in map(_what, made_by) else made_by


class Training(Run):
    """A training; its folder may hold its curves alone, where its weights ship."""

    @property
    def is_there(self) -> bool:
        has_curves = (self.folder / "validation.csv").is_file()
        has_state = any(self.folder.glob("state-*"))
        return super().is_there or (has_curves and not has_state)


def _what(command: str) -> list[str]:
    """The words of a command, without those which say where it writes to."""
    return [word for word in shlex.split(command) if word.partition("=")[0] not in WHERE]
