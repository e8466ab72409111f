"""A bundle: one tar file with what a run reads, a lock of sizes and SHA-256 as its first entry."""

import contextlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from benchmark.console.progress import track
from benchmark.datasets import DATASETS, Dataset
from benchmark.datasets.images import SUFFIXES
from benchmark.files.places import weights_folder
from benchmark.files.whole import file_hash, replacing, sweep
from benchmark.offline.checksums import Checksums
from benchmark.offline.wheels import Wheel

LOCK = "bundle.json"
OTHERS = 3  # files which are named


@dataclass(frozen=True)
class Bundle:
    """What the lock says.

    Parameters
    ----------
    run
        The command line which it was packed for.
    files
        What is packed: ``data/DATASET/FILE``, ``weights/FILE``, or ``here/PATH`` for what the
        command line names by a path in the folder where it is given; ``wheels/FILE`` of a plugin.
    plugins
        Whose wheels are packed.
    """

    run: str
    files: Mapping[str, Checksums]
    plugins: Sequence[Wheel] = ()

    def lock(self) -> dict[str, object]:
        """As it is written."""
        files = {n: {"size": c.size, "sha256": c.sha256} for n, c in self.files.items()}
        plugins = [{**vars(p), "sha256": self.files[p.file].sha256} for p in self.plugins]
        return {"run": self.run, "files": files, **({"plugins": plugins} if plugins else {})}

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(checksums.size or 0 for checksums in self.files.values())


def pack(files: Mapping[str, Path], run: str, to: Path, plugins: Sequence[Wheel] = ()) -> Bundle:
    """Write a bundle of these files, by their names in it; of the same files always the same bytes.

    Parameters
    ----------
    plugins
        Those whose wheels are among the files.

    Raises
    ------
    ValueError
        If something else than a bundle has its name, or a file changes meanwhile.
    OSError
        If a file cannot be read, or the bundle not be written.
    """
    if os.path.lexists(to) and not _is_bundle(to):
        raise ValueError(f"{to} is no bundle, and would be replaced; name another file: to=FILE")
    hashed = track(sorted(files.items()), "files", len(files), "hashed")
    checksums = {n: Checksums(p.stat().st_size, "", file_hash(p)) for n, p in hashed}
    bundle = Bundle(run, checksums, plugins)
    with replacing(to, setting="to") as file, tarfile.open(fileobj=file, mode="w") as tar:
        lock = json.dumps(bundle.lock(), indent=1).encode()
        tar.addfile(_entry(LOCK, len(lock)), BytesIO(lock))
        for name, checksums in track(bundle.files.items(), "files", len(files), "packed"):
            with files[name].open("rb") as content:
                tar.addfile(_entry(name, checksums.size or 0), content)
                changed = content.read(1) or checksums.problem(files[name])
            if changed:
                raise ValueError(f"{files[name]} changed while it was packed; do it again")
    return bundle


def unpack(path: Path) -> Bundle:
    """Put the files of a bundle to where a run looks for them, each checked; what it says of them.

    Files that are there already are left. A stopped one goes on when it is called again.

    Raises
    ------
    ValueError
        If it is no bundle, cut off or damaged, if a name leads elsewhere, or if another file is
        where one belongs, or other images are in the folder of a data set.
    OSError
        If files cannot be written.
    """
    with _opened(path) as (tar, bundle):
        places = {name: place_of(name) for name in bundle.files}
        for folder in {place.parent for place in places.values()}:
            sweep(folder)  # of what a killed call left
        lacking = {name for name, place in places.items() if not os.path.lexists(place)}
        _refuse_others(bundle, places, lacking)
        packed = (entry for entry in tar if entry.name in places)
        for entry in track(packed, "files", len(places), "unpacked"):
            if entry.name in lacking and (content := tar.extractfile(entry)):
                with replacing(places[entry.name], setting="NOISEBENCH_DATA") as file:
                    shutil.copyfileobj(content, file)
                    file.flush()
                    if problem := bundle.files[entry.name].problem(Path(file.name)):
                        raise ValueError(f"{path} is damaged: of {entry.name}, {problem}")
                lacking.remove(entry.name)
    if lacking:
        raise ValueError(f"{path} is not whole: it lacks {min(lacking)}; copy it again")
    return bundle


def place_of(name: str) -> Path:
    """Where a file of a bundle belongs on this machine.

    Raises
    ------
    ValueError
        If the name leads elsewhere, or its data set is unknown here.
    """
    room, *rest = PurePosixPath(name).parts or ("",)
    inner = Path(*rest)
    if not rest or inner.anchor or ".." in inner.parts:
        raise ValueError(f"'{name}' of the bundle leads out of its folder; nothing was unpacked")
    if room == "here":
        return inner
    if room == "wheels":
        return weights_folder().with_name("wheels") / inner
    if room == "weights":
        return weights_folder() / inner
    if room == "data" and rest[0] in DATASETS:
        return Dataset.searched(DATASETS[rest[0]]())[0].parent / inner
    plugin = f"; if a plugin has '{rest[0]}', install it first: its wheel may be in the bundle"
    raise ValueError(
        f"there is no place for '{name}' of the bundle; nothing was unpacked"
        f"{plugin if room == 'data' else ''}"
    )


def _refuse_others(bundle: Bundle, places: Mapping[str, Path], lacking: set[str]) -> None:
    """Refuse to mix a bundle's files with others, as `bench fetch` does."""
    others = [
        place
        for name, place in places.items()
        if name not in lacking and (not place.is_file() or bundle.files[name].problem(place))
    ]
    folders = {places[name].parent for name in lacking if name.startswith("data/")}
    for folder in filter(Path.is_dir, sorted(folders)):
        images = {path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES}
        others += sorted(images - set(places.values()))
    if others:
        names = ", ".join(map(str, others[:OTHERS])) + (" ..." if len(others) > OTHERS else "")
        raise ValueError(f"other files than those of the bundle are here ({names}); move them away")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, Bundle]]:
    """A bundle's tar file and its lock."""
    try:
        with tarfile.open(path, "r:") as tar:
            yield tar, _lock(tar, path)
    except FileNotFoundError as error:
        if error.filename != str(path):
            raise
        raise ValueError(f"there is no file {path}") from None
    except tarfile.TarError as error:
        raise ValueError(f"{path} is no bundle, or not all of one ({error})") from error


def _lock(tar: tarfile.TarFile, path: Path) -> Bundle:
    with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
        entry = tar.next()
        content = tar.extractfile(entry) if entry and entry.name == LOCK else None
        if content:
            lock = json.loads(content.read())
            files = {n: Checksums(**c) for n, c in lock["files"].items()}
            plugins = lock.get("plugins", [])
            return Bundle(
                lock["run"], files, [Wheel(p["name"], p["version"], p["file"]) for p in plugins]
            )
    raise ValueError(f"{path} is no bundle; make one with: bench bundle to={path.name}")


def _is_bundle(path: Path) -> bool:
    with contextlib.suppress(ValueError, OSError), _opened(path):
        return True
    return False


def _entry(name: str, size: int) -> tarfile.TarInfo:
    """An entry that says nothing of this machine, its users and clocks."""
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry
