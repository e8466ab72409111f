"""The door to whatever runs elsewhere: what it restored is read from files, and scored."""

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmark.cells.provenance import pixels_hash
from benchmark.datasets.stored import Hashes, file_of
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.contract import RestorationError
from benchmark.files.places import in_home, named_file
from benchmark.files.whole import file_hash
from benchmark.noise import to_uint8
from benchmark.scoring.exported.images import SUFFIXES, in_unit, read_restored
from benchmark.scoring.exported.manifest import NAME, Entry, read_manifest
from benchmark.settings import digest_of

LIKE = (0.2, 5.0)  # slope of a noisy image against its output: 0.3 to 1.3 for all of our noises
EQUAL = 1e-6  # values of 16 bits are further apart, float32's own rounding is not


@DENOISERS.register("files")
class Files(Denoiser):
    """What another program restored of images which ``bench export`` wrote.

    The output of an image has its name in another folder, as PNG or TIFF of 8 or 16 bits, TIFF of
    32-bit numbers or NPY. It is found by the pixels of the noisy image, and by nothing else; a cell
    records the hash of its outputs.

    Parameters
    ----------
    path
        The folder of what was restored.
    manifest
        The manifest which ``bench export`` wrote; by default the copy of it in that folder.

    Raises
    ------
    ValueError
        If there is no such folder or manifest; in use, if an image is not of the manifest, or its
        output is missing, unreadable or of another size.
    """

    located = ("path", "manifest")
    needs = "a folder: model.files.path=FOLDER"
    pointwise = True  # never in tiles: of a part no hash is known
    in_torch = False
    note = "restored elsewhere and read from files, which is all that its seconds count"

    def __init__(self, *, path: str | None = None, manifest: str | None = None):
        super().__init__()
        if path is None:
            raise ValueError(f"{self.name} needs {self.needs}")
        self.folder = in_home(path)
        if not self.folder.is_dir():
            raise ValueError(f"there is no folder {self.folder}; {self.name} needs {self.needs}")
        self.listed = named_file(self.folder / NAME if manifest is None else manifest)
        if not self.listed.is_file():
            raise ValueError(
                f"there is no file {self.listed}; {self.name} needs the manifest which bench "
                f"export wrote: copy it into {self.folder}, or name it: "
                f"model.{self.name}.manifest=FILE"
            )
        self.manifest = read_manifest(self.listed)
        self.by_pixels: dict[str, list[Entry]] = {}
        self.by_condition: dict[str, list[Entry]] = {}
        for entry in self.manifest.entries.values():
            self.by_pixels.setdefault(entry.pixels, []).append(entry)
            self.by_condition.setdefault(entry.condition, []).append(entry)
        self._hashes = Hashes(lambda place: file_hash(file_of(place)))
        self._outputs: dict[str, dict[str, str]] = {}  # by condition and place, the file's hash
        self._warned: set[str] = set()

    def recorded_at(self, places: Iterable[Path]) -> Mapping[str, object]:
        asked = [place.as_posix() for place in places]
        known = self.manifest.entries
        if unknown := [place for place in asked if place not in known]:
            raise ValueError(
                f"{self.listed} has no {_some(unknown)}, but images of "
                f"{self.manifest.conditions()}; export and restore what is to be scored, or "
                f"choose among these by noise=, data= and seeds="
            )
        condition = known[asked[0]].condition
        if condition not in self._outputs:
            self._outputs[condition] = self._outputs_of(condition)
        outputs = self._outputs[condition]
        if lacking := [place for place in asked if place not in outputs]:
            raise ValueError(
                f"{self.folder} has no restored image of {_some(lacking)}; each has the name of "
                f"its noisy image and ends in {', '.join(SUFFIXES)}: restore what is missing"
            )
        return {"outputs": digest_of(f"{place}\x1f{found}\n" for place, found in outputs.items())}

    def forward(self, noisy: Tensor) -> Tensor:
        images = noisy.permute(0, 2, 3, 1).float().cpu().numpy()
        restored = [torch.from_numpy(self._restored(image)) for image in images]
        return torch.stack(restored).permute(0, 3, 1, 2).to(noisy)

    def _outputs_of(self, condition: str) -> dict[str, str]:
        """By place, the hash of each output of a condition that is there."""
        paths = {entry.place: self._output(entry) for entry in self.by_condition[condition]}
        return {place: self._hashes.of(path) for place, path in paths.items() if path}

    def _output(self, entry: Entry) -> Path | None:
        """The file of an image's output, if there is one."""
        paths = [self.folder / f"{entry.place}{suffix}" for suffix in SUFFIXES]
        found = [path for path in paths if path.is_file()]
        if len(found) > 1:
            raise RestorationError(
                f"{found[0]} and {found[1]} are both there; remove the one which is not meant"
            )
        return found[0] if found else None

    def _restored(self, noisy: np.ndarray) -> np.ndarray:
        """The output of an (H, W, C) float32 image, as float32."""
        steps = np.rint(65535 * np.clip(noisy, 0, 1)).astype(np.uint16)
        rounded = [form for form in (to_uint8(noisy), steps) if _differ(noisy, form) < EQUAL]
        forms = [*rounded, noisy]
        found = [(form, self.by_pixels.get(pixels_hash(form), [])) for form in forms]
        form, entries = next(((form, known) for form, known in found if known), (noisy, []))
        if not entries:
            version = self.manifest.environment.get("noisebench", "unknown")
            raise RestorationError(
                f"{self.listed} has no noisy image of these pixels: it was exported under another "
                f"protocol, from other images or noise settings, or by another version "
                f"({version}); export and restore it again"
            )
        there = {entry: path for entry in entries if (path := self._output(entry))}
        if not there:
            raise RestorationError(f"{self.folder} has no restored image of {entries[0].file}")
        outputs = [self._read(path, entry, form) for entry, path in there.items()]
        if any(not np.array_equal(outputs[0], output) for output in outputs[1:]):
            raise RestorationError(
                f"{' and '.join(entry.file for entry in there)} are the same noisy image, and "
                f"{self.folder} has different outputs of it; an output is found by the pixels "
                f"alone: keep one of them for all"
            )
        return outputs[0]

    def _read(self, path: Path, entry: Entry, noisy: np.ndarray) -> np.ndarray:
        self._hashes.refuse_changed(path)
        stored = read_restored(path)
        if stored.shape != noisy.shape:
            raise RestorationError(
                f"{path} is {_size(stored)}, but its noisy image {entry.file} is {_size(noisy)}; "
                f"restore images in their own size and colours"
            )
        restored = in_unit(stored)
        if not np.isfinite(restored).all():
            raise RestorationError(f"{path} holds values that are no numbers; restore it again")
        if _differ(restored, noisy) < EQUAL:
            self._warn(path, "has the pixels of the noisy image itself; was it restored?")
        elif not _is_like(restored, in_unit(noisy)):
            self._warn(
                path,
                "looks little like its noisy image; are its name and its range right?",
            )
        elif stored.dtype == np.uint8 and noisy.dtype == np.float32:
            self._warn(
                path,
                "has 8 bits, but its noisy image is not rounded; write TIFF of 32-bit numbers or "
                "NPY, which are scored as they are",
            )
        return restored

    def _warn(self, path: Path, what: str) -> None:
        """Warn of the first file that is so."""
        if what not in self._warned:
            self._warned.add(what)
            warnings.warn(f"{path} {what} (others are not named)", stacklevel=2)


def _is_like(restored: np.ndarray, noisy: np.ndarray) -> bool:
    """Whether a noisy (H, W, C) image rises about as much as its output does, in each channel.

    It does where the output is the mean of what the clean image may have been. A flat output says
    nothing.
    """
    rise, noisy_rise = (image - image.mean((0, 1)) for image in (restored, noisy))
    total = float((rise * rise).sum())
    least, most = LIKE
    return total < EQUAL or least <= float((rise * noisy_rise).sum()) / total <= most


def _size(image: np.ndarray) -> str:
    height, width, channels = image.shape
    return f"{width}x{height} pixels of {channels} channel{'s' * (channels > 1)}"


def _some(places: list[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{places[0]}{more}"


def _differ(image: np.ndarray, other: np.ndarray) -> float:
    """By how much a float32 image and another one of any type differ at most, in [0, 1]."""
    return float(np.abs(image - in_unit(other)).max())
