"""``bench report``: leaderboard, curves and pictures of everything in a results folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.command import CommandLine, command
from benchmark.cli.shown.options import ShownOptions

if TYPE_CHECKING:
    from benchmark.cells import ResultStore
    from benchmark.reporting.selection import Selection


@dataclass(frozen=True)
class ReportOptions(ShownOptions):
    """What a report is told.

    Parameters
    ----------
    out
        The results folder, or one of trainings, whose curves are drawn.
    formats
        Of md, csv, tex, pdf, svg, png and html those which are written.
    to
        Where it is written: by default OUT, and a part of it to OUT/report-WHAT.
    """

    formats: tuple[str, ...] = ("md", "csv", "svg")
    to: str | None = None


@command("report", loads=False)
def report(options: ReportOptions, line: CommandLine) -> None:
    """Leaderboard, Figure 11 curves and strips of pictures from a results folder.

      bench report out=results/kodak24
      bench report out=results/kodak24 model=[masked,baseline]     compare only these, in this order
      bench report out=results/kodak24 noise=paper formats=[tex,pdf] to=paper
      bench report out=results/kodak24 'labels=[masked: Ours]' style=paper/style.yaml

    Tests, ranks and intervals of some models are of these alone. A part is never written over the
    tables of all: it goes to a folder of its own, or to=FOLDER. docs/papers.md has more.
    """
    import shlex

    from benchmark.cells import ResultStore
    from benchmark.cli.output import count_cells, prepare_report, publish
    from benchmark.cli.shown.options import selection_of, shown, stored_scores
    from benchmark.protocol import protocol_of
    from benchmark.reporting.selection import absent_models, is_part

    store = ResultStore(options.out)
    scores = stored_scores(store, options.protocol)
    has_curves = _report_trainings(store.root, options.out, is_all=scores.rows.empty)
    if scores.rows.empty and has_curves:
        return
    if scores.rows.empty:
        raise _nothing(store.root, protocol_of(options.protocol).name if options.protocol else None)
    scores, board, style = shown(options, scores)
    excerpt = ""
    if part := is_part(board, scores):
        cells, there = count_cells(board.scores), count_cells(scores)
        command = shlex.join(line.without("to"))
        excerpt = f"A part: {cells} of the {there} cells of {store.root.name}, by `{command}`."
        if absent := absent_models(board, scores) if "all" in options.model else []:
            excerpt += f" No such cells are of {', '.join(map(scores.label, absent))}."
    to = _folder(options.to, selection_of(options) if part else None, store)
    prepare_report(to, options.formats)
    publish(board, store, to, excerpt=excerpt, formats=options.formats, style=style)


def _folder(to: str | None, part: "Selection | None", store: "ResultStore") -> Path:
    """Where the report of all or of a part is written.

    Raises
    ------
    ValueError
        If the tables of a part, or of another folder, would go over those of all.
    """
    from benchmark.cli.objects.stored import has_cells
    from benchmark.files.whole import file_name

    own = store.root
    if part:
        own /= file_name(f"report-{'-'.join(part.words.values())}")
    folder = Path(to) if to else own
    if folder.resolve() != own.resolve() and has_cells(folder):
        what = "a part of one" if part else f"what {store.root} holds"
        raise ValueError(
            f"to={to} is a results folder, and {what} is never written over its tables; "
            f"leave to= out for {own}, or name another folder"
        )
    return folder


def _report_trainings(root: Path, out: str, is_all: bool) -> bool:
    """Whether there are trainings; they are written, with a README where they are all there is."""
    import shlex

    from benchmark.cli.output import replace_readme, say_written
    from benchmark.files.output import prepare
    from benchmark.reporting.trainings import curves

    if not curves.read_runs(root):
        return False
    prepare(root, {"training.md": "training"}, ("training_curves.*",))
    written = curves.write_curves(root)
    if is_all:  # else the folder's README is that of its cells

        def page(before: str) -> str:
            command = shlex.join(["bench", "report", f"out={out}"])
            return curves.readme(root, [command], _shipped_weights())

        written += replace_readme(root, page)
    say_written(written, root)
    return True


def _nothing(out: Path, protocol: str | None) -> ValueError:
    """That there is nothing to report, and what fills such a folder."""
    if protocol:
        return ValueError(
            f"no cells by protocol {protocol} under {out}; bench report out={out} says of several "
            f"protocols which they are"
        )
    return ValueError(
        f"no finished cells under {out}/cells, and no trainings with curves under {out} "
        f"(watch=[] draws none); fill it with: bench run, or bench train"
    )


def _shipped_weights() -> dict[str, Path]:
    """Weights files which come with the packages, by name, found without loading these."""
    from importlib.util import find_spec

    from benchmark.registry import OURS

    found = {}
    for spec in (find_spec(name) for name in OURS if "." not in name):
        for folder in (spec and spec.submodule_search_locations) or ():
            found |= {path.stem: path for path in Path(folder).glob("weights/*.safetensors")}
    return found
