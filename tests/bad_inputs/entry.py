"""One bad input: what is typed, in which folder, and how the command has to end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

MISTAKE, BROKEN, WORKS, INTERRUPTED = 2, 1, 0, 130

SMALL = ("data=photos", "data.photos.limit=1", "data.photos.crop=32")
CLEAN = (*SMALL, "noise=gaussian", "noise.gaussian.levels=[25]")
TINY = ("model=dncnn", "model.dncnn.depth=3", "model.dncnn.width=8")
ONE_STEP = ("steps=1", "batch=1", "patch=16")
TYPED = {  # what a command is told beside the bad word: the cheapest that is no mistake
    "run": ("model=identity", *CLEAN, "metric=psnr", "out=o"),
    "train": (*TINY, "data=ihc", "data.ihc.crop=64", *ONE_STEP, "watch=[]", "out=o"),
    "passes": ("model=masked", *CLEAN, "passes=2", "averaged=[1,2]", "out=o"),
    "tiles": ("model=masked", *CLEAN[:2], "data.photos.crop=96", *CLEAN[3:], "tiles=[64]", "out=o"),
    "analyse": ("features", "model=dncnn", *SMALL, "noise=poisson", "side=32", "crops=4", "out=o"),
    "noise": ("noise=gaussian(25)", *SMALL, "out=o"),
    "ablate": ("ablation=masks", "preset=tiny", "size=tiny", "out=o", "runs=o/runs"),
    "export": ("noise=gaussian(25)", *SMALL, "out=o"),
    "fetch": ("kodak24", "to=o", "lock=o/lock"),
    "bundle": ("model=identity", *CLEAN, "metric=psnr", "to=o/run.tar"),
    "status": ("out=o",),
    "paper": ("figure_4", "make=none", "out=o"),
    "explain": ("model=identity", *CLEAN),
    "check": ("model=identity", *CLEAN, "metric=psnr", "update=true", "baseline=b.csv"),
    "submit": ("model=identity", "data=dnd", "out=o"),
    "render": ("out=o",),
    "zoo": ("out=o/zoo.md",),
    "report": ("out=o",),
    "explore": ("out=o", "pictures=none"),
    "show": ("out=o",),
    "cite": ("out=o",),
    "check-model": ("model=identity",),
    "repro": ("o",),
    "diff": ("o", "p"),
    "list": (),
}


@dataclass(frozen=True)
class BadInput:
    """A command line, the folder it is given in, and what has to come of it.

    Parameters
    ----------
    name
        Section of the promise and kind: ``"2.3 cell: cut"``.
    words
        The command line after ``bench``.
    status
        The exit status.
    says
        A part of what is printed, in any case of its letters.
    prepare
        Makes files in the working folder, which is empty before.
    writes
        Places, relative to the working folder, where files may be made and changed; by default
        ``o`` if the command works, and nowhere if it does not.
    keeps
        Files whose bytes must be found afterwards, here or under another name.
    begun
        What ``o`` is before ``prepare``: a ``"finished"`` results folder of two models and of seeds
        0 and 1, a ``"trained"`` network, the same in ``"pieces"``; by default it is not there.
    warns
        Whether warnings may stand before the sentence.
    encoding
        That of stdout, if not UTF-8.
    patches
        Attributes to replace, by their dotted names.
    raises
        The name of the exception of a plugin which has to come through: a defect keeps its
        traceback, and Python ends with status 1.
    """

    name: str
    words: tuple[str, ...]
    status: int = MISTAKE
    says: str = ""
    prepare: Callable[[Path], object] | None = None
    writes: tuple[str, ...] | None = None
    keeps: tuple[str, ...] = ()
    begun: str = ""
    warns: bool = False
    encoding: str = ""
    patches: tuple[tuple[str, object], ...] = ()
    raises: str = ""

    @property
    def may_write(self) -> tuple[str, ...]:
        if self.writes is not None:
            return self.writes
        return ("o",) if self.status == WORKS else ()


def typed(command: str, *words: str) -> tuple[str, ...]:
    """A command line of words and of what else the command needs, each setting once."""
    given = [word.lstrip("+~").partition("=")[0] for word in words]

    def repeated(word: str) -> bool:
        key = word.partition("=")[0]
        return any(key == other or key.startswith(f"{other}.") for other in given)

    return (command, *(word for word in TYPED[command] if not repeated(word)), *words)


def mistakes(section: str, command: str, words: Iterable[str], says: str = "") -> list[BadInput]:
    """An entry for each word that is a mistake of its own."""
    begun = "finished" if command == "report" else ""
    return [
        BadInput(f"{section} {command} {word[:40]}", typed(command, word), says=says, begun=begun)
        for word in words
    ]
