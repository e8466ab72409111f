"""What a cell's file has to hold: it is believed only where it is what a run writes."""

import json
import math
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from benchmark.files.names import check_name

Record = dict[str, object]
Row = dict[str, object]
# whether an image's row has every number that these settings ask for; `Damaged` for wrong types
Complete = Callable[[Row, Mapping[str, object]], bool]

KEY = {"model": str, "dataset": str, "noise": str, "level": float, "seed": int}
SETTINGS = ("model", "noise", "dataset", "metrics", "protocol")
KINDS = {str: "text", float: "a number", int: "a whole number", bool: "true or false"}


class Damaged(ValueError):
    """A file which is no cell; the message says why."""


def read_record(path: Path, complete: Complete) -> tuple[Record, list[str]]:
    """The content of a cell's file, and those of its images which lack a number.

    Keys beside those that are known here are allowed everywhere.

    Raises
    ------
    Damaged
        If it is no regular file, no JSON, or lacks something or has it in another type; the message
        names the file.
    FileNotFoundError
        If there is none.
    OSError
        If it cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise Damaged(f"{path} is no cell: it is no regular file")
    try:
        record = json.loads(path.read_bytes())
        holes = check_record(record, complete)
    except Damaged as error:
        raise Damaged(f"{path} is no cell: {error}") from None
    except (ValueError, RecursionError, OverflowError) as error:
        raise Damaged(f"{path} is no cell ({_first_line(error)})") from None
    return record, holes


def check_record(record: object, complete: Complete) -> list[str]:
    """The images of a cell which lack a number; `Damaged` if it lacks what every cell has."""
    _mapping(record, "the file")
    for part in ("cell", "settings", "labels"):
        _mapping(record.get(part), f"'{part}'")
    key, settings, labels = record["cell"], record["settings"], record["labels"]
    if key.keys() != KEY.keys():
        raise Damaged(f"'cell' has {', '.join(key) or 'nothing'} and not {', '.join(KEY)}")
    for name, kind in KEY.items():
        _value(key[name], kind, f"'{name}' of its cell")
    check_settings(settings)
    better = labels.get("higher_is_better")
    _mapping(better, "'higher_is_better'")
    for name in settings["metrics"]:
        _value(better.get(name), bool, f"'higher_is_better' of {name}")
    for label, kind in (("border", int), ("digits", int), ("metric_unit", str)):
        _mapping(labels.get(label, {}), f"'{label}'")
        for name, value in labels.get(label, {}).items():
            _value(value, kind, f"'{label}' of {name}")
    for name in ("unit", "note", "compared_with"):
        _value(labels.get(name) or "", str, f"'{name}'")
    environment = record.get("environment", {})
    _mapping(environment, "'environment'")
    _mapping(environment.get("tile", {}), "'tile'")
    return check_rows(record.get("images"), settings, complete)


def check_settings(settings: object) -> None:
    """Raise `Damaged` if something is not the settings of a cell."""
    _mapping(settings, "'settings'")
    for name in SETTINGS:
        _mapping(settings.get(name), f"'{name}' of its settings")
    for name, metric in settings["metrics"].items():
        check_name("metric", name)
        _mapping(metric, f"metric {name}")


def check_rows(rows: object, settings: Mapping[str, object], complete: Complete) -> list[str]:
    """The images which lack a number; `Damaged` if it is no list of rows, each of another image."""
    if not isinstance(rows, list):
        raise Damaged("'images' is no list")
    seen, holes = set(), []
    for row in rows:
        if not check_row(row, settings, complete):
            holes.append(row["image"])
        if row["image"] in seen:
            raise Damaged(f"image {row['image']!r} is in it twice")
        seen.add(row["image"])
    return holes


def check_row(row: object, settings: Mapping[str, object], complete: Complete) -> bool:
    """Whether a row has all its numbers; `Damaged` if it is the row of no image."""
    _mapping(row, "an image's row")
    _value(row.get("image"), str, "the name of an image")
    _value(row.get("source", ""), str, f"'source' of image {row['image']!r}")
    return complete(row, settings)


def is_scored(row: Row, settings: Mapping[str, object]) -> bool:
    """Whether a row of ``bench run`` has seconds and a finite number for every metric."""
    return all_finite(row, (*settings["metrics"], "seconds"))


def all_finite(values: Mapping[str, object], names: Iterable[str]) -> bool:
    """Whether each of these is there and finite; `Damaged` if one is anything but a number."""
    found = True
    for name in names:
        value = values.get(name)
        if value is None:
            found = False
        elif isinstance(value, (int, float)) and value is not True and value is not False:
            found = found and math.isfinite(value)
        else:
            raise Damaged(f"{name} of image {values.get('image')!r} is {value!r:.40}, no number")
    return found


def _mapping(value: object, what: str) -> None:
    if not isinstance(value, dict):
        raise Damaged(f"{what} is missing or no JSON object")


def _value(value: object, kind: type, what: str) -> None:
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
