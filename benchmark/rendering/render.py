"""Monte-Carlo renders: what a scene is, and the driver which renders noisy images and references.

A path tracer's picture is an average over random light paths, so fewer samples per pixel are more
noise, and a picture of very many is the clean one. Mitsuba renders; it is imported where needed.
"""

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import numpy as np

from benchmark.console.progress import progress
from benchmark.files.output import prepare
from benchmark.files.whole import write_whole
from benchmark.noise import stream, to_uint8
from benchmark.registry import Registry
from benchmark.rendering.config import RenderConfig

SCENES = Registry("scene")
VARIANTS = ("scalar_rgb", "llvm_ad_rgb")
CHUNK = 64  # samples per pixel which are rendered and stored at once; fixed, since seeds count it

Description = dict[str, object]


class Scene(ABC):
    """A picture to render, described as plain data; its docstring says what is hard about it."""

    name: ClassVar[str]  # set by the registry

    @abstractmethod
    def describe(self) -> Description:
        """Mitsuba's dictionary of the scene, with its integrator, and a sensor without film.

        A 4x4 array stands for a transformation, an (H, W, 3) uint8 array for an sRGB bitmap: the
        description needs no Mitsuba, and can be compared with the one of an earlier render.
        """


def render_pairs(config: RenderConfig) -> list[Path]:
    """Render what a folder lacks of the noisy images and references asked for; returns all of them.

    A render which was stopped goes on from its last 64 samples per pixel.

    Raises
    ------
    ValueError
        If a setting makes no sense or is not the one the folder was begun with, or if Mitsuba or
        the variant is not available.
    """
    scenes = _chosen(config.scenes)
    _check(config)
    folder = Path(config.out).expanduser()
    record = _record(config, folder)
    prepare(os.path.expanduser(config.out))
    samples = sorted({*config.spp, config.reference})
    jobs = [(s, spp, folder / f"{s.name}_{spp}spp.png") for s in scenes for spp in samples]
    _note_scenes(record, scenes, folder)
    todo = [job for job in jobs if not _finished(job[2], record)]
    with progress(f"x {CHUNK} samples per pixel") as shown:
        total = sum(_chunks(spp) for _, spp, _ in todo)
        task = shown.add_task("", total=total, now="")
        for scene, spp, path in todo:
            shown.update(task, now=path.stem)
            aside = path.with_name(f".{path.stem}.npz")
            advance = partial(shown.advance, task)
            linear = render_scene(
                scene, config.size, spp, config.seed, record["settings"]["variant"], aside, advance
            )
            record["images"][path.name] = {"seeds": [*_seeds(scene.name, spp, config.seed)]}
            write_whole(folder / "render.json", _json(record))
            write_whole(path, _png(to_uint8(tone_map(linear, config.tonemap))))
            aside.unlink()
        shown.update(task, now="done")
    return [path for _, _, path in jobs]


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
    mitsuba = _mitsuba(variant)
    scene_object = mitsuba.load_dict(_for_mitsuba(scene.describe(), size))
    seeds = list(_seeds(scene.name, spp, seed))
    total, done = np.zeros((size, size, 3)), 0
    if aside is not None and aside.is_file():
        with np.load(aside) as stored:
            total, done = stored["total"], int(stored["done"])
        for _ in range(done):
            advance()
    for chunk in range(done, len(seeds)):
        count = min(CHUNK, spp - chunk * CHUNK)
        total += count * np.array(mitsuba.render(scene_object, spp=count, seed=seeds[chunk]), float)
        if aside is not None:
            write_whole(aside, _npz(total=total, done=chunk + 1))
        advance()
    return (total / spp).astype(np.float32)


