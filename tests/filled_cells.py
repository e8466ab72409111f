"""Cells filled with made-up rows, for tests of folders which several writers share."""

import os
from pathlib import Path

from benchmark.cells import Cell, ResultStore
from benchmark.cells.filling import Part
from benchmark.cells.running.plans import Plan
from benchmark.files.owner import new_token
from benchmark.settings import digest_of

CELL = Cell("masked", "kodak24", "gaussian", 25.0, 0)
LABELS = {"higher_is_better": {"psnr": True}, "unit": "sigma", "note": ""}
DEAD = f"{new_token().split('-')[0]}-{os.getpid()}-1-00000000"  # this number, another start
ELSEWHERE = f"00000000{DEAD[8:]}"


def identities(count: int, **changed: str) -> dict[str, str]:
    return {name: changed.get(name, f"{name} whole") for name in "abcdefghijkl"[:count]}


def settings(images: dict[str, str], **model: object) -> dict[str, object]:
    dataset = {"of": "kodak24", "limit": len(images), "images": len(images)}
    return {
        "model": {"of": "masked", **model},
        "noise": {"of": "gaussian"},
        "dataset": {**dataset, "sha256": digest_of(images.values())},
        "metrics": {"psnr": {"of": "psnr"}},
        "protocol": {},
    }


def row(image: str, psnr: float = 30.0) -> dict[str, object]:
    return {"image": image, "psnr": psnr, "seconds": 0.5}


def take(store: ResultStore, images: dict[str, str], cell: Cell = CELL, **model: object) -> Part:
    return store.filling(cell, settings(images, **model), images)


def fill(
    store: ResultStore, images: dict[str, str], cell: Cell = CELL, **more: object
) -> list[str]:
    """Finish a cell; the images which had to be scored."""
    scored = []
    with take(store, images, cell) as part:
        for image in part.lacking(images):
            part.append(row(image))
            scored.append(image)
        part.finish(list(images), labels=LABELS, **more)
    return scored


def has(store: ResultStore, images: dict[str, str], cell: Cell = CELL) -> bool:
    return store.has(cell, settings(images), images)


def part_of(store: ResultStore, writer: str) -> Path:
    return Path(f"{store.path(CELL)}.{writer}.part")


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


IMAGES = identities(4)
CELLS = [Cell("masked", "kodak24", "gaussian", float(level), 0) for level in (15, 25, 50, 75)]
PLAN = Plan(
    "bench run", ["masked"], {"kodak24": {"gaussian": (15, 25, 50, 75)}}, [0], {"kodak24": 4}
)
