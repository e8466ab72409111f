"""What ``all`` leaves out of a group, told without loading anything."""

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.datasets.dataset import Status


def unavailable(
    package: str, reason: str, status: "Callable[[], Status] | None" = None
) -> str | None:
    """Why ``all`` leaves a class out, in a few words; None if it does not.

    Parameters
    ----------
    package
        The package which it needs beside the installed ones; else empty.
    reason
        What `benchmark.objects.registries.reason_of` says of it.
    status
        Of a dataset, looks for its images.
    """
    if package and importlib.util.find_spec(package) is None:
        return f"no package {package}"
    if reason:
        return reason
    if status:
        found = status()
        if not found.searched:
            return "needs a path"
        if found.problem:
            return "no data"
    return None
