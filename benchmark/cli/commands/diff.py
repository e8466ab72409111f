"""``bench diff``: what differs between two results folders, cell by cell."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command


@dataclass(frozen=True)
class DiffOptions:
    """What is compared.

    Parameters
    ----------
    folders
        Two results folders, before and after: of two commits, two machines, two trainings.
    to
        A folder which gets diff.md and diff.csv; null writes nothing.
    fail
        Whether the exit status is 1 where a score moved or is on one side alone, or cells are, or
        what they are of is not the same. By default it is 0: two folders may differ.
    """

    folders: tuple[str, ...] = ()
    to: str | None = None
    fail: bool = False


@command("diff", first_word="folders", loads=False)
def diff(options: DiffOptions, line: CommandLine) -> None:
    """Two results folders, cell by cell: what moved and by how much, and what only one has.

      bench diff results/before results/after
      bench diff results/before results/after to=results/diff     diff.md and diff.csv as well
      bench diff results/before results/after fail=true           exit status 1 where they differ

    Scores are paired by image. Cells of one name which were scored under another protocol, or on
    other noise or images, are named and not compared; those with other weights are both.
    """
    import sys
    from pathlib import Path

    from benchmark.cells import ResultStore
    from benchmark.cli.output import partners, say_written
    from benchmark.console.log import log
    from benchmark.files.output import prepare
    from benchmark.reporting.differences import page
    from benchmark.reporting.differences.compare import compare
    from benchmark.reporting.differences.places import changed_places, places, why_none

    if len(options.folders) != 2:
        given = " ".join(options.folders) or "none"
        raise ValueError(f"bench diff compares two folders, not {given}: bench diff BEFORE AFTER")
    names = (options.folders[0], options.folders[1])
    compared = partners(line.catalogue)
    before, after = (ResultStore(name).scores(compared) for name in names)
    for name, scores in zip(names, (before, after), strict=True):
        if scores.rows.empty:
            raise ValueError(f"no finished cells in {name}; name a results folder")
    if options.to:
        prepare(options.to, page.PAGES)
    found, scales = compare(before, after), {**before.scales, **after.scales}
    changed, no_places = changed_places(places(before, after)), why_none(before, after)
    if options.to:
        command = f"bench diff {names[0]} {names[1]}"
        folder = Path(options.to)
        written = page.write(found, changed, scales, names, folder, command, no_places)
    shown = found.moved.head(page.MOST)
    if len(shown):
        page.of_moved(shown, scales, brief=True).show()
    if more := len(found.moved) - len(shown):
        log.info(f"and {more} more, which to=FOLDER writes; ± is half the 95 % interval")
    elif len(shown):
        log.info("± is half the 95 % interval of the mean over images")
    if len(changed):
        log.info("\nPlaces on the leaderboard which changed, each folder's own:")
        page.of_places(changed, scales).show()
    for title, sentences in page.sections(found, names, no_places):
        log.info(f"\n{title}:")
        for sentence in sentences:
            log.info(f"  {sentence}")
    log.info("\n" + "\n".join(page.counts(found, scales)))
    if options.to:
        say_written(written, Path(options.to))
    if options.fail and not found.is_empty:
        sys.exit(1)
