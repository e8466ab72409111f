"""How much memory the limit of a container leaves, as Linux's control groups tell it."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def container_free(root: Path = Path("/")) -> int | None:
    """Bytes left to this process by the control groups it is in; None where none has a limit.

    A group's limit holds for all groups inside it, so every group up to the root is asked, of
    version 2 and of version 1. File cache which can be dropped counts as free.

    Parameters
    ----------
    root
        The folder in which ``proc`` and ``sys`` are.
    """
    left = [_left(group) for group in _groups(root)]
    return min((bytes_ for bytes_ in left if bytes_ is not None), default=None)


def _groups(root: Path) -> Iterator[Path]:
    """The folders of the groups, each followed by those it is inside of."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return  # no Linux
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number != "0" and "memory" not in controllers.split(","):
            continue
        mounts = ("memory",) if number != "0" else ("", "unified")
        parts = PurePosixPath(path.lstrip("/"))
        if ".." in parts.parts:  # outside of what the container sees
            parts = PurePosixPath()
        for mount in mounts:
            for place in (parts, *parts.parents):
                # a container may see its own group as the root: then only the root exists
                yield root / "sys/fs/cgroup" / mount / place


def _left(group: Path) -> int | None:
    """Bytes below the limit of one group, either version's; None if it has none."""
    for limits, used, cache in (
        (("memory.max", "memory.high"), "memory.current", "inactive_file"),
        (("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"),
    ):
        found = [_number(group / limit) for limit in limits]
        limit = min((number for number in found if number is not None), default=None)
        usage = _number(group / used)
        if limit is not None and usage is not None:
            return max(0, limit - max(0, usage - _statistic(group / "memory.stat", cache)))
    return None


def _number(path: Path) -> int | None:
    """What a file says; None for ``max``, or where there is no such file."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _statistic(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    found = dict(line.split(maxsplit=1) for line in lines if " " in line)
    return int(found.get(name, 0))
