"""Whether a path that a user named is a file which can be read, before it is opened."""

import os
import re
from pathlib import Path

from platformdirs import user_cache_path

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/|(hf|s3|gs|gdrive|github|huggingface):|www\.", re.I)
LISTED = 5  # files of a folder which are named


def named_file(given: str | Path, suffixes: tuple[str, ...] = ()) -> Path:
    """The path that a user wrote, ``~`` expanded; there need be nothing at it.

    Whatever is there is not opened: to open a FIFO would wait for a writer.

    Parameters
    ----------
    suffixes
        Of the files which are named where a folder was given; empty: of all.

    Raises
    ------
    ValueError
        If it is an address, a folder, a link to nothing, a FIFO or device, or may not be read.
    """
    refuse_address(given, "file")
    try:
        path = Path(given).expanduser()
        if path.is_dir():
            raise ValueError(f"{path} is a folder, not a file; {_choice(path, suffixes)}")
        if path.is_symlink() and not path.exists():
            raise ValueError(
                f"{path} is a link to {os.readlink(path)}, which is not there; mend the link, or "
                f"give the file itself"
            )
        if path.exists() and not path.is_file():
            raise ValueError(f"{path} is a FIFO, a socket or a device; give a file")
        if path.is_file() and not os.access(path, os.R_OK):
            raise ValueError(f"{path} may not be read; change its permissions: chmod u+r {path}")
    except (OSError, RuntimeError) as error:  # no such home, a loop of links, a name too long
        raise ValueError(f"{given} is no path of a file: {error}") from None
    return path


def in_home(path: str) -> Path:
    """A folder's path as the user gave it; ``~`` is the home folder, an address is an error."""
    refuse_address(path, "folder")
    return Path(os.path.expanduser(path))  # where there is no such user, it stays as it is


def weights_folder() -> Path:
    """Where published weights lie that ``bench fetch`` brought; it need not be there."""
    return user_cache_path("noisebench") / "weights"


def refuse_address(given: str | Path, what: str) -> None:
    """Raise ``ValueError`` if a path that a user wrote is an address; ``what`` it should be."""
    if ADDRESS.match(str(given)):
        raise ValueError(
            f"{given} is an address, and nothing is downloaded; download the {what} and give its "
            f"path"
        )


def _choice(folder: Path, suffixes: tuple[str, ...]) -> str:
    names = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and (not suffixes or path.suffix.lower() in suffixes)
    )
    if not names:
        return (
            f"there is none in it that ends in {', '.join(suffixes)}" if suffixes else "it is empty"
        )
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"give one of those in it: {', '.join(names[:LISTED])}{more}"
