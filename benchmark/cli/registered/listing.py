"""What is registered, and whether it is ready: the tables of ``bench list``."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from benchmark.cli.registered.catalogue import Catalogue, Entry, status_of, unavailable
from benchmark.registry import did_you_mean


def left_out(group: str, catalogue: Catalogue) -> str:
    """What ``all`` leaves out of a group and why, as one line; empty if nothing."""
    reasons = [f"{name} ({reason})" for name, reason in catalogue.reasons[group].items()]
    if not reasons:
        return ""
    return f"{group}=all leaves out {', '.join(reasons)}; bench list {group} says more"


def listing(kind: str, catalogue: Catalogue) -> Table:
    """Every registered name of a kind, what it is, and what there is of it.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in catalogue.groups:
        known = ["all", *catalogue.groups]
        hint = did_you_mean(
            kind, [*known, *(name for of in catalogue.groups.values() for name in of)]
        )
        raise ValueError(
            f"unknown kind or name '{kind}'{hint} Known: {', '.join(known)}, fetch, layers, and "
            f"each name"
        )
    title = f"{kind}= takes {catalogue.kinds[kind]}s"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")  # an address is shown whole
    for name, entry in sorted(catalogue.groups[kind].items()):
        lines = [f"[dim]{escape(line)}[/dim]" for line in _details(kind, entry)]
        table.add_row(name, "\n".join([escape(entry.summary), *lines]))
    return table


def _details(kind: str, entry: Entry) -> Iterator[str]:
    missing_part = unavailable(kind, entry) if kind == "model" else None
    if missing_part:
        yield f"not ready: {missing_part}"
    else:
        yield from entry.details
    if entry.module:
        status = status_of(entry)
        count = f"{status.found} of {status.count}" if status.count else f"{status.found}"
        places = " and ".join(map(str, status.searched))
        yield f"found {count} images; looked in {places}" if places else "needs a path"
        yield status.source
    yield from entry.choices
    settings = " ".join(f"{key}={default}" for key, (_, default) in entry.settings.items())
    if settings:
        yield f"settings: {settings}"
