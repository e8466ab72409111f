"""What was measured is kept, one file a unit of work, and found again where nothing changed."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmark.console.log import log
from benchmark.environment.versions import describe_environment
from benchmark.files.whole import file_name, write_whole
from benchmark.settings import plain

Found = Mapping[str, Any]


def kept(
    folder: Path,
    name: str,
    settings: Mapping[str, object],
    measure: Callable[[], Mapping[str, object]],
    device: str = "cpu",
    code: object = None,
) -> Found:
    """What ``measure`` gives, unless it has been measured under the same settings before.

    A killed measurement leaves no file, and a damaged file is measured again.

    Parameters
    ----------
    folder
        Gets ``NAME-DIGEST.json``: settings, environment, seconds and the result, whole or not at
        all.
    settings
        Everything that the result depends on, but for code.
    code
        What is known of the code that makes it, plain: where a file says another, it is measured
        again; files which do not say stay.

    Returns
    -------
    Mapping of str to plain values
        As JSON gives them back, with the ``seconds`` that it took.
    """
    given, made_by = plain(settings), plain(code)
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:16]
    path = folder / f"{file_name(name)}-{digest}.json"
    record = _read(path)
    if record is None or record["settings"] != given or record.get("code", made_by) != made_by:
        log.info(f"measuring {name}")
        start = time.monotonic()
        result = json.loads(json.dumps(plain(measure())))
        record = {
            "settings": given,
            "code": made_by,
            "environment": describe_environment(device),
            "seconds": time.monotonic() - start,
            "result": result,
        }
        write_whole(path, json.dumps(record) + "\n")
    return {**record["result"], "seconds": record["seconds"]}


def _read(path: Path) -> dict[str, Any] | None:
    """A record which is whole; None for one that is missing or damaged."""
    try:
        record = json.loads(path.read_text("utf-8"))
        return record if {"settings", "seconds", "result"} <= record.keys() else None
    except (OSError, ValueError, AttributeError):
        return None