def tone_map(linear: np.ndarray, operator: str = "clip") -> np.ndarray:
    """Linear light, (H, W, 3) from 0 up, to sRGB in [0, 1].

    ``clip`` cuts at 1, ``reinhard`` divides by 1 + luminance [1]_ before; both then apply the
    transfer function of sRGB [2]_. That the paper cuts is a guess: it says only "convert to sRGB
    by tone mapping" [3]_. The cut darkens the average of bright noisy pixels, as any tone map of
    a noisy image does.

    Raises
    ------
    ValueError
        If there is no such operator.

    References
    ----------
    .. [1] Reinhard et al., "Photographic Tone Reproduction for Digital Images", SIGGRAPH 2002,
       equation 3, without its key value; luminance by the weights of ITU-R BT.709.
    .. [2] IEC 61966-2-1.
    .. [3] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023.
    """
    if operator not in TONE_MAPS:
        raise ValueError(f"unknown tonemap '{operator}'; known: {', '.join(TONE_MAPS)}")
    light = np.clip(TONE_MAPS[operator](np.maximum(linear, 0)), 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _reinhard(linear: np.ndarray) -> np.ndarray:
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return linear / (1 + luminance[..., None])


TONE_MAPS = {"clip": lambda linear: linear, "reinhard": _reinhard}


def read_exr(path: Path) -> np.ndarray:
    """The layers R, G and B of an EXR file, (H, W, 3) float32 linear; it may have many others.

    Raises
    ------
    ValueError
        If the file is no EXR file, or lacks one of the three, or if Mitsuba is not installed.
    """
    bitmap_type = _mitsuba().Bitmap
    try:
        bitmap = bitmap_type(str(path))
    except RuntimeError as error:
        raise ValueError(
            f"{path} cannot be read as an EXR file ({error}); replace or remove it"
        ) from error
    names = [layer.name for layer in bitmap.struct_()]
    if not {"R", "G", "B"} <= set(names):
        raise ValueError(f"{path} has no layers R, G and B, only {', '.join(names)}; remove it")
    layers = np.array(bitmap)
    return np.stack([layers[..., names.index(name)] for name in "RGB"], -1).astype(np.float32)


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
    _mitsuba()
    if name == "scalar_rgb" or _llvm_works():
        return "llvm_ad_rgb" if name == "auto" else name
    if name == "auto":
        return "scalar_rgb"
    raise ValueError(
        "variant=llvm_ad_rgb does not work here; name the library of a newer LLVM (19 works) in "
        "DRJIT_LIBLLVM_PATH, or use variant=scalar_rgb"
    )


def _llvm_works() -> bool:
    code = (
        "import mitsuba; mitsuba.set_variant('llvm_ad_rgb'); import numpy;"
        "scene = mitsuba.load_dict(mitsuba.cornell_box());"
        "sensor = mitsuba.load_dict({'type': 'perspective', 'film': {'type': 'hdrfilm', 'width': 8,"
        "'height': 8}});"
        "numpy.array(mitsuba.render(scene, sensor=sensor, spp=1))"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def _mitsuba(variant: str | None = None) -> ModuleType:
    if importlib.util.find_spec("mitsuba") is None:
        raise ValueError(
            "Mitsuba is not installed; install it with: pip install 'noisebench[render]'"
        )
    import mitsuba

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


def _seeds(scene: str, spp: int, seed: int) -> Iterator[int]:
    for chunk in range(_chunks(spp)):
        yield stream("render", scene, spp, seed, chunk) % 2**32  # as many bits as Mitsuba takes


def _chunks(spp: int) -> int:
    return -(-spp // CHUNK)


def _chosen(names: Sequence[str]) -> list[Scene]:
    wanted = sorted(SCENES) if "all" in names else dict.fromkeys(names)
    if not wanted:
        raise ValueError(f"scenes is empty; name some of: all, {', '.join(sorted(SCENES))}")
    return [SCENES[name]() for name in wanted]


def _check(config: RenderConfig) -> None:
    if not config.spp or min(config.spp) < 16:
        raise ValueError(f"spp needs numbers of 16 or more, got {list(config.spp)}")
    if config.reference <= max(config.spp):
        raise ValueError(
            f"reference={config.reference} must be more than every spp, {list(config.spp)}"
        )
    if config.size < 1:
        raise ValueError(f"size must be 1 or more, got {config.size}")
    if config.tonemap not in TONE_MAPS:
        raise ValueError(f"unknown tonemap '{config.tonemap}'; known: {', '.join(TONE_MAPS)}")


def _record(config: RenderConfig, folder: Path) -> dict[str, dict]:
    """The folder's record as it is to be; compares the settings with those it was begun with."""
    path = folder / "render.json"
    begun = json.loads(path.read_text()) if path.is_file() else None
    variant = config.variant
    if begun and variant == "auto":
        variant = begun["settings"]["variant"]
    settings = {
        "size": config.size,
        "seed": config.seed,
        "variant": pick_variant(variant),
        "tonemap": config.tonemap,
        "chunk": CHUNK,
        "mitsuba": version("mitsuba"),
    }
    if begun is None:
        return {"settings": settings, "scenes": {}, "images": {}}
    for name, value in settings.items():
        if begun["settings"].get(name) != value:
            raise ValueError(
                f"{folder} was begun with {name}={begun['settings'].get(name)}, but now it is "
                f"{value}; change it back or choose another folder with out=FOLDER"
            )
    return begun


def _finished(path: Path, record: dict[str, dict]) -> bool:
    if path.is_file() and path.name not in record["images"]:
        raise ValueError(
            f"{path} was not rendered here, {path.parent}/render.json does not know it; move it "
            f"away or choose another folder with out=FOLDER"
        )
    return path.is_file()


def _note_scenes(record: dict[str, dict], scenes: list[Scene], folder: Path) -> None:
    """Compare the scenes with the record and write it: the settings are there before any image."""
    for scene in scenes:
        now = digest(scene)
        if record["scenes"].setdefault(scene.name, now) != now:
            raise ValueError(
                f"scene '{scene.name}' is another than the one in {folder}; choose another folder "
                f"with out=FOLDER"
            )
    write_whole(folder / "render.json", _json(record))


def digest(scene: Scene) -> str:
    """SHA-256, in hexadecimal, of a scene's description, its numbers rounded to 9 digits."""
    return hashlib.sha256(json.dumps(_plain(scene.describe())).encode()).hexdigest()


def _plain(part: object) -> object:
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items()}
    if isinstance(part, np.ndarray | list | float):
        return (np.round(part, 9) + 0).tolist()  # + 0: -0.0 is 0.0
    return part


def _json(record: dict[str, dict]) -> str:
    return json.dumps(record, indent=1) + "\n"


def _npz(**arrays: np.ndarray | int) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _png(image: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=9)
    return buffer.getvalue()
