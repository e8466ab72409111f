"""The manifest of exported noisy images: what each file is of, and by what its pixels are known."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from benchmark.cells.provenance import some_of
from benchmark.files.whole import write_whole

NAME = "manifest.json"
MADE_BY = "bench export"


@dataclass(frozen=True)
class Entry:
    """One noisy image.

    Parameters
    ----------
    file
        Its path in the folder of the manifest, with ``/`` on any system.
    noise
        A name, or a formula.
    height, width
        In pixels.
    sha256
        Of the file, in hexadecimal.
    pixels
        The hash `benchmark.cells.provenance.pixels_hash` of the image, (H, W, C) uint8 or float32,
        which cells record of each image as ``noisy``.
    """

    file: str
    dataset: str
    noise: str
    level: float
    seed: int
    image: str
    height: int
    width: int
    sha256: str
    pixels: str

    @property
    def place(self) -> str:
        """The file without its suffix, as `Cell.pictures` names it."""
        return self.file.removesuffix(PurePosixPath(self.file).suffix)

    @property
    def condition(self) -> str:
        """The folder of the file: the dataset, and the noise with its level and seed."""
        return PurePosixPath(self.file).parent.as_posix()


@dataclass(frozen=True)
class Manifest:
    """What a folder of exported images holds.

    Parameters
    ----------
    protocol
        `Protocol.facts` of the one they were made under.
    environment
        The versions that they were made with.
    entries
        By `Entry.place`.
    """

    protocol: Mapping[str, Any]
    environment: Mapping[str, Any]
    entries: dict[str, Entry]

    def conditions(self) -> str:
        """The conditions of which it has images, in words: the first few."""
        return some_of(entry.condition for entry in self.entries.values()) or "nothing"

    def write(self, folder: Path) -> None:
        """Write it into a folder, a line for each image."""
        head = {"made_by": MADE_BY, "protocol": self.protocol, "environment": self.environment}
        lines = ",\n".join(json.dumps(asdict(entry)) for entry in self.entries.values())
        fields = ",\n".join(
            f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()
        )
        write_whole(folder / NAME, f'{{{fields},\n"images": [\n{lines}\n]}}\n')


def read_manifest(path: Path) -> Manifest:
    """The manifest of a file.

    Raises
    ------
    ValueError
        If there is none, or it is damaged or of something else.
    """
    try:
        found = json.loads(path.read_bytes())
        if found["made_by"] != MADE_BY:
            raise ValueError(f"made by {found['made_by']!r:.60}")
        entries = [Entry(**fields) for fields in found["images"]]
        by_place = {entry.place: entry for entry in entries}
        return Manifest(dict(found["protocol"]), dict(found["environment"]), by_place)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is no manifest of {MADE_BY} ({type(error).__name__}: {error}); name the one "
            f"which it wrote beside the noisy images"
        ) from error
