"""Which names variants may have: those which are safe as file names and say what they mean."""

import re
from functools import cache

from benchmark.files.whole import file_name

ALLOWED = re.compile(r"[A-Za-z0-9_.+(),-]+")
TRAINING = re.compile(r"[^@]+(@[^@]+)?")  # of a network: masked@1
IN_FORMULAS = re.compile(r""""[^"]*"|'[^']*'|>>|[=\[\]]""")  # what formulas of noises have as well
LONGEST = 100  # characters; a cell's file name holds a noise, its level and its seed beside it
DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}  # Windows opens these instead of a file, whatever their suffix
EVERYTHING = {"all"}  # what chooses every name of a group
PICTURES = {"clean", "noisy"}  # which stand beside those of the models
RESERVED = {
    "model": EVERYTHING | PICTURES,
    "noise": EVERYTHING  # the other columns of a leaderboard
    | {"in_distribution", "ood", "ood_low", "ood_high", "seconds"}
    | {"rank_low", "rank_high", "group"},
    "data": EVERYTHING,
    "metric": EVERYTHING  # the other columns of a table, and what else a cell says of an image
    | {"model", "dataset", "noise", "level", "seed", "image", "seconds", "n_images"}
    | {*PICTURES, "source", "tile"},
    "ablation": set(),
}
WORDS = {"data": "dataset"}  # what people call a group, where that is another word


def check_name(group: str, name: object) -> None:
    """Refuse a name which is no plain file name, or which means something else already.

    Names of noises may be formulas, which have `file_name` as their file name.

    Parameters
    ----------
    group
        model, noise, data, metric or ablation.

    Raises
    ------
    ValueError
        If the name is not text, is empty, too long or a path, has other characters than ASCII
        letters, digits and ``_ - . + ( ) ,``, or of a model one ``@`` between a network's name and
        that of its training, starts with a dot or a hyphen, ends with a dot, is a
        device of Windows, or is reserved.
    """
    problem = _problem(group, name) if isinstance(name, str) else "it is not text"
    if problem:
        raise ValueError(
            f"{WORDS.get(group, group)} {_shown(name)} cannot have this name: {problem}; names are "
            f"letters a to z, digits and _ - . + ( ) , and begin with none of . and -"
        )


@cache
def _problem(group: str, name: str) -> str | None:
    safe = file_name(name) if group == "noise" else name
    if not safe:
        return "it is empty"
    if safe[0] in ".-":
        return f"it begins with '{safe[0]}'"
    if safe.endswith("."):
        return "it ends with a dot"
    if name.lower() in RESERVED[group]:
        return f"'{name.lower()}' means something else here"
    if safe.partition(".")[0].lower() in DEVICES:
        return "Windows has a device of this name"
    if group != "noise" and len(name) > LONGEST:
        return f"it has {len(name)} characters, and {LONGEST} are the most"
    if group == "model":
        if not TRAINING.fullmatch(name):
            return "'@' stands once, between a network and its training, as in masked@1"
        name = name.replace("@", "")
    others = ALLOWED.sub("", IN_FORMULAS.sub("", name) if group == "noise" else name)
    return f"it has {_shown(others[0])} in it" if others else None


def _shown(name: object) -> str:
    text = ascii(name)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}...'"
