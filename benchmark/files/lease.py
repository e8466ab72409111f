"""Who works at what: a lease file says it, and others take it over where it is not renewed."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmark.files.owner import describe, is_alive, new_token
from benchmark.files.whole import writing

BEAT = 5.0  # seconds between two renewals
PAUSE = 0.5  # seconds between two looks at what others are doing
STALE = 60.0  # seconds without one after which a lease counts as abandoned


class Lease:
    """The right to work at something, until it is released; a thread renews its file's time.

    It keeps others from doing work twice and nothing else: whoever stops for a minute may lose it
    without noticing, and whatever both write has to be right all the same. Where it is held for a
    moment only, nothing has to be renewed.
    """

    def __init__(self, path: Path, owner: str, renewed: bool = True):
        self.path, self.owner = path, owner
        self._released = threading.Event()
        if renewed:
            threading.Thread(target=self._renew, daemon=True).start()

    def release(self) -> None:
        """Let others have it. Doing so twice changes nothing."""
        self._released.set()
        if holder(self.path) == self.owner:
            with contextlib.suppress(PermissionError):  # Windows, while another reads it: who waits
                self.path.unlink(missing_ok=True)  # takes it over once it is not renewed

    def _renew(self) -> None:
        while not self._released.wait(BEAT):
            with contextlib.suppress(OSError):  # of a share, say: the next time may do
                if holder(self.path) != self.owner:
                    return
                os.utime(self.path)


class Leases:
    """The leases which one writer takes, and what it saw of those of others.

    Parameters
    ----------
    setting
        Of commands, which names the folder of these files, as `writing` takes it.
    """

    def __init__(self, setting: str = "out") -> None:
        self.owner, self.setting = new_token(), setting
        self._seen: dict[Path, tuple[object, float]] = {}  # a lease's state, and when it was new

    def take(self, path: Path, renewed: bool = True) -> Lease | None:
        """The lease of this file, or None while another writer works.

        A lease is taken over whose holder is dead, or which was not renewed for `STALE` seconds
        while this writer looked at it. Clocks of two machines are never compared.

        Parameters
        ----------
        renewed
            Whether it may be held for longer than a moment.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        with writing(path, setting=self.setting):
            if (other := holder(path)) is not None:  # else none is removed: another's may be new
                if not self._is_ours_to_take(path, other):
                    return None
                path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            except (FileExistsError, FileNotFoundError):  # another was faster, or removed a folder
                return None
            try:
                with os.fdopen(file, "w") as opened:
                    opened.write(f"{self.owner}\n{_now()}\n{_who()}\n")
            except BaseException:  # on a full disk: others would wait for whom nobody knows
                path.unlink(missing_ok=True)
                raise
        self._seen.pop(path, None)
        return Lease(path, self.owner, renewed)

    def is_free(self, path: Path) -> bool:
        """Whether nobody else has a lease, or it is abandoned, so that `take` would take it."""
        other = holder(path)
        return other is None or self._is_ours_to_take(path, other)

    @contextlib.contextmanager
    def waiting(self, path: Path, say: Callable[[str], object]) -> Iterator[Lease]:
        """The lease of this file, as soon as nobody else has it; released at the end.

        Parameters
        ----------
        say
            What to do with a sentence that tells whom this process waits for.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        announced = None
        while (lease := self.take(path)) is None:
            if (other := describe(holder(path) or "")) != announced:
                say(f"waiting for {other}, in work at {path.parent}")
                announced = other
            time.sleep(PAUSE)
        try:
            yield lease
        finally:
            lease.release()

    def _is_ours_to_take(self, path: Path, other: str) -> bool:
        return other == self.owner or self._is_abandoned(path, other)

    def _is_abandoned(self, path: Path, other: str) -> bool:
        if is_alive(other) is False:
            return True
        try:
            state = other, path.stat().st_mtime_ns
        except FileNotFoundError:
            return True
        before, since = self._seen.get(path, (None, 0.0))
        if before != state:
            self._seen[path] = state, time.monotonic()
            return False
        return time.monotonic() - since > STALE


@dataclass(frozen=True)
class Held:
    """What a lease's file says.

    Parameters
    ----------
    owner
        The token of who has it; empty while the file is being written.
    since
        When it was taken, by the clock of that machine.
    who
        The process, for people: ``1234 on node7``.
    renewed
        When it was renewed, in seconds since the epoch, by the clock of the file system.
    """

    owner: str
    since: str
    who: str
    renewed: float


def read_lease(path: Path) -> Held | None:
    """What a lease's file says; None if there is none."""
    try:
        owner, since, who, *_ = [*path.read_text(errors="replace").split("\n"), "", "", ""]
        return Held(owner, since, who or describe(owner), path.stat().st_mtime)
    except FileNotFoundError:
        return None


def holder(path: Path) -> str | None:
    """The token in a lease's file, empty while it is being written; None if there is no lease."""
    try:
        return path.read_text(errors="replace").partition("\n")[0]
    except FileNotFoundError:
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(" ", "seconds")


def _who() -> str:
    job = os.environ.get("SLURM_ARRAY_JOB_ID") or os.environ.get("SLURM_JOB_ID")
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    of = f", job {job}{f'_{task}' if task else ''}" if job else ""
    return f"{os.getpid()} on {socket.gethostname()}{of}"
