"""A source onto the disk: all of its files, checked, or none; what is there already is kept."""

import contextlib
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pooch
import requests

from benchmark.console.log import log
from benchmark.datasets import DATASETS
from benchmark.datasets.images import SUFFIXES
from benchmark.files.lease import Leases
from benchmark.files.places import in_home, weights_folder
from benchmark.files.whole import writing
from benchmark.offline.download import Refused, Resuming
from benchmark.offline.lock import Lock
from benchmark.offline.sources import Remote, Source

RETRIES = 4  # after which an address is given up; pooch waits 1, 2, 3, 4 seconds between them
OTHERS = 3  # files which are named

Seen = Callable[[int], object]  # is told how many bytes of a source there are


@dataclass
class Found:
    """What a folder has of a source."""

    same: list[Remote] = field(default_factory=list)
    lacking: list[Remote] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # in the way of its files, or beside them


def folder_of(source: Source, to: str | None = None) -> Path:
    """Where a source's files go: below ``to``, or where the benchmark looks for them first."""
    if source.kind == "data":
        return in_home(to) / source.name if to else DATASETS[source.name]().searched()[0]
    return in_home(to) if to else weights_folder()


def compare(source: Source, folder: Path, lock: Lock) -> Found:
    """What a folder has of a source, by content; a file nothing is known of counts as the same.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    found = Found()
    for remote in source.files:
        path = folder / remote.name
        if not os.path.lexists(path):
            found.lacking.append(remote)
        elif path.is_file() and not lock.checksums(remote).problem(path):
            found.same.append(remote)
        else:
            found.others.append(remote.name)
    if source.kind == "data" and folder.is_dir():
        ours = {remote.name for remote in source.files}
        images = {path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES}
        found.others += sorted(images - ours)
    return found


def fetch(source: Source, folder: Path, lock: Lock, seen: Seen = lambda _: None) -> str:
    """Bring a source into a folder; what was done, in a sentence.

    Files are received in a hidden folder beside, which a later call goes on with, and move into
    their place once all of them are there and are what was published. Nothing that is there is
    changed. Of several processes one fetches, and the others wait.

    Raises
    ------
    ValueError
        If it is only to be had by hand, if other files are in the folder, or if an address gives
        another file or cannot be reached.
    OSError
        If files cannot be written.
    """
    if not source.files:
        raise ValueError(
            f"{source.name} has no address that gives the files: get it by hand from {source.page} "
            f"({source.terms})"
        )
    folder = folder.resolve()  # a link may lead to another disk, onto which nothing can be moved
    found = compare(source, folder, lock)
    if found.others:
        return _with_others(source, folder, found, lock)
    if not found.lacking:
        return f"{source.name}: all of it is in {folder} already"
    beside = folder.parent if source.kind == "data" else folder
    work = beside / f".{source.name}.fetching"
    if not all(lock.checksums(remote).whole for remote in found.lacking):
        lock.require_writable()
    with writing(folder, setting="to"):
        work.mkdir(parents=True, exist_ok=True)
    try:
        with Leases("to").waiting(work / "lease", log.info):
            found = compare(source, folder, lock)
            if not found.lacking:
                return f"{source.name}: all of it is in {folder}, brought by another process"
            with writing(folder, setting="to"):
                _receive(source, found.lacking, work, lock, seen)
            said = f"{source.name}: fetched into {folder}{_recorded(found.lacking, work, lock)}"
            with writing(folder, setting="to"):
                folder.mkdir(parents=True, exist_ok=True)
                for remote in found.lacking:
                    os.replace(work / remote.name, folder / remote.name)
            shutil.rmtree(work, ignore_errors=True)
    finally:
        with contextlib.suppress(OSError):  # it has what a later call goes on with
            work.rmdir()
    return said


def _receive(source: Source, files: list[Remote], work: Path, lock: Lock, seen: Seen) -> None:
    """Have these files of a source, whole and checked, in the folder ``work``."""
    pooch.get_logger().setLevel(logging.ERROR)  # it would say each file
    store = pooch.create(
        work,
        base_url="",
        registry=dict.fromkeys((remote.name for remote in files), None),  # type: ignore[arg-type]
        urls={remote.name: remote.address for remote in files},
        retry_if_failed=RETRIES,
    )
    with requests.Session() as session:
        before = 0
        for remote in files:
            path, checksums = work / remote.name, lock.checksums(remote)
            if path.is_file() and checksums.problem(path):
                path.unlink()  # it was damaged after an earlier call had checked it
            downloader: Any = Resuming(
                session,
                checksums,
                work / f"{remote.name}.part",
                lambda count, start=before: seen(start + count),
            )
            try:
                store.fetch(remote.name, downloader=downloader)
            except Refused as error:
                raise ValueError(f"{source.name}: {error}; its page is {source.page}") from None
            except requests.RequestException as error:
                again = (
                    "the same command goes on where it was"
                    if downloader.goes_on
                    else "give the same command again"
                )
                raise ValueError(f"{source.name}: {error}; {again}") from None
            before += path.stat().st_size
            seen(before)


def _recorded(files: list[Remote], work: Path, lock: Lock) -> str:
    """Record the checksums which nobody published; which they are, as the end of a sentence."""
    said = ""
    for remote in files:
        if not lock.checksums(remote).whole:
            digest = lock.record(remote, work / remote.name)
            said += (
                f"; no checksum of {remote.name} is published: that of this first fetch, SHA-256 "
                f"{digest}, is written into {lock.path} and held against later ones"
            )
    return said


def _with_others(source: Source, folder: Path, found: Found, lock: Lock) -> str:
    """What to say of a folder with other files than the published ones, which are all kept."""
    names = ", ".join(found.others[:OTHERS]) + (" ..." if len(found.others) > OTHERS else "")
    if source.kind == "data":
        dataset = DATASETS[source.name]()
        if len(dataset.listing(folder)) == dataset.count:
            return (
                f"{source.name}: its {dataset.count} images are in {folder} already, in other "
                f"files than the published ones ({names}); nothing was fetched"
            )
    recorded = {r.name for r in source.files if lock.checksums(r).lock} & {*found.others}
    said = f"those which {lock.path} records of first fetches" if recorded else "the published ones"
    raise ValueError(
        f"{source.name}: {folder} has other files than {said} ({names}), which are kept; move them "
        f"away, or choose another folder with to=FOLDER"
    )
