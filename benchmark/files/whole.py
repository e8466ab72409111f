"""Files which are whole or absent, and their fingerprints."""

import errno
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from benchmark.files.owner import is_alive, new_token

# quotes are taken whole: only outside them do '>>' and parentheses come in an order
ENCODED = re.compile(r""""[^"]*"|'[^']*'|>>|[^\w.,=+()-]""", re.ASCII | re.DOTALL)
LONGEST = 160  # characters; file systems take 255, and a suffix is to come
ABANDONED = 3600  # seconds after which a file that nobody is known to write counts as left over

# the files which `write_whole` leaves where it is killed, each with the token of its writer
ASIDE = re.compile(r"\..+\.([0-9a-f]{8}-\d+-\d+-[0-9a-f]{8})\.tmp")

ADVICE = (  # what to do about an error, by its number; where none fits, try again
    (
        {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG},
        "make room and ",
    ),
    (
        {errno.EACCES, errno.EPERM, errno.EROFS},
        "choose a folder that you may write to ({setting}), or let yourself write there and ",
    ),
    (
        {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY},
        "a file stands where a folder has to be, or a folder where a file: choose another folder "
        "({setting}), or move that away and ",
    ),
    ({errno.ENAMETOOLONG}, "choose shorter names or a shorter folder ({setting}) and "),
)


def file_name(noise: str) -> str:
    """A noise's name as part of a file name: on any system, and in a Markdown link as it is.

    Registered names stay as they are. In the text of a formula ``>>`` becomes ``~``, and what file
    systems or links do not take, or letters in quotes do not need, ``@`` and two hexadecimal
    digits for each byte of UTF-8 (a percent sign would be decoded by whoever follows the link). A
    name of more than 160 characters is cut and ends in ``@@`` and a hash of the whole. Different
    names stay different, if not only in case.
    """
    name = ENCODED.sub(lambda match: "~" if match[0] == ">>" else _encoded(match[0]), noise)
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 18]}@@{hashlib.sha256(noise.encode()).hexdigest()[:16]}"


def _encoded(text: str) -> str:
    return re.sub(
        r"[^\w.-]", lambda m: "".join(f"@{b:02x}" for b in m[0].encode()), text, flags=re.ASCII
    )


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees all of it or none: aside, flushed, then renamed.

    The name aside is this process's alone, on all machines which share the folder; `sweep` removes
    what is left of it where the process was killed.

    Raises
    ------
    OSError
        If it cannot be written, on a full disk say; an older file of this name is kept.
    """
    with replacing(path, f" ({len(content) / 1e6:.1f} MB)") as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, what: str = "", setting: str = "out") -> Iterator[BinaryIO]:
    """A file to write, which takes this path's place at the end; see `write_whole`.

    Where the work on it fails, nothing of it is left, and what was at the path stays.

    Raises
    ------
    OSError
        As `write_whole` does.
    """
    aside = path.with_name(f".{path.name[:40]}.{new_token()}.tmp")
    with writing(path, what, setting):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise


@contextmanager
def writing(path: Path, what: str = "", setting: str = "out") -> Iterator[None]:
    """Say in one sentence why a file cannot be written and what to do, where it cannot.

    Parameters
    ----------
    setting
        Which names the folder: ``"out"``; or as it is to be shown, ``"lock=FILE"``.

    Raises
    ------
    OSError
        In place of the one which was caught.
    """
    try:
        yield
    except OSError as error:
        raise OSError(
            f"cannot write {path}{what}: {error.strerror or error}; what was there is kept; "
            f"{advice(error, setting)}"
        ) from error


def advice(error: OSError, setting: str = "out") -> str:
    """What to do about an error of the file system, as the end of a sentence."""
    first = next((text for numbers, text in ADVICE if error.errno in numbers), "")
    named = setting if "=" in setting else f"{setting}=FOLDER"
    return f"{first.format(setting=named)}give the same command again"


def sweep(folder: Path) -> None:
    """Remove what killed processes left aside in a folder (not in those in it) with `write_whole`.

    What may be another's work is left: a file of a process that lives, and one less than an hour
    old of which nobody knows. So are all other files.
    """
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if entry.name[0] != ".":  # most are none of ours, and told fast
            continue
        if (match := ASIDE.fullmatch(entry.name)) and not in_use(Path(entry), match[1]):
            Path(entry).unlink(missing_ok=True)


def in_use(path: Path, writer: str) -> bool:
    """Whether a file may be in work: its writer lives, or is unknown and wrote within the hour.

    Clocks of two machines are never compared: see `clock_of`.

    Parameters
    ----------
    writer
        As `benchmark.files.owner.is_alive` takes it.
    """
    alive = is_alive(writer)
    if alive is not None:
        return alive
    try:
        written = path.stat().st_mtime
        if time.time() - written < ABANDONED:
            return True
        return clock_of(path.parent) - written < ABANDONED
    except FileNotFoundError:
        return False


def clock_of(folder: Path) -> float:
    """Seconds since the epoch, by the clock that gives files of a folder their times.

    On a share that is the server's, and this machine's may be wrong by hours. It is asked where
    nothing can be written.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            return os.fstat(probe.fileno()).st_mtime
    except OSError:
        return time.time()


def file_state(path: str | Path) -> tuple[int, int, int]:
    """What changes whenever a file is written again; raises ``OSError`` where there is none."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size, status.st_ino


def unused_name(path: Path) -> Path:
    """This path, or the first with a number behind it at which there is nothing."""
    number, unused = 1, path
    while os.path.lexists(unused):
        number += 1
        unused = path.with_name(f"{path.name}{number}")
    return unused


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
