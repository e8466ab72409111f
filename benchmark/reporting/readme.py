"""The README of a folder of results: its commands, data, weights and versions."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import pandas as pd

from benchmark.cells import Cell
from benchmark.cells.provenance import counted
from benchmark.cells.records import Record, Stored
from benchmark.cells.scores import Scores, label_of
from benchmark.cells.table import scores_of
from benchmark.protocol import name_of
from benchmark.reporting.pages import render
from benchmark.reporting.tables import ABSENT, Table

COMMANDS = r"^Made with `bench {}`:\n\n```sh\n(.+?)\n```$"
DIGITS = 12  # of a hash
HASH = "sha256:"  # how settings begin which name a file's content
FILES = {  # what is written to such a folder, by how the names begin
    "leaderboard.md": "the ranking of the models",
    "leaderboard.csv": "mean scores, in full precision",
    "scores.csv": "every image's scores, which `bench report` makes of the cells",
    "ranking.csv": "means, intervals, ranks, tied groups and generalization, in full precision",
    "pairs.csv": "the paired difference of every two models",
    "figure11_": "quality against level",
    "ranks_": "mean ranks, tied models joined",
    "strip_": "crops of restored images",
    "passes.md": "what the mean of several outputs gains, in tables and words",
    "passes.csv": "the same numbers, in full precision",
    "draws": "every image's scores",
    "tiles.md": "what tiles change, in tables",
    "tiles.csv": "the same numbers, in full precision",
    "cka.md": "how alike layers are, in a table",
    "cka.csv": "the same of every two layers, in full precision",
    "cka.svg": "CKA of layers, as heat maps",
    "srga.md": "how far deepest features move, and how far they do by chance",
    "srga.csv": "the same numbers by the number of patches, in full precision",
    "srga_": "the same as bars",
    "features.md": "how the values of the deepest features are distributed, and how far apart",
    "features.csv": "the same numbers, in full precision",
    "features_": "the distributions",
    "completion.md": "what networks make of images of which most pixels are hidden, in a table",
    "completion.csv": "the same numbers, in full precision",
    "completion_": "the same as pictures",
    "field.md": "how far networks look, and what one pixel does to their outputs, in a table",
    "field.csv": "the same numbers, in full precision",
    "field_": "the same as heat maps",
    "predict.md": "rank correlations of what analyses found with scores",
    "predict.csv": "both of each network, in full precision",
    "predict_": "the same as points",
    "measured": "what was measured, a file each; it is not measured again",
    "training.md": "quality and cost of the trainings",
    "training_curves.svg": "quality and loss against the steps done",
    "logs": "losses and validations, in NAME/log.csv and NAME/validation.csv",
}
UNLINKED = (  # no files, or not for git
    "scores.csv",  # who keeps a folder there needs no second copy of the cells
    "logs",
    "measured",
)


def commands_of(page: str, verb: str = "run") -> list[str]:
    """The commands ``bench VERB`` which such a page names, in its order; none where it has none."""
    pattern = re.compile(COMMANDS.format(verb), re.MULTILINE | re.DOTALL)
    block = pattern.search(page.replace("\r\n", "\n"))
    return block[1].split("\n") if block else []


def page(
    name: str,
    commands: Sequence[str],
    scores: Scores,
    written: Iterable[str],
    verb: str = "run",
    unknown: Sequence[str] = (),
) -> str:
    """The page as Markdown: the same for the same cells and commands.

    Parameters
    ----------
    name
        Of the folder.
    commands
        Those which filled it; none where that is not known.
    scores
        With the records of all cells of the folder, of which there is at least one.
    written
        The names of the files which were written there.
    verb
        Of the commands: ``run``, ``passes``, ``tiles``; or ``report``, of a folder of trainings,
        each of which is a record here for each of its datasets.
    unknown
        Names of the trainings of which there is no record.
    """
    records = scores.records
    cells = pd.DataFrame([record["cell"] for record in records])
    trainings, each = verb == "report", records
    if trainings:
        each = list({record["cell"]["model"]: record for record in records}.values())
    values = partial(_values, what="training" if trainings else "cell")
    return render(
        "results.md",
        name=name,
        verb=verb,
        unknown=unknown,
        commands=list(dict.fromkeys(commands)),
        count=len(records),
        files=_files(written),
        datasets=_datasets(records),
        models=_models(scores, counting=not trainings),
        restored=[
            f"{label_of(model)} on {dataset} ({', '.join(how)})"
            for dataset, models in sorted(scores.inference.items())
            for model, how in sorted(models.items())
        ],
        noises=_noises(scores),
        protocol=values([_protocol(record, named=not trainings) for record in each]),
        versions=values([record.get("environment", {}) for record in each]),
        mixed=scores.made.sentence(cells) if scores.made and not trainings else "",
    )


def facts_of(records: Iterable[Record]) -> Scores:
    """What the records of a study say of its cells, for `page`; their rows are not looked at."""
    none = {"cell": None, "images": None}
    cells = [Stored(Cell(**r["cell"]), {**r, **none}, (), (), "[]", "") for r in records]
    return scores_of(cells, {}, {}, {})


def _files(written: Iterable[str]) -> dict[str, str]:
    names = sorted(written)
    found = {start: [name for name in names if name.startswith(start)] for start in FILES}
    return {
        ", ".join(
            f"`{name}`" if start in UNLINKED else f"[{name}]({name})" for name in found[start]
        ): what
        for start, what in FILES.items()
        if found[start]
    }


def _datasets(records: Sequence[Record]) -> Table:
    hashes: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for record in records:
        name, settings = record["cell"]["dataset"], record["settings"]["dataset"]
        images = _text(settings.get("images", ABSENT))
        line = (name, images, _settings(name, settings, ("images", "sha256")))
        hashes[line].add(settings.get("sha256", ABSENT)[:DIGITS])
    rows = [[*line, ", ".join(sorted(found))] for line, found in sorted(hashes.items())]
    header = ["dataset", "images", "settings", "SHA-256"]
    return Table(header, rows, left=["dataset", "settings", "SHA-256"])


def _models(scores: Scores, counting: bool) -> Table:
    counts: Counter[tuple[str, ...]] = Counter()
    for record in scores.records:
        name, settings = record["cell"]["model"], record["settings"]["model"]
        of, weights = settings.get("of", ABSENT), _text(settings.get("weights") or ABSENT)
        counts[name, of, weights, _settings(name, settings, ("of", "weights"))] += 1
    header = ["model", "of", "weights", "settings", "note", "cells"]
    rows = [
        [label_of(name), *line, scores.model_notes.get(name) or ABSENT, str(count)]
        for (name, *line), count in sorted(counts.items())
    ]
    table = Table(header, rows, left=header[:-1])
    return table if counting else table.only(range(len(header) - 2))


def _noises(scores: Scores) -> Table:
    levels: dict[tuple[str, ...], set[float]] = defaultdict(set)
    seeds: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for record in scores.records:
        cell = record["cell"]
        line = (cell["noise"], _settings(cell["noise"], record["settings"]["noise"]))
        levels[line].add(cell["level"])
        seeds[line].add(cell["seed"])
    header = ["noise", "levels", "a level is", "seeds", "settings"]
    rows = [
        [
            name,
            ", ".join(f"{level:g}" for level in sorted(levels[name, settings])),
            scores.units.get(name) or ABSENT,
            ", ".join(map(str, sorted(seeds[name, settings]))),
            settings,
        ]
        for name, settings in sorted(levels)
    ]
    return Table(header, rows, left=header)


def _protocol(record: Record, named: bool) -> dict[str, str]:
    """How images were compared, and the settings of each metric; of a training its recipe."""
    settings = record["settings"]
    facts = settings["protocol"]
    if named:
        facts = {"protocol": name_of(facts), **facts}
    metrics = {f"metric {name}": _settings(name, its) for name, its in settings["metrics"].items()}
    return {**facts, **metrics}


def _values(parts: Sequence[Mapping[str, object]], what: str) -> Table:
    """What each key is in all cells, or trainings; where that differs, in how many of them."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        for key, value in part.items():
            if key != "tile":  # which images were cut, one by one
                counts[key][_text(value)] += 1
    rows = [
        [key, next(iter(found)) if set(found.values()) == {len(parts)} else counted(found, what)]
        for key, found in counts.items()
    ]
    return Table(["", "value"], rows, left=["", "value"])


def _settings(name: str, settings: Mapping[str, object], without: Sequence[str] = ()) -> str:
    """``crop=128, limit=12``: all but these, and but for ``of`` where that is the name itself."""
    found = {key: value for key, value in settings.items() if key not in without}
    if found.get("of") == name:
        del found["of"]
    return ", ".join(f"{key}={_text(value)}" for key, value in sorted(found.items())) or ABSENT


def _text(value: object) -> str:
    """A setting in short: a text as it is, a hash cut, all else as JSON."""
    if isinstance(value, str) and value:
        return value.removeprefix(HASH)[:DIGITS] if value.startswith(HASH) else value
    return json.dumps(value)
