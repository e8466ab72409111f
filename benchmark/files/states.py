"""What changes with every change of a file or a folder: whether much is still as it was, fast."""

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256

State = tuple[str, int, int, int]  # path, times of change, size


def state_of(path: str) -> State:
    """The state of a file, or of a folder, which changes with its names; zeros where none is."""
    try:
        facts = os.stat(path)
    except OSError:
        return path, 0, 0, 0
    # an archive or a copy brings its own time of change, but not that of the entry in the folder
    return path, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size


def digest_of_states(paths: Iterable[str]) -> str:
    """SHA-256, in hexadecimal, of the states of files and folders."""
    return sha256(repr([state_of(path) for path in paths]).encode()).hexdigest()


def below(folder: str) -> Iterator[str]:
    """A folder and everything in it, in order, also behind links; each folder's content once."""
    yield folder
    walked: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        try:
            facts = os.stat(root)
        except OSError:  # another process has just removed it
            continue
        if (facts.st_dev, facts.st_ino) in walked:  # links can lead round in a circle
            folders.clear()
            continue
        walked.add((facts.st_dev, facts.st_ino))
        folders.sort()
        yield from (os.path.join(root, name) for name in sorted([*folders, *names]))
