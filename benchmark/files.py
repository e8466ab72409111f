"""Files which are whole or absent, and their fingerprints."""

import hashlib
import os
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees all of it or none: aside, flushed, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
