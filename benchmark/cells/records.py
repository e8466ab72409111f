"""What a cell's record has to hold: it is believed only where it is what a run writes."""

import json
import marshal
import math
import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from benchmark.cells.cell import Cell
from benchmark.files.names import check_name

Record = dict[str, Any]  # as JSON gives it back
Row = dict[str, Any]  # of one image
# whether an image's row has every number that these settings ask for; `Damaged` for wrong types
Complete = Callable[[Row, Mapping[str, Any]], bool]

KEY = {"model": str, "dataset": str, "noise": str, "level": float, "seed": int}
KINDS_OF_KEY = list(KEY.values())
SETTINGS = ("model", "noise", "dataset", "metrics", "protocol")
DAMAGED = ".damaged"  # what a file which is no cell gets behind its name
SHARED = (*SETTINGS, "settings", "labels", "environment", "code")  # parts which many have
PLAIN = 2  # the version of marshal whose bytes depend on values alone
KINDS = {str: "text", float: "a number", int: "a whole number", bool: "true or false"}


SCANNER = json.JSONDecoder()
COMPACT = '{"cell":', ',"images":[{'  # before a record's key, and where its rows begin
INDENTED = '\n "cell": ', '\n "images": ['
HERE = '"\\u0000"'  # a value that no record has

_parts: dict[bytes, dict[str, Any]] = {}
_names: dict[tuple[str, ...], tuple[str, ...]] = {}


class Damaged(ValueError):
    """A file, or a line of one, which is no cell; the message says why."""


class Stored(NamedTuple):
    """A finished cell as it was read: its rows stay text until they are asked for."""

    cell: Cell
    facts: Record  # its record with None for its key and its rows: many cells have the same
    images: tuple[str, ...]  # of its rows, in their order
    incomplete: tuple[str, ...]  # its images which lack a number
    text: str  # of its rows, JSON
    place: str  # where it was read, for people: a file, or a file and the number of a line

    @property
    def record(self) -> Record:
        """All of it: settings, labels, environment, and a dict for each image."""
        return self.facts | {"cell": dict(vars(self.cell)), "images": json.loads(self.text)}

    @property
    def without_images(self) -> Record:
        """Its record but for the rows of its images."""
        record = self.facts | {"cell": dict(vars(self.cell))}
        del record["images"]
        return record


def read_record(path: str, complete: Complete) -> Stored:
    """The content of a cell's file.

    Raises
    ------
    Damaged
        If it is no regular file, or as `parse_record` does.
    FileNotFoundError
        If there is none.
    OSError
        If it cannot be read.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Damaged(f"{path} is no cell: it is no regular file")
    with open(path, "rb", buffering=0) as file:
        return parse_record(file.read(), path, complete)


def parse_record(content: bytes, place: str, complete: Complete) -> Stored:
    """A cell's record from its JSON. Keys beside those that are known here are allowed everywhere.

    Raises
    ------
    Damaged
        If it is no JSON, or lacks something or has it in another type; the message names the place.
    """
    try:
        if stored := _parted(content, place, complete):
            return stored
        record = json.loads(content)
        incomplete = check_record(record, complete)
        rows, text = record["images"], json.dumps(record["images"])
        facts = _shared({**record, "cell": None, "images": None})
        return _stored(record["cell"], facts, rows, incomplete, text, place)
    except (ValueError, RecursionError, OverflowError) as error:
        raise Damaged(f"{place} is no cell: {_first_line(error)}") from None


def check_record(record: Any, complete: Complete) -> list[str]:
    """The images of a cell which lack a number; `Damaged` if it lacks what every cell has."""
    _mapping(record, "the file")
    _check_key(record.get("cell"))
    _check_facts(record)
    return check_rows(record.get("images"), record["settings"], complete)


def _check_key(key: Any) -> None:
    _mapping(key, "'cell'")
    if key.keys() != KEY.keys():
        raise Damaged(f"'cell' has {', '.join(key) or 'nothing'} and not {', '.join(KEY)}")
    model, dataset, noise, level, _ = values = [key[name] for name in KEY]
    if (
        [*map(type, values)] == KINDS_OF_KEY
        and math.isfinite(level)
        and (model.isascii() and dataset.isascii() and noise.isascii())
    ):
        return  # nearly all
    for name, kind in KEY.items():
        _value(key[name], kind, f"'{name}' of its cell")


def _check_facts(record: Record) -> None:
    """Raise `Damaged` if what a record says beside its key and its rows is not that of a cell."""
    for part in ("settings", "labels"):
        _mapping(record.get(part), f"'{part}'")
    settings, labels = record["settings"], record["labels"]
    check_settings(settings)
    better = labels.get("higher_is_better")
    _mapping(better, "'higher_is_better'")
    for name in settings["metrics"]:
        _value(better.get(name), bool, f"'higher_is_better' of {name}")
    for label, kind in (("border", int), ("digits", int), ("metric_unit", str)):
        _mapping(labels.get(label, {}), f"'{label}'")
        for name, value in labels.get(label, {}).items():
            _value(value, kind, f"'{label}' of {name}")
    for name in ("unit", "note", "family", "compared_with"):
        _value(labels.get(name) or "", str, f"'{name}'")
    _mapping(labels.get("trained_on", {}), "'trained_on'")
    environment = record.get("environment", {})
    _mapping(environment, "'environment'")
    _mapping(environment.get("tile", {}), "'tile'")


def check_settings(settings: Any) -> None:
    """Raise `Damaged` if something is not the settings of a cell."""
    _mapping(settings, "'settings'")
    for name in SETTINGS:
        _mapping(settings.get(name), f"'{name}' of its settings")
    for name, metric in settings["metrics"].items():
        check_name("metric", name)
        _mapping(metric, f"metric {name}")


def check_rows(rows: Any, settings: Mapping[str, Any], complete: Complete) -> list[str]:
    """The images which lack a number; `Damaged` if it is no list of rows, each of another image."""
    if not isinstance(rows, list):
        raise Damaged("'images' is no list")
    seen, incomplete = set(), []
    for row in rows:
        if not check_row(row, settings, complete):
            incomplete.append(row["image"])
        if row["image"] in seen:
            raise Damaged(f"image {row['image']!r} is in it twice")
        seen.add(row["image"])
    return incomplete


def check_row(row: Any, settings: Mapping[str, Any], complete: Complete) -> bool:
    """Whether a row has all its numbers; `Damaged` if it is the row of no image."""
    _mapping(row, "an image's row")
    _value(row.get("image"), str, "the name of an image")
    _value(row.get("source", ""), str, f"'source' of image {row['image']!r}")
    return complete(row, settings)


def is_scored(row: Row, settings: Mapping[str, Any]) -> bool:
    """Whether a row of ``bench run`` has seconds and a finite number for every metric."""
    return all_finite(row, (*settings["metrics"], "seconds"))


def all_finite(values: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether each of these is there and finite; `Damaged` if one is anything but a number."""
    finite = True
    for name in names:
        value = values.get(name)
        if type(value) is float:  # nearly all are
            finite = finite and math.isfinite(value)
        elif value is None:
            finite = False
        elif isinstance(value, (int, float)) and value is not True and value is not False:
            finite = finite and math.isfinite(value)
        else:
            raise Damaged(f"{name} of image {values.get('image')!r} is {value!r:.40}, no number")
    return finite


