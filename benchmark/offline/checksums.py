"""What a fetched file has to be: size, git blob id and SHA-256, as far as they are known."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from benchmark.files.whole import file_hash

SHA256_LENGTH = 64


@dataclass(frozen=True)
class Checksums:
    """What is known of a file's content; an empty text or None says that something is not.

    Parameters
    ----------
    size
        In bytes.
    blob
        The id that git has for the content: the SHA-1 of ``blob SIZE\\0`` and the content.
    sha256
        In hexadecimal; its first digits will do, as ``torch.hub`` has them in names of files.
    lock
        The file in which a first fetch recorded them; empty where they are published.
    """

    size: int | None = None
    blob: str = ""
    sha256: str = ""
    lock: str = ""

    @property
    def expected(self) -> str:
        """The file that has these checksums, in words."""
        if self.lock:
            return (
                f"the file of the first fetch, which {self.lock} records (if the new one is right, "
                f"remove its entry there)"
            )
        return "the file that was published"

    @property
    def whole(self) -> bool:
        """Whether they leave no doubt: no other file has this content."""
        return bool(self.blob) or len(self.sha256) == SHA256_LENGTH

    def problem(self, path: Path) -> str | None:
        """How a file differs from what it has to be, as the end of a sentence; None if it does not.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        if self.size not in (None, path.stat().st_size):
            return f"it has {path.stat().st_size} bytes, not {self.size}"
        if self.blob and (found := git_blob(path)) != self.blob:
            return f"its git blob id is {found}, not {self.blob}"
        if self.sha256 and not (found := file_hash(path)).startswith(self.sha256):
            return f"its SHA-256 is {found}, not {self.sha256}"
        return None


def git_blob(path: Path) -> str:
    """The id that git has for a file's content, in hexadecimal."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
