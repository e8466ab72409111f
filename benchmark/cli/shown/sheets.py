"""The data sheets of the noises of stored cells, from what their classes say of themselves."""

from collections.abc import Iterable

from benchmark.cells.records import Record
from benchmark.objects.registries import registry_of
from benchmark.reporting.explorer.sheets import sheet


def sheets_of(records: Iterable[Record]) -> dict[str, str]:
    """By noise, elements of HTML; a noise whose class is not known here has none."""
    known, found = registry_of("noise"), {}
    for record in records:
        cell, settings = record["cell"], record["settings"]
        of = settings["dataset" if cell["noise"] == cell["dataset"] else "noise"].get("of")
        if cell["noise"] not in found and of in known:
            found[cell["noise"]] = sheet(known[of])
    return found
