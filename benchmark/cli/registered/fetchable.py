"""What can be fetched, and what is there: the table of ``bench list fetch``."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from benchmark.datasets import DATASETS
from benchmark.offline.fetch import folder_of
from benchmark.offline.sources import Source, all_sources


def fetchable() -> Table:
    """Every data set and every network's weights, their size and terms, and where they are."""
    table = Table(title="bench fetch brings", title_justify="left", box=None, padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for source in all_sources().values():
        lines = [f"[dim]{escape(line)}[/dim]" for line in _details(source)]
        table.add_row(source.name, "\n".join([escape(source.about), *lines]))
    return table


def _details(source: Source) -> Iterator[str]:
    if not source.files:
        yield f"by hand, from {source.page}"
    elif source.size is None:
        yield f"{source.page}, size unknown"
    else:
        number = f"{len(source.files)} files, " if len(source.files) > 1 else ""
        yield f"{source.page}, {number}{source.size / 1e6:.1f} MB"
    agreed = "; to be agreed to: agree=true" if source.restricts else ""
    yield f"terms: {source.terms}{agreed}"
    if place := _place(source):
        yield f"there: {place}"


def _place(source: Source) -> str:
    """Where it is, complete by the names of its files or by the count of the data set."""
    if source.kind == "data":
        dataset = DATASETS[source.name]()
        return "" if dataset.status().problem else str(dataset.folder())
    folder = folder_of(source)
    names = [file.name for file in source.files if (folder / file.name).is_file()]
    return str(folder / names[0]) if names else ""
