"""``bench pack``: fold the files of a folder's finished cells into one."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command


@dataclass(frozen=True)
class PackOptions:
    """What is packed.

    Parameters
    ----------
    out
        The results folder: its cells/ become cells.jsonl, a line a cell.
    """

    out: str = "results/local"


@command("pack", loads=False)
def pack(options: PackOptions, line: CommandLine) -> None:
    """Fold the finished cells of a folder into one file, cells.jsonl, for git and for copying.

      bench pack out=results/kodak24

    Everything goes on from a packed folder as from the files: a run writes a file a cell again,
    which counts before a line, and another pack folds it in. To score a cell again, delete its
    line; to merge folders, concatenate their files.
    """
    from benchmark.cells import ResultStore
    from benchmark.cells.packed import NAME
    from benchmark.cells.packed import pack as fold
    from benchmark.console.log import log

    count = fold(ResultStore(options.out), log.info)
    log.info(f"written to {options.out}: {NAME}, {count} cell{'s' * (count != 1)}")
