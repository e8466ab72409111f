"""What ``torch.save`` wrote, read without executing or importing anything that it names.

PyTorch's own restricted unpickler does the reading. A class which it does not know gets an inert
stand-in, an object without content, so that the tensors beside a training's settings can be read.
"""

import re
import warnings
from collections import OrderedDict
from typing import IO

import torch

REFUSED = re.compile(r"(?:global|GLOBAL):? (?:GLOBAL )?(\S+)")
UNSUITED = re.compile(r"Can only (\w+).* but got <class '(\S+)'>")
PLAIN = {  # types among the builtins; its functions are no data
    f"builtins.{kind.__name__}"
    for kind in (bool, bytes, dict, float, frozenset, int, list, object, slice, str, tuple)
}
PROGRAMS = {  # modules whose names a file of weights has no use for, but an attack: said aloud
    *("builtins", "os", "posix", "nt", "sys", "subprocess", "shutil", "importlib", "runpy", "pty"),
    *("socket", "ctypes", "pickle", "_pickle", "marshal", "code", "webbrowser", "operator", "io"),
    *("torch", "types", "commands", "multiprocessing", "asyncio", "pip", "bdb", "pdb", "timeit"),
    *("_io", "zipfile", "tempfile", "urllib", "ssl", "glob", "signal"),
}
MOST_CLASSES = 100


class Refused(Exception):
    """A file asks for what is no data; ``args[0]`` is its name."""


class StandIn:
    """An object of a class that is not imported; what it was made of is dropped."""

    def __new__(cls, *_: object, **__: object) -> "StandIn":
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        pass


def load(file: IO[bytes] | str) -> tuple[object, list[str]]:
    """What a file or stream of ``torch.save`` holds, and the classes which have stand-ins in it.

    Raises
    ------
    Refused
        If it asks for a function, or for a class which no stand-in can replace.
    Exception
        Anything else that torch raises at a damaged file.
    """
    made: dict[str, type] = {}
    while True:
        try:
            with warnings.catch_warnings(), torch.serialization.safe_globals(list(made.values())):
                warnings.simplefilter("ignore")  # what PyTorch warns of here, errors say
                return torch.load(file, map_location="cpu", weights_only=True), list(made)
        except Exception as error:  # a damaged pickle raises whatever its bytes happen to ask for
            reason = str(error)
            name, base = _asked(reason, made)
            if name is None:
                raise
        if base is None:
            raise Refused(name)
        made[name] = _stand_in(name, base)
        if not isinstance(file, str):
            file.seek(0)


def _asked(reason: str, made: dict[str, type]) -> tuple[str | None, type | None]:
    """What torch did not let a file have, and what may stand in for it; None for nothing."""
    if unsuited := UNSUITED.search(reason):  # SETITEMS and APPENDS want the very dict or list
        name = unsuited[2]
        if name not in made or not issubclass(made[name], StandIn):
            return name, None
        return name, list if "append" in unsuited[1].lower() else dict
    refused = REFUSED.search(reason)
    if not refused:
        return None, None
    name = refused[1] if "." in refused[1] else f"builtins.{refused[1]}"
    module = name.partition(".")[0]
    harmless = name in PLAIN or module not in PROGRAMS
    return name, StandIn if harmless and name not in made and len(made) < MOST_CLASSES else None


def _stand_in(name: str, base: type) -> type:
    """A class of that name; as a dict or list it makes a plain one, to which torch adds items."""
    module, _, own = name.rpartition(".")
    # torch lets a state be added to the very OrderedDict alone, which takes items as well
    plain = {dict: lambda cls, *_, **__: OrderedDict(), list: lambda cls, *_, **__: []}
    content = {"__new__": plain[base]} if base in plain else {}
    bases = (StandIn,) if base is StandIn else ()
    return type(own, bases, {"__module__": module, "__qualname__": own, **content})
