"""A run of a moment, whose folder is then damaged, reported or read; what computes in commands."""

from pathlib import Path

from benchmark.scoring import evaluate, explain
from benchmark.scoring import grid as run
from benchmark.studies import passes, tiles
from benchmark.studies.passes import draws

PLAIN = ["model=[identity,tv]", "noise=[gaussian]", "metric=[psnr]"]
SMALL = ["data.photos.limit=1", "data.photos.crop=32", "out=out"]
LEVELS = f"noise.gaussian.levels={[*range(1, 11)]}".replace(" ", "")
RUN = ["run", *PLAIN, *SMALL, LEVELS]


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones as well."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


COMMANDS = {
    "run": [*PLAIN, *SMALL[:2]],
    "passes": [
        "model=masked",
        "noise=[gaussian]",
        "data.photos.limit=1",
        "passes=2",
    ],
    "tiles": ["model=tv", "noise=[gaussian]", "data.photos.limit=1", "tiles=[64]"],
    "explain": ["model=tv", "noise=[gaussian]", "data.photos.limit=1"],
    "noise": ["noise=gaussian", *SMALL[:2]],
}

COMPUTING = [
    (module, "noisy_pair") for module in (evaluate, explain, tiles, draws)
]  # each has the name by itself
COMPUTING += [(run, "fill"), (passes, "measure")]


def forbid_computing(monkeypatch) -> None:
    def computed(*_: object, **__: object) -> None:
        raise AssertionError("computed before the folder was checked")

    for module, name in COMPUTING:
        monkeypatch.setattr(module, name, computed)
