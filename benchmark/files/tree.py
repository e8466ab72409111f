"""What lies so many folders below one: names alone, which is quick where there are very many."""

import contextlib
import os
from collections.abc import Iterator


def names_below(folder: str | os.PathLike[str], depth: int) -> Iterator[tuple[str, ...]]:
    """The names on the way to everything so many folders below one, in order.

    Links to folders count as these; what cannot be read has nothing below it.

    Parameters
    ----------
    depth
        1 or more: 1 gives what lies in the folder itself.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        if depth == 1:
            yield from ((name,) for name in sorted(os.listdir(folder)))
            return
        with os.scandir(folder) as entries:
            folders = sorted(entry.name for entry in entries if entry.is_dir())
        for name in folders:
            for names in names_below(os.path.join(folder, name), depth - 1):
                yield name, *names
