"""The lock: a file with the checksums of files for which none was published, from first fetches."""

import json
from dataclasses import replace
from pathlib import Path

from platformdirs import user_cache_path

from benchmark.console.log import log
from benchmark.files.lease import Leases
from benchmark.files.whole import file_hash, write_whole
from benchmark.offline.checksums import Checksums
from benchmark.offline.sources import Remote


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

    def recorded(self) -> dict[str, dict[str, object]]:
        """``size`` and ``sha256`` by address, as they are in the file now."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            if all({"size", "sha256"} <= entry.keys() for entry in found.values()):
                return found
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError):
            pass
        raise ValueError(f"{self.path} is no lock of bench fetch; move it away, or name another")

    def checksums(self, remote: Remote) -> Checksums:
        """What is published of a file, or else what its first fetch recorded."""
        entry = self.recorded().get(remote.address)
        if remote.checksums.whole or entry is None:
            return remote.checksums
        return replace(remote.checksums, size=int(str(entry["size"])), sha256=str(entry["sha256"]))

    def record(self, remote: Remote, path: Path) -> str:
        """Write down what a file was at its first fetch; its SHA-256."""
        digest = file_hash(path)
        entry = {"size": path.stat().st_size, "sha256": digest}
        with Leases().waiting(self.path.with_name(f"{self.path.name}.lease"), log.info):
            found = {**self.recorded(), remote.address: entry}
            write_whole(self.path, json.dumps(dict(sorted(found.items())), indent=1) + "\n")
        return digest