def _parted(content: bytes, place: str, complete: Complete) -> Stored | None:
    """A record of which only the key and the rows are parsed: the text around is that of many.

    None where the text is not as we write it: as one line, or indented by one space. There, but
    nowhere inside of another value, stand the beginnings that are looked for; if one was found
    elsewhere all the same, what is around it is no record.
    """
    try:
        text = content.decode("ascii")
        begin, of_rows = COMPACT if text.startswith(COMPACT[0]) else INDENTED
        start = text.index(begin) + len(begin)
        key, end = SCANNER.raw_decode(text, start)
        first = text.index("[", text.rindex(of_rows, end))
        rows, last = SCANNER.raw_decode(text, first)
        facts = _facts(f"{text[:start]}{HERE}{text[end:first]}{HERE}{text[last:]}")
        _check_key(key)
        incomplete = check_rows(rows, facts["settings"], complete)
    except (ValueError, RecursionError, OverflowError):  # the whole of it says what is wrong
        return None
    return _stored(key, facts, rows, incomplete, text[first:last], place)


@lru_cache(4096)
def _facts(text: str) -> Record:
    """What a record says beside its key and its rows, in whose place stands `HERE`."""
    facts = json.loads(text)
    if any(facts.get(name) != json.loads(HERE) for name in ("cell", "images")):
        raise Damaged("other values were taken for its key and its rows")
    _check_facts(facts)
    return _shared({**facts, "cell": None, "images": None})


def _stored(
    key: Row, facts: Record, rows: list[Row], incomplete: list[str], text: str, place: str
) -> Stored:
    names = {name: sys.intern(key[name]) for name in ("model", "dataset", "noise")}
    images = tuple([row["image"] for row in rows])
    images = _names.setdefault(images, images)
    return Stored(Cell(**{**key, **names}), facts, images, tuple(incomplete), text, place)


def _shared(facts: Record) -> Record:
    """Facts which have in common with others what is equal in them: so a million fit in memory.

    Nobody changes a record that was read.
    """
    for owner in (facts["settings"], facts):
        for name, part in owner.items():
            if name in SHARED and isinstance(part, dict):
                owner[name] = _parts.setdefault(marshal.dumps(part, PLAIN), part)
    return facts


def _mapping(value: object, what: str) -> None:
    if not isinstance(value, dict):
        raise Damaged(f"{what} is missing or no JSON object")


def _value(value: Any, kind: type, what: str) -> None:
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 2**53 else math.inf
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise Damaged(f"{what} is {value!r:.40} and not {KINDS[kind]}")
    if kind is str and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Damaged(f"{what} is no text: {value!r:.40}") from None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
