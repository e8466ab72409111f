"""The lock: a file with the checksums of files for which none was published, from first fetches."""

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from benchmark.console.log import log
from benchmark.files.lease import Lease, Leases
from benchmark.files.whole import file_hash, replacing
from benchmark.offline.checksums import Checksums
from benchmark.offline.sources import Remote

SETTING = "lock=FILE"


class Lock:
    """The checksums that first fetches recorded, by address.

    Parameters
    ----------
    path
        The file, which need not be there; None is that of the user's cache.

    Raises
    ------
    ValueError
        If the file is no lock.
    """

    def __init__(self, path: Path | None = None):
        self.path = path or user_cache_path("noisebench") / "fetch.lock"
        self.recorded()

    def recorded(self) -> dict[str, dict[str, Any]]:
        """``size`` and ``sha256`` by address, as they are in the file now."""
        why = ""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            entries = [(entry["size"], entry["sha256"]) for entry in found.values()]
            if all(isinstance(size, int) and isinstance(sha, str) for size, sha in entries):
                return found
        except FileNotFoundError:
            return {}
        except OSError as error:
            why = f" ({error.strerror})"
        except (ValueError, AttributeError, TypeError, KeyError):
            pass
        raise ValueError(
            f"{self.path} is no lock of bench fetch{why}; move it away, or name another: lock=FILE"
        )

    def require_writable(self) -> None:
        """Raise ``OSError`` if nothing can be recorded, before anything is fetched."""
        with self._leased():
            pass

    def checksums(self, remote: Remote) -> Checksums:
        """What is published of a file, or else what its first fetch recorded."""
        entry = self.recorded().get(remote.address)
        if remote.checksums.whole or entry is None:
            return remote.checksums
        size, sha256 = entry["size"], entry["sha256"]
        return replace(remote.checksums, size=size, sha256=sha256, lock=str(self.path))

    def record(self, remote: Remote, path: Path) -> str:
        """Write down what a file was at its first fetch; its SHA-256."""
        digest = file_hash(path)
        entry = {"size": path.stat().st_size, "sha256": digest}
        with self._leased():
            found = {**self.recorded(), remote.address: entry}
            with replacing(self.path, setting=SETTING) as file:
                file.write(f"{json.dumps(dict(sorted(found.items())), indent=1)}\n".encode())
        return digest

    def _leased(self) -> AbstractContextManager[Lease]:
        return Leases(SETTING).waiting(self.path.with_name(f"{self.path.name}.lease"), log.info)
