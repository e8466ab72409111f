"""Results folders in which something is damaged, foreign or made up."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from bad_inputs.entry import MISTAKE, WORKS, BadInput, typed

CELLS = "o/cells/identity/photos"
CELL = f"{CELLS}/gaussian-25-1.json"  # the others stay whole
SEEDS = "seeds=[0,1]"
TEXTS = {
    "empty": b"",
    "cut": b'{"labels": {"higher',
    "[]": b"[]",
    "null": b"null",
    "5": b"5",
    "a word": b'"x"',
    "{}": b"{}",
    "no text": b"\xff\xfe\x00",
    "zeros": bytes(300),
    "html": b"<html></html>",
    "5000 brackets": b"[" * 5000,
    "a number of 5000 digits": b"9" * 5000,
}
Change = Callable[[dict], object]


def _set(*path: str | int, to: object) -> Change:
    """A change of one value, somewhere inside a cell."""

    def change(cell: dict) -> None:
        inside = cell
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = to

    return change


def _drop(*path: str | int) -> Change:
    def change(cell: dict) -> None:
        inside = cell
        for key in path[:-1]:
            inside = inside[key]
        del inside[path[-1]]

    return change


CHANGES: dict[str, Change] = {
    **{f"another {key}": _set("cell", key, to="other") for key in ("model", "dataset", "noise")},
    "another level": _set("cell", "level", to=50.0),
    "another seed": _set("cell", "seed", to=7),
    "level a word": _set("cell", "level", to="loud"),
    "level NaN": _set("cell", "level", to=float("nan")),
    "level null": _set("cell", "level", to=None),
    "seed a word": _set("cell", "seed", to="x"),
    "model a number": _set("cell", "model", to=5),
    "model a path": _set("cell", "model", to="../../x"),
    "dataset a path": _set("cell", "dataset", to="../../x"),
    "noise a path": _set("cell", "noise", to="/x"),
    "model called clean": _set("cell", "model", to="clean"),
    **{f"no {key}": _drop(key) for key in ("cell", "settings", "images", "labels")},
    **{f"{key} a list": _set(key, to=[]) for key in ("cell", "settings", "labels")},
    "cell without a model": _drop("cell", "model"),
    "images none": _set("images", to=[]),
    "images a dict": _set("images", to={}),
    "images words": _set("images", to=["astronaut"]),
    "images null": _set("images", to=None),
    "no name of an image": _drop("images", 0, "image"),
    "image a number": _set("images", 0, "image", to=5),
    "image a path": _set("images", 0, "image", to="../x"),
    "an image twice": lambda cell: cell["images"].append(dict(cell["images"][0])),
    "no score": _drop("images", 0, "psnr"),
    "score NaN": _set("images", 0, "psnr", to=float("nan")),
    "score infinite": _set("images", 0, "psnr", to=float("inf")),
    "score a word": _set("images", 0, "psnr", to="good"),
    "score null": _set("images", 0, "psnr", to=None),
    "score a list": _set("images", 0, "psnr", to=[1]),
    "no seconds": _drop("images", 0, "seconds"),
    "seconds a word": _set("images", 0, "seconds", to="fast"),
    "directions a list": _set("labels", "higher_is_better", to=[]),
    "direction a word": _set("labels", "higher_is_better", "psnr", to="up"),
    "no directions": _drop("labels", "higher_is_better"),
    "no metrics": _drop("settings", "metrics"),
    "metrics a list": _set("settings", "metrics", to=["psnr"]),
}


HOLES = ("images none", "score NaN")  # which a run fills
UNSAID = {("run", name) for name in HOLES} | {("report", "image a path")}  # no name of a file


def _damaged() -> list[BadInput]:
    """A damaged cell is named and never deleted; a run scores it again."""
    makers: dict[str, Callable[[Path], object]] = {
        name: lambda path, text=text: path.write_bytes(text) for name, text in TEXTS.items()
    }
    for name, change in CHANGES.items():

        def changed(path: Path, change: Change = change) -> None:
            cell = json.loads(path.read_text())
            change(cell)
            path.write_text(json.dumps(cell))

        makers[name] = changed
    found = []
    for name, make in makers.items():

        def prepare(folder: Path, make: Callable[[Path], object] = make) -> None:
            make(folder / CELL)

        rescored = name in ("empty", "cut", "[]", "{}", "score NaN", "images none", "another level")
        for command in ("report", "run") if rescored else ("report",):
            found.append(
                BadInput(
                    f"2.3 {command} cell: {name}",
                    typed(command, *([SEEDS] if command == "run" else [])),
                    WORKS,
                    "" if (command, name) in UNSAID else "gaussian-25-1",
                    prepare,
                    writes=("o",),
                    keeps=() if name in HOLES else (CELL,),
                    begun="finished",
                    warns=True,
                )
            )
    return found


def _copied(name: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        (folder / CELLS / name).write_bytes((folder / CELL).read_bytes())

    return prepare


def _written(name: str, text: bytes) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        path = folder / CELLS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)

    return prepare


def _placed(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        (folder / CELL).unlink()
        make(folder / CELL)

    return prepare


PART = "gaussian-25-1.json.part"
BESIDE: dict[str, Callable[[Path], None]] = {  # no cells: they change nothing
    "macOS twin": _written("._gaussian-25-1.json", b"\x00\x05\x16\x07"),
    ".DS_Store": _written(".DS_Store", b"x"),
    "hidden garbage": _written(".x.json", b"garbage"),
    "leftover of a dead process": _written(".gaussian-25-1.json.99999999", b"{"),
    "copy (1)": _copied("gaussian-25-1 (1).json"),
    "a copy": _copied("gaussian-25-1 copy.json"),
    "conflict of Syncthing": _copied("gaussian-25-1.sync-conflict-20260101-010101-ABC.json"),
    "conflict of Dropbox": _copied("gaussian-25-1 (mine's conflicted copy 2026-01-01).json"),
    "backup": _copied("gaussian-25-1.json~"),
    "set aside before": _written("gaussian-25-0.json.damaged", b"x"),
    "file between folders": _written("../x.json", b"{}"),
    "part without a head": _written(PART, b""),
    "part with half a head": _written(PART, b'{"model": {'),
    "part of garbage": _written(PART, b"garbage\n"),
    "part of other settings": _written(PART, b'{"model": {"of": "tv"}, "metrics": {}}\n'),
    "part that is a list": _written(PART, b"[]\n[]\n"),
}
PLACES: dict[str, Callable[[Path], object]] = {
    "folder": lambda path: path.mkdir(),
    "FIFO": os.mkfifo,
    "dead link": lambda path: path.symlink_to("gone"),
    "link to itself": lambda path: path.symlink_to(path.name),
}


def _beside() -> list[BadInput]:
    found = []
    for name, prepare in BESIDE.items():
        command = "run" if "part" in name else "report"
        words = typed(command, *([SEEDS] if command == "run" else []))
        found.append(
            BadInput(
                f"2.3 {command} beside: {name}",
                words,
                WORKS,
                prepare=prepare,
                begun="finished",
                warns=True,
            )
        )
    for name, make in PLACES.items():
        for command in ("report", "run"):
            entry = BadInput(
                f"2.3 {command} cell: {name}",
                typed(command, *([SEEDS] if command == "run" else [])),
                WORKS,
                "gaussian-25-1",
                _placed(make),
                begun="finished",
                warns=True,
            )
            found.append(entry)
    return found


def _unfinished() -> list[BadInput]:
    """A half-done cell whose rows cannot be believed."""

    def half(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
        def prepare(folder: Path) -> None:
            cell = json.loads((folder / CELL).read_text())
            (folder / CELL).unlink()
            lines = [json.dumps(line) for line in (cell["settings"], *cell["images"])]
            (folder / CELLS / PART).write_text("\n".join(change(lines)))

        return prepare

    makers = {
        "torn": half(lambda lines: [lines[0], lines[1][:20]]),
        "no head": half(lambda lines: [*lines[1:], ""]),
        "row a list": half(lambda lines: [lines[0], "[]", ""]),
        "row a word": half(lambda lines: [lines[0], "x", ""]),
        "row NaN": half(lambda lines: [lines[0], '{"image": "astronaut", "psnr": NaN}', ""]),
        "row without a name": half(lambda lines: [lines[0], '{"psnr": 5}', ""]),
        "row of another image": half(lambda lines: [lines[0], '{"image": "x", "psnr": 1}', ""]),
        "empty": half(lambda lines: []),
    }
    return [
        BadInput(
            f"2.3 run part: {name}",
            typed("run", SEEDS),
            WORKS,
            prepare=prepare,
            begun="finished",
            warns=True,
        )
        for name, prepare in makers.items()
    ]


def _pictures() -> list[BadInput]:
    """A damaged picture costs at worst its own strip."""
    picture = "o/pictures/photos/gaussian-25-0/astronaut"
    makers: dict[str, Callable[[Path], object]] = {
        "empty": lambda path: path.write_bytes(b""),
        "cut": lambda path: path.write_bytes(path.read_bytes()[:60]),
        "missing": lambda path: path.unlink(),
        "a folder": lambda path: (path.unlink(), path.mkdir()),
        "a dead link": lambda path: (path.unlink(), path.symlink_to("gone")),
        "text": lambda path: path.write_text("x"),
    }
    found = []
    for file in ("clean", "identity", "noisy"):
        for name, make in makers.items():

            def prepare(folder: Path, make: Callable = make, file: str = file) -> None:
                make(folder / picture / f"{file}.png")

            command = "run" if file == "identity" else "report"
            words = typed(command, *([SEEDS] if command == "run" else []))
            found.append(
                BadInput(
                    f"2.1 {command} {file}.png: {name}",
                    words,
                    MISTAKE if (command, name) == ("run", "a folder") else WORKS,
                    prepare=prepare,
                    writes=("o",),
                    begun="finished",
                    warns=True,
                )
            )
    return found


def _others() -> list[BadInput]:
    """Settings that differ from those of what is stored, and a comparison of some models."""
    again = typed("run", SEEDS)
    pages = ("o/leaderboard.md", "o/leaderboard.csv", "o/scores.csv")
    return [
        BadInput("2 run again", again, WORKS, begun="finished"),
        BadInput(
            "2.6 run limit grown",
            typed("run", SEEDS, "data.photos.limit=2"),
            WORKS,
            begun="finished",
        ),
        BadInput(
            "2.6 run other images",
            typed("run", SEEDS, "data.photos.crop=40"),
            says="dataset",
            begun="finished",
        ),
        BadInput(
            "2 run another protocol",
            typed("run", SEEDS, "metric.psnr.border=3"),
            says="border",
            begun="finished",
        ),
        BadInput(
            "3 report of a subset",
            typed("report", "model=identity"),
            WORKS,
            begun="finished",
            keeps=pages,
        ),
        BadInput("3 report of none", typed("report", "model=nlm"), says="'nlm'", begun="finished"),
    ]


ENTRIES = [*_damaged(), *_beside(), *_unfinished(), *_pictures(), *_others()]
