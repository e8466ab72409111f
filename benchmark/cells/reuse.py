"""Which stored scores stand for what is asked now, and what differs where they do not."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from benchmark.cells.provenance import EARLIER
from benchmark.cells.records import Complete, Record, Row, Stored
from benchmark.settings import differences, digest_of, short_digest

Settings = Mapping[str, Any]
Identities = Mapping[str, str] | None  # by image, in order; None: only the set is known

GROUPS = {"model": "model", "noise": "noise", "dataset": "data", "metrics": "metric"}  # of options
CURE = "choose another folder (out=FOLDER), or delete that cell"
MOST_ALIKE = 10_000
WHICH = ("limit", "images", "sha256")  # settings of a dataset that say which images, not of what


class OtherScores(ValueError):
    """Stored scores are of something else than what is asked for.

    Parameters
    ----------
    found
        Where they are and what they are of: a sentence without what can be done.
    cure
        What can be done where models, noises and data can be given names.
    """

    def __init__(self, found: str, cure: str):
        super().__init__(f"{found}; {cure}")
        self.found = found


class Alike:
    """Which cells are finished as they are asked for, where that is known of their like.

    Cells of one model, noise and dataset have one object as their settings, and so have the
    requests for them, so that nearly all of a million are compared by looking them up.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[object, ...]] = {}

    def are(self, stored: Stored, now: Settings, identities: Identities) -> bool:
        """Whether `add` was told of a cell with the same objects."""
        return not stored.incomplete and self._key(stored, now, identities) in self._known

    def add(self, stored: Stored, now: Settings, identities: Identities) -> None:
        """Say that a stored cell has all that is asked for."""
        if _digest(stored.facts["settings"]) != _digest(now):
            return  # each row says by itself of which file it is
        if len(self._known) >= MOST_ALIKE:
            self._known.clear()
        objects = (stored.facts["settings"], stored.images, now, identities)  # kept: ids are theirs
        self._known[self._key(stored, now, identities)] = objects

    @staticmethod
    def _key(stored: Stored, now: Settings, identities: Identities) -> tuple[int, ...]:
        return id(stored.facts["settings"]), id(stored.images), id(now), id(identities)


def refuse_other(
    place: str, stored: Settings, rows: Iterable[Row], now: Settings, identities: Identities
) -> None:
    """Raise `OtherScores` if stored scores are of something else; the message says of what.

    More or fewer images of one dataset are no difference, nor are metrics only one side has.

    Parameters
    ----------
    place
        Where they are: a file, or a file and the number of a line, as `Stored` has it.
    """
    shared = stored["metrics"].keys() & now["metrics"].keys()
    changes = differences(_of_what(stored, shared), _of_what(now, shared))
    reason = f"with {' and '.join(changes)}" if changes else None
    groups = dict.fromkeys(GROUPS.get(change.partition(".")[0]) for change in changes)
    if reason is None and (other := _other_images(stored, list(rows), now, identities)):
        reason = f"on other images of dataset '{now['dataset'].get('of', '')}': {other}"
        groups = {"data": None}
    if reason:
        named = " and ".join(f"'+{group}.NAME={{of: ...}}'" for group in groups if group)
        own = f"give the variant a name of its own ({named}), " if named else ""
        raise OtherScores(f"{place} was scored {reason}", f"{own}{CURE}")


def usable_rows(
    stored: Settings,
    rows: Iterable[Row],
    now: Settings,
    identities: Identities,
    incomplete: Iterable[str],
    complete: Complete,
) -> dict[str, Row]:
    """By image, the rows of wanted images which have all numbers that are asked for.

    Parameters
    ----------
    incomplete
        The images which may lack one.
    """
    if not now["metrics"].keys() <= stored["metrics"].keys():
        return {}
    usable = matching(stored, rows, now, identities)
    for image in incomplete:
        if image in usable and not complete(usable[image], now):
            del usable[image]
    return usable


def matching(
    stored: Settings, rows: Iterable[Row], now: Settings, identities: Identities
) -> dict[str, Row]:
    """By image, the rows whose images are wanted now and are the same files, cut the same way."""
    by_image = {row["image"]: row for row in rows}
    if identities is None:
        return by_image if _digest(stored) == _digest(now) else {}
    known = {image: row for image, row in by_image.items() if image in identities}
    if _digest(stored) == _digest(now):
        return known
    if any("source" in row for row in by_image.values()):
        return {
            image: row
            for image, row in known.items()
            if row.get("source") == short_digest(identities[image])
        }
    # version 0.1 said of the set only what it was
    same = len(known) == len(by_image) and _digest(stored) == digest_of(
        identities[k] for k in known
    )
    return known if same else {}


def joined(stored: Record, now: Record) -> Record:
    """A cell scored again or further: what is new wins, and nothing else is lost."""
    before = {row["image"]: row for row in stored["images"]}
    images = [{**before.pop(row["image"], {}), **row} for row in now["images"]]
    settings = dict(now["settings"])
    settings["metrics"] = {**stored["settings"]["metrics"], **settings["metrics"]}
    if before:
        settings["dataset"] = stored["settings"]["dataset"]
    unchanged = {key: value for key, value in stored.items() if key != EARLIER}
    record = {**unchanged, **now, "settings": settings, "images": [*images, *before.values()]}
    record["labels"] = _merged(stored["labels"], now["labels"])
    return record


def _other_images(
    stored: Settings, rows: list[Row], now: Settings, identities: Identities
) -> str | None:
    """Why the images of a file are others than those of now, if they are."""
    if _digest(stored) == _digest(now):
        return None
    if identities is None:
        return f"their sha256 was {_digest(stored)!r} and is {_digest(now)!r} now"
    same = matching(stored, rows, now, identities)
    changed = [row["image"] for row in rows if row["image"] in identities.keys() - same.keys()]
    if changed and not any("source" in row for row in rows):
        before = stored["dataset"].get("images", len(rows))
        return f"{before} then and {len(identities)} now, and it does not say which are the same"
    if changed:
        return f"{_some(changed)} changed since then"
    gone = [row["image"] for row in rows if row["image"] not in identities]
    if gone and len(same) < len(identities):
        return f"there is no {_some(gone)} now"
    return None


def _some(images: list[str]) -> str:
    more = f" and {len(images) - 1} more" if len(images) > 1 else ""
    return f"'{images[0]}'{more}"


def _digest(settings: Settings) -> object:
    return settings["dataset"].get("sha256")


def _of_what(settings: Settings, metrics: Collection[str]) -> dict[str, Any]:
    """Settings without what says which images they are of, and with these metrics alone."""
    return {
        **settings,
        "dataset": {k: v for k, v in settings["dataset"].items() if k not in WHICH},
        "metrics": {k: v for k, v in settings["metrics"].items() if k in metrics},
    }


def _merged(stored: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Labels of both, those of now winning; a dict by metric keeps the metrics of before."""
    merged = {**stored, **now}
    for key, label in now.items():
        if isinstance(label, Mapping) and isinstance(stored.get(key), Mapping):
            merged[key] = {**stored[key], **label}
    return merged
