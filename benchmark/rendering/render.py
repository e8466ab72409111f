"""A folder of renders: noisy pictures and references, which can be resumed and never mix."""

import json
import os
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from benchmark.console.log import log
from benchmark.console.progress import progress
from benchmark.datasets.images import check_whole
from benchmark.files.lease import Leases
from benchmark.files.output import prepare
from benchmark.files.whole import write_whole
from benchmark.noise import to_uint8
from benchmark.pixels import png_bytes
from benchmark.rendering.config import RenderConfig
from benchmark.rendering.mitsuba import CHUNK, chunks_of, pick_variant, render_scene, seeds_of
from benchmark.rendering.scene import SCENES, Scene, digest
from benchmark.rendering.tone_mapping import TONE_MAPS, tone_map


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
    samples = [config.reference, *sorted({*config.spp})]  # else one of few could be taken for it
    jobs = [(s, spp, folder / f"{s.name}_{spp}spp.png") for s in scenes for spp in samples]
    _note_scenes(record, scenes, folder)
    todo = [job for job in jobs if not _finished(job[2], record)]
    with progress(f"x {CHUNK} samples per pixel") as shown:
        total = sum(chunks_of(spp) for _, spp, _ in todo)
        task = shown.add_task("", total=total, now="")
        for scene, spp, path in todo:
            shown.update(task, now=path.stem)
            aside = path.with_name(f".{path.stem}.npz")
            advance = partial(shown.advance, task)
            linear = render_scene(
                scene, config.size, spp, config.seed, record["settings"]["variant"], aside, advance
            )
            record["images"][path.name] = {"seeds": [*seeds_of(scene.name, spp, config.seed)]}
            _write(record, folder)
            write_whole(path, png_bytes(to_uint8(tone_map(linear, config.tonemap))))
            aside.unlink(missing_ok=True)  # another process may have rendered it too
        shown.update(task, now="done")
    return [path for _, _, path in jobs]


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
    begun = _read(path) if path.is_file() else None
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
    _refuse_other(begun["settings"], settings, folder)
    return begun


def _refuse_other(begun: dict, settings: dict, folder: Path) -> None:
    for name, value in settings.items():
        if begun.get(name) != value:
            raise ValueError(
                f"{folder} was begun with {name}={begun.get(name)}, but now it is {value}; change "
                f"it back or choose another folder with out=FOLDER"
            )


def _read(path: Path) -> dict[str, dict]:
    try:
        begun = json.loads(path.read_text("utf-8"))
        if all(isinstance(begun[part], dict) for part in ("settings", "scenes", "images")):
            return begun
    except (OSError, ValueError, LookupError, TypeError):
        pass
    raise ValueError(
        f"{path} is no record of a render, or a damaged one; choose another folder with "
        f"out=FOLDER, or move this one away and render anew"
    )


def _finished(path: Path, record: dict[str, dict]) -> bool:
    if not path.is_file():
        return False
    if path.name not in record["images"]:
        raise ValueError(
            f"{path} was not rendered here, {path.parent}/render.json does not know it; move it "
            f"away or choose another folder with out=FOLDER"
        )
    check_whole(path)
    return True


def _note_scenes(record: dict[str, dict], scenes: list[Scene], folder: Path) -> None:
    """Compare the scenes with the record and write it: the settings are there before any image."""
    for scene in scenes:
        now = digest(scene)
        if record["scenes"].setdefault(scene.name, now) != now:
            raise ValueError(
                f"scene '{scene.name}' is another than the one in {folder}; choose another folder "
                f"with out=FOLDER"
            )
    _write(record, folder)


def _write(record: dict[str, dict], folder: Path) -> None:
    """Write the record, with what other processes have rendered into the folder since."""
    path = folder / "render.json"
    with Leases().waiting(path.with_name(f".{path.name}.lease"), log.info):
        if path.is_file():
            others = _read(path)
            _refuse_other(others["settings"], record["settings"], folder)
            for part in ("scenes", "images"):
                record[part] = others[part] | record[part]
        write_whole(path, json.dumps(record, indent=1) + "\n")
