"""``bench report``: leaderboard, curves and pictures of everything in a results folder."""

from dataclasses import dataclass
from pathlib import Path

from benchmark.cli.command import CommandLine, command


@dataclass(frozen=True)
class ReportOptions:
    """What a report is told.

    Parameters
    ----------
    out
        The results folder, or one of trainings, whose curves are drawn.
    model
        Names of scored models to compare, or all.
    protocol
        Of a folder with scores by several protocols, the one which is shown.
    to
        Where it is written: by default OUT, and that of some models OUT/report-MODEL+MODEL.
    """

    out: str = "results/local"
    model: tuple[str, ...] = ("all",)
    protocol: str | None = None
    to: str | None = None


@command("report", loads=False)
def report(options: ReportOptions, line: CommandLine) -> None:
    """Leaderboard, Figure 11 curves and strips of pictures from a results folder.

      bench report out=results/kodak24
      bench report out=results/kodak24 model=[baseline,masked]     compare only these

    The report of some models is written to out/report-MODEL+MODEL, beside that of all; to=FOLDER
    names another place.
    """
    import shlex

    from benchmark.cells import ResultStore
    from benchmark.cli.output import (
        FIGURES,
        REPORT,
        families,
        partners,
        publish,
        replace_readme,
        say_written,
        suites,
    )
    from benchmark.files.output import prepare
    from benchmark.files.whole import file_name
    from benchmark.protocol import name_of, protocol_of
    from benchmark.reporting.trainings import curves

    store = ResultStore(options.out)
    asked = protocol_of(options.protocol).name if options.protocol else None
    scores = store.scores(
        partners(),
        lambda record: asked in (None, name_of(record["settings"]["protocol"])),
        families=families(),
        suites=suites(),
    )
    if curves.read_runs(store.root):
        prepare(store.root, {"training.md": "training"}, ("training_curves.*",))
        written = curves.write_curves(store.root)
        if scores.rows.empty:  # else the folder's README is that of its cells

            def page(before: str) -> str:
                command = shlex.join(["bench", "report", f"out={options.out}"])
                return curves.readme(store.root, [command], _shipped_weights())

            written += replace_readme(store.root, page)
        say_written(written, store.root)
    elif scores.rows.empty and asked:
        raise ValueError(
            f"no cells by protocol {asked} under {store.root}; bench report out={store.root} says "
            f"of several protocols which they are"
        )
    elif scores.rows.empty:
        raise ValueError(
            f"no finished cells under {store.root}/cells, and no trainings with curves under "
            f"{store.root} (watch=[] draws none); fill it with: bench run, or bench train"
        )
    if scores.rows.empty:
        return
    known = sorted(scores.rows["model"].unique())
    for name in options.model:
        if name not in [*known, "all"]:
            raise ValueError(
                f"no cells of model '{name}' under {store.root}; there are: {', '.join(known)}"
            )
    to = store.root
    if "all" not in options.model and set(options.model) < set(known):  # the full tables stay
        scores = scores.of(models=options.model)
        to = store.root / file_name(f"report-{'+'.join(sorted(set(options.model)))}")
    to = Path(options.to) if options.to else to
    prepare(to, REPORT, FIGURES)
    publish(scores, store, to)


def _shipped_weights() -> dict[str, Path]:
    """Weights files which come with the packages, by name, found without loading these."""
    from importlib.util import find_spec

    from benchmark.registry import OURS

    found = {}
    for spec in (find_spec(name) for name in OURS if "." not in name):
        for folder in (spec and spec.submodule_search_locations) or ():
            found |= {path.stem: path for path in Path(folder).glob("weights/*.safetensors")}
    return found
