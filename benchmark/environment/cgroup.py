"""How much memory and how many cores a container has, as Linux's control groups tell it."""

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
    left = [_left(group) for group in _groups(root, "memory")]
    return min((bytes_ for bytes_ in left if bytes_ is not None), default=None)


def container_cores(root: Path = Path("/")) -> float | None:
    """The share of all cores' time that the control groups leave to this process, in cores.

    None where no group has a quota. Which cores a process may use, its affinity, is no part of it.

    Parameters
    ----------
    root
        As of `container_free`.
    """
    quotas = [_quota(group) for group in _groups(root, "cpu")]
    return min((cores for cores in quotas if cores is not None), default=None)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the groups, each followed by those it is inside of."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return  # no Linux
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number != "0" and controller not in controllers.split(","):
            continue
        mounts = (controller,) if number != "0" else ("", "unified")
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


def _quota(group: Path) -> float | None:
    """Microseconds of a core by those that pass, either version's; None if it has no quota."""
    quota, period = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
    try:
        first, _, second = (group / "cpu.max").read_text().strip().partition(" ")
        quota, period = (int(first), int(second)) if first.isdecimal() else (None, None)
    except (OSError, ValueError):
        pass  # version 1
    return quota / period if quota and period else None


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
