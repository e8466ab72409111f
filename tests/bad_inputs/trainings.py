"""Folders of trainings whose state is damaged, foreign or hostile: nothing in them is lost."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import torch

from bad_inputs.entry import MISTAKE, BadInput, typed
from bad_inputs.files import Shell, around_itself, header, legacy, network, stored


def states(folder: Path) -> list[Path]:
    """The files of the training's state, in order."""
    return sorted((folder / "o" / "dncnn").glob("state-*"))


CONTENTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "one byte": lambda whole: whole[:1],
    "cut": lambda whole: whole[:-200],
    "half": lambda whole: whole[: len(whole) // 2],
    "its start lost": lambda whole: whole[200:],
    "zeros": lambda whole: bytes(len(whole)),
    "one byte changed": lambda whole: whole[:900] + bytes([whole[900] ^ 255]) + whole[901:],
    "longer": lambda whole: whole + b"more",
    "text": lambda whole: b"hello",
    "html": lambda whole: b"<!doctype html>",
    "LFS pointer": lambda whole: b"version https://git-lfs.github.com/spec/v1\n",
    "os.system": lambda whole: stored({"settings": Shell()}),
    "os.system, legacy": lambda whole: legacy(Shell()),
    "os.system, plain pickle": lambda whole: pickle.dumps(Shell()),
    "a list": lambda whole: stored([1]),
    "empty dict": lambda whole: stored({}),
    "a network": lambda whole: stored(network()),
    "settings a word": lambda whole: stored({"settings": "x", "diary": {}}),
    "a tensor": lambda whole: stored(torch.zeros(3)),
    "around itself": lambda whole: stored(around_itself()),
    "safetensors": lambda whole: header("{}"),
}
PLACES: dict[str, Callable[[Path], object]] = {
    "folder": lambda path: path.mkdir(),
    "FIFO": os.mkfifo,
    "dead link": lambda path: path.symlink_to("gone"),
}


def _foreign(number: int, content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        path = states(folder)[number]
        path.write_bytes(content(path.read_bytes()))

    return prepare


def _placed(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        path = states(folder)[0]
        path.unlink()
        make(path)

    return prepare


def _swapped(folder: Path) -> None:
    first, second, *_ = states(folder)
    contents = first.read_bytes(), second.read_bytes()
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])


def _ends() -> list[BadInput]:
    pieces: dict[str, Callable[[Path], object]] = {
        "first missing": lambda folder: states(folder)[0].unlink(),
        "second missing": lambda folder: states(folder)[1].unlink(),
        "last missing": lambda folder: states(folder)[-1].unlink(),
        "second empty": _foreign(1, lambda whole: b""),
        "second cut": _foreign(1, lambda whole: whole[:-1]),
        "two swapped": _swapped,
    }
    makers = {
        **{f"state: {n}": ("trained", _foreign(0, c)) for n, c in CONTENTS.items()},
        **{f"state: {name}": ("trained", _placed(make)) for name, make in PLACES.items()},
        **{f"pieces: {name}": ("pieces", make) for name, make in pieces.items()},
    }
    found = []
    for name, (begun, prepare) in makers.items():
        words = typed("train", "state_megabytes=0.005" if begun == "pieces" else "seed=1")
        found.append(BadInput(f"2.5 train {name}", words, MISTAKE, "state-", prepare, begun=begun))
    other = typed("train", "steps=2")
    found.append(BadInput("2.5 train another recipe", other, says="steps 1", begun="trained"))
    return found


ENTRIES = _ends()
