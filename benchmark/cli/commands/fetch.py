"""``bench fetch``: data sets and published weights from their original addresses."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.cli.command import CommandLine, command

if TYPE_CHECKING:
    from rich.progress import Progress

    from benchmark.offline.sources import Source


@dataclass(frozen=True)
class FetchOptions:
    """What is fetched, and where to.

    Parameters
    ----------
    names
        Data sets and weights; bench list fetch has them.
    agree
        Whether you agree to terms which restrict what may be done with them.
    to
        The folder for them; null: data go where NOISEBENCH_DATA says or into the user's cache,
        weights into the cache.
    lock
        The file with the checksums of what has no published one; null: one in the user's cache.
    """

    names: tuple[str, ...] = ()
    agree: bool = False
    to: str | None = None
    lock: str | None = None


@command("fetch", first_word="names", goes_on=True, loads=False)
def fetch_sources(options: FetchOptions, line: CommandLine) -> None:
    """Fetch data sets and published weights, checked, from their original addresses.

    bench fetch kodak24 mcmaster
    bench fetch cbsd68 polyu agree=true       terms which restrict are shown, and to be agreed to
    bench fetch masked                        then: bench run model=masked
                                              model.masked.weights=published
    bench fetch kodak24 to=my/data            then: NOISEBENCH_DATA=my/data
    bench fetch masked to=my/weights          then: bench run model=masked
                                              model.masked.weights=my/weights/masked.pth

    A stopped one goes on where it was. Nothing of yours is changed or removed.
    """
    from functools import partial
    from pathlib import Path

    from benchmark.console.log import log
    from benchmark.console.progress import progress
    from benchmark.offline.asked import offline_by
    from benchmark.offline.fetch import fetch, folder_of
    from benchmark.offline.lock import Lock
    from benchmark.offline.sources import chosen

    sources = chosen(options.names)
    if variable := offline_by():
        raise ValueError(f"{variable} says that nothing is fetched; unset it, or copy the files")
    restricted = [source for source in sources if source.restricts and source.files]
    if restricted and not options.agree:
        terms = "; ".join(f"{s.name}: {s.terms} ({s.page})" for s in restricted)
        raise ValueError(f"{terms}. If you agree to that, add agree=true")
    lock = Lock(Path(options.lock).expanduser() if options.lock else None)
    problems = []
    with progress("MB", "name") as shown:
        for source in sources:
            log.info(f"{source.name}: {source.about}; terms: {source.terms}")
            try:
                folder = folder_of(source, options.to)
                log.info(fetch(source, folder, lock, partial(_show, shown, source)))
            except (ValueError, OSError) as error:  # the others are fetched all the same
                problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))


def _show(shown: "Progress", source: "Source", count: int) -> None:
    """Let a source's bar stand at so many bytes; it has none before the first."""
    task = next((task.id for task in shown.tasks if task.fields["name"] == source.name), None)
    if task is None:
        total = None if source.size is None else source.size / 1e6
        task = shown.add_task("", total=total, name=source.name, now="")
    shown.update(task, completed=count / 1e6)
