"""Mitsuba as the renderer of a scene: a path tracer, whose picture averages random light paths.

Fewer samples per pixel are more noise, and a picture of very many is the clean one. The package is
imported where it is needed.
"""

import importlib.util
import io
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from zipfile import BadZipFile

import numpy as np

from benchmark.files.whole import write_whole
from benchmark.noise import stream
from benchmark.rendering.scene import Description, Scene

VARIANTS = ("scalar_rgb", "llvm_ad_rgb")
CHUNK = 64  # samples per pixel which are rendered and stored at once; fixed, since seeds count it


def render_scene(
    scene: Scene,
    size: int,
    spp: int,
    seed: int = 0,
    variant: str = "scalar_rgb",
    aside: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """A square picture of a scene, (size, size, 3) float32, linear and not limited to 1.

    Every pixel averages its own samples and nobody else's (a box filter): Mitsuba's default filter
    smears the noise over neighbours. The samples come in chunks of at most 64 per pixel, each with
    a seed of its own, which no other image has: not even one of the same scene with other ``spp``.

    Parameters
    ----------
    aside
        A file which keeps the finished chunks, so that a later call goes on from there. Whoever
        has the picture should remove it.
    advance
        Called after each chunk, and once for each which ``aside`` brought.
    """
    mitsuba = load_mitsuba(variant)
    scene_object = mitsuba.load_dict(_for_mitsuba(scene.describe(), size))
    seeds = list(seeds_of(scene.name, spp, seed))
    total, done = np.zeros((size, size, 3)), 0
    if aside is not None and (stored := _stored(aside, total.shape)):
        total, done = stored
        for _ in range(done):
            advance()
    for chunk in range(done, len(seeds)):
        count = min(CHUNK, spp - chunk * CHUNK)
        total += count * np.array(mitsuba.render(scene_object, spp=count, seed=seeds[chunk]), float)
        if aside is not None:
            write_whole(aside, _npz(total=total, done=chunk + 1))
        advance()
    return (total / spp).astype(np.float32)


def _stored(aside: Path, shape: tuple[int, ...]) -> tuple[np.ndarray, int] | None:
    """The sum and the number of finished chunks; None where there are none, or damaged ones."""
    try:
        with np.load(aside) as stored:
            total, done = stored["total"], int(stored["done"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, EOFError, BadZipFile):
        warnings.warn(f"{aside} is damaged: its picture is begun anew", stacklevel=3)
        return None
    return (total, done) if total.shape == shape else None


def pick_variant(name: str) -> str:
    """``auto`` as the fastest engine which works here; any other name as it is, if it works.

    ``llvm_ad_rgb`` is tried out in a process of its own: LLVM 14 and 15 do not raise, they abort.

    Raises
    ------
    ValueError
        If there is no such variant, or it does not work here.
    """
    if name not in ("auto", *VARIANTS):
        raise ValueError(f"unknown variant '{name}'; known: auto, {', '.join(VARIANTS)}")
    load_mitsuba()
    if name == "scalar_rgb" or llvm_works():
        return "llvm_ad_rgb" if name == "auto" else name
    if name == "auto":
        return "scalar_rgb"
    raise ValueError(
        "variant=llvm_ad_rgb does not work here; name the library of a newer LLVM (19 works) in "
        "DRJIT_LIBLLVM_PATH, or use variant=scalar_rgb"
    )


def llvm_works() -> bool:
    """Whether Mitsuba renders with LLVM here: tried in a process of its own, which may crash."""
    code = (
        "import mitsuba; mitsuba.set_variant('llvm_ad_rgb'); import numpy;"
        "scene = mitsuba.load_dict(mitsuba.cornell_box());"
        "sensor = mitsuba.load_dict({'type': 'perspective', 'film': {'type': 'hdrfilm', 'width': 8,"
        "'height': 8}});"
        "numpy.array(mitsuba.render(scene, sensor=sensor, spp=1))"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def load_mitsuba(variant: str | None = None) -> ModuleType:
    """The package, set to a variant if one is named; ``ValueError`` if it is not installed."""
    if importlib.util.find_spec("mitsuba") is None:
        raise ValueError(
            "Mitsuba is not installed; install it with: pip install 'noisebench[render]'"
        )
    import drjit
    import mitsuba

    if drjit.thread_count() < 2:  # a single one waits for ever when it reads or writes a file
        drjit.set_thread_count(2)
    if variant is not None:
        mitsuba.set_variant(variant)
    return mitsuba


def _for_mitsuba(description: Description, size: int) -> Description:
    """A description with Mitsuba's objects in place of arrays, and with film and sampler."""
    film = {"type": "hdrfilm", "width": size, "height": size, "pixel_format": "rgb"}
    film["rfilter"] = {"type": "box"}
    sensor = {**description["sensor"], "film": film, "sampler": {"type": "independent"}}
    return _with_objects({"type": "scene", **description, "sensor": sensor})


def _with_objects(part: Description) -> Description:
    import mitsuba

    converted: Description = {}
    for key, value in part.items():
        if isinstance(value, dict):
            value = _with_objects(value)
        elif isinstance(value, np.ndarray):
            matrix = value.shape == (4, 4)
            value = mitsuba.ScalarTransform4f(value) if matrix else mitsuba.Bitmap(value)
        converted[key] = value
    return converted


def seeds_of(scene: str, spp: int, seed: int) -> Iterator[int]:
    """The seed of each chunk of a picture: no other picture of any scene has one of them."""
    for chunk in range(chunks_of(spp)):
        yield stream("render", scene, spp, seed, chunk) % 2**32  # as many bits as Mitsuba takes


def chunks_of(spp: int) -> int:
    """How many chunks a picture is rendered in."""
    return -(-spp // CHUNK)


def _npz(total: np.ndarray, done: int) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, total=total, done=done)
    return buffer.getvalue()
