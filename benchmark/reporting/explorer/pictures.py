"""The pictures of a folder as lines of text which stand in the page, each picture once."""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmark.cells.pictures import Scene

EFFORT = {"quality": 75, "method": 4}  # of a lossless WebP: the most takes 200 times as long


def embed(scenes: Iterable[Scene]) -> tuple[list[dict[str, Any]], list[str]]:
    """The scenes with the numbers of their pictures; and these, each base64 of a lossless WebP.

    Equal ones are one picture: the clean one under several noises, the noisy one and what
    ``identity`` makes of it.
    """
    numbers: dict[bytes, int] = {}
    paths: list[Path] = []
    found = []
    for scene in scenes:
        shown = {}
        for name, path in scene.paths.items():
            pixels = scene.read(name)
            key = hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).digest()
            shown[name] = numbers.setdefault(key, len(paths))
            paths += [path] if shown[name] == len(paths) else []
        found.append(
            {
                "dataset": scene.dataset,
                "noise": scene.noise,
                "level": scene.level,
                "seed": scene.seed,
                "image": scene.image,
                "size": list(scene.size),
                "box": list(scene.box),
                "pictures": shown,
            }
        )
    with ThreadPoolExecutor() as pool:
        return found, [*pool.map(_line, paths)]


def _line(path: Path) -> str:
    from PIL import Image

    content = io.BytesIO()
    with Image.open(path) as image:
        image.save(content, "WEBP", lossless=True, **EFFORT)
    return b64encode(content.getvalue()).decode()
