"""``bench explore``: a results folder as one HTML file, to look at without anything beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.command import CommandLine, command
from benchmark.cli.shown.options import ShownOptions

if TYPE_CHECKING:
    from benchmark.cells.records import Record
    from benchmark.reporting.explorer.facts import Cost

LARGE = 50  # MB of pictures, from which on a page opens slowly


@dataclass(frozen=True)
class ExploreOptions(ShownOptions):
    """What an explorer is told.

    Parameters
    ----------
    pictures
        all: those of the folder that are of the chosen cells; none.
    weights
        Files, or folders with files, in which weights are looked for by their SHA-256, to count
        parameters and operations; those that ship with a network are known.
    to
        The file; by default OUT/explorer.html, and of a part OUT/explorer-WHAT.html.
    """

    pictures: str = "all"
    weights: tuple[str, ...] = ()
    to: str | None = None


@command("explore", loads=False)  # mistakes come first: only what counts models needs torch
def explore(options: ExploreOptions, line: CommandLine) -> None:
    """One HTML file that shows a results folder: tables, charts and images, to click through.

      bench explore out=results/kodak24
      bench explore out=results/kodak24 model=[masked,baseline] noise=paper to=paper.html
      bench explore out=results/kodak24 pictures=none              without images

    It opens from the disk and needs nothing beside it, so that it can be sent as it is. What is
    shown, labels and looks are chosen as for bench report; docs/explorer.md has more.
    """
    import warnings

    from benchmark.cells import Cell, ResultStore
    from benchmark.cells.pictures import scenes as stored_scenes
    from benchmark.cli.shown.options import selection_of, shown, some_scores
    from benchmark.console.log import log
    from benchmark.files.output import prepare_file
    from benchmark.files.whole import file_name, write_whole
    from benchmark.reporting.explorer.facts import facts
    from benchmark.reporting.explorer.page import page
    from benchmark.reporting.explorer.pictures import embed
    from benchmark.reporting.explorer.provenance import KEY
    from benchmark.reporting.selection import is_part

    if options.pictures not in ("all", "none"):
        raise ValueError(f"pictures={options.pictures} is none of the choices; take all or none")
    store = ResultStore(options.out)
    scores, board, style = shown(options, some_scores(store, options.protocol))
    chosen = selection_of(options).words.values() if is_part(board, scores) else ()
    own = store.root / f"{file_name('-'.join(['explorer', *chosen]))}.html"
    to = prepare_file("to", options.to or str(own), "explorer")
    cells = {Cell(*key) for key in board.rows[KEY].drop_duplicates().itertuples(index=False)}
    records = [record for record in scores.records if Cell(**record["cell"]) in cells]
    costs, sheets = _costs_and_sheets(records, options.weights)
    scenes, pictures = [], []
    if options.pictures == "all":
        scenes, pictures = embed(stored_scenes(store, cells.__contains__))
    found = facts(
        board,
        options.out,
        _commands(store.root, line),
        costs,
        sheets,
        scenes,
        style,
    )
    text = page(found, pictures)
    write_whole(to, text)
    size, of_pictures = len(text.encode()) / 1e6, sum(map(len, pictures)) / 1e6
    log.info(f"written to {to}: {size:.1f} MB, with {len(pictures)} pictures")
    if of_pictures > LARGE:
        warnings.warn(
            f"the {len(pictures)} pictures of {to} take {of_pictures:.0f} of {size:.0f} MB, which "
            f"opens slowly; choose fewer by model=, noise=, level= or data=, or pictures=none",
            stacklevel=2,
        )


def _costs_and_sheets(
    records: "list[Record]", weights: tuple[str, ...]
) -> "tuple[dict[str, Cost], dict[str, str]]":
    """What the models take and the noises are, from their classes."""
    from benchmark.cli.objects.again import Files
    from benchmark.cli.registered.plugins import load_fitting_plugins
    from benchmark.cli.shown.costs import costs_of
    from benchmark.cli.shown.sheets import sheets_of

    load_fitting_plugins()
    return costs_of(records, Files(weights)), sheets_of(records)


def _commands(folder: Path, line: CommandLine) -> list[str]:
    """Those which filled a folder, as its README names them, and the one which made the page."""
    import shlex

    from benchmark.reporting import readme

    page = folder / "README.md"
    filled = readme.commands_of(page.read_text("utf-8", "replace")) if page.is_file() else []
    return [*filled, shlex.join(line.without("to"))]
