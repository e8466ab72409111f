"""Who is writing: a token for each writer, from which others tell whether it still lives."""

import hashlib
import os
import re
import secrets
import socket
from functools import cache
from pathlib import Path

import psutil

TOKEN = re.compile(r"([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}")
GONE = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def new_token() -> str:
    """A word for file names which no other writer has: machine, process, its start, and chance."""
    pid = os.getpid()
    return f"{this_machine()}-{pid}-{_start(pid)}-{secrets.token_hex(4)}"


def is_alive(token: str) -> bool | None:
    """Whether the process which made a token still runs; None if that cannot be known here.

    It cannot of a process on another machine or in another container, nor of a text that is no
    token.
    """
    match = TOKEN.fullmatch(token)
    if match and match[1] == this_machine():
        return _start(int(match[2])) == int(match[3])
    return None


def describe(token: str) -> str:
    """A writer for people: ``process 1234 here``, or ``a process on another machine``."""
    match = TOKEN.fullmatch(token)
    if match and match[1] == this_machine():
        return f"process {match[2]} here"
    return "a process on another machine or in another container"


@cache
def this_machine() -> str:
    """8 hexadecimal digits for this machine as it was started, and this container on it."""
    facts = [socket.gethostname()]
    for read in (_boot, _process_space):
        try:
            facts.append(read())
        except OSError:  # not Linux, or hidden: process numbers and start times tell enough
            facts.append("")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()


def _process_space() -> str:
    return os.readlink("/proc/self/ns/pid")


def _start(pid: int) -> int | None:
    """When a process started, in units of this system; None if it runs no longer.

    On Linux the kernel's own count: psutil's changes when the clock is set.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return _start_by_psutil(pid)
    fields = text.rpartition(")")[2].split()  # a program's name may hold spaces and parentheses
    return None if fields[0] in "ZXx" else int(fields[19])


def _start_by_psutil(pid: int) -> int | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() in GONE else int(process.create_time() * 1000)
    except psutil.Error:  # there is none, or it is somebody else's and took the number of ours
        return None
