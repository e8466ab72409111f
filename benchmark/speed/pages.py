"""Timings as files: a page says which command made it, and the folder has an index of its pages."""

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.files.whole import write_whole

INDEX = "README.md"
PAGE = re.compile(r"# Speed: .+\n\nMade with (`.+`)\.\n")
HEAD = """\
# Speed

Times beside other people's code, written by the commands on top of the pages; machine and versions
stand at their ends.

"""


def write_page(out: Path, module: str, table: str, arguments: Sequence[str] | None = None) -> None:
    """Write a table with its command on top, and the index of its folder.

    Parameters
    ----------
    module
        Of `benchmark.speed`, which measured it.
    arguments
        Those of its command line; by default of this process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    command = shlex.join(["python", "-m", f"benchmark.speed.{module}", *words])
    write_whole(out, f"# Speed: {out.stem}\n\nMade with `{command}`.\n\n{table}")
    write_index(out.parent)


def write_index(folder: Path) -> None:
    """Write ``README.md`` of a folder of such pages, unless somebody else wrote one."""
    path = folder / INDEX
    if path.exists() and not path.read_text("utf-8", "replace").startswith(HEAD):
        return
    pages = {page: PAGE.match(page.read_text("utf-8", "replace")) for page in folder.glob("*.md")}
    lines = [f"- [{page.stem}]({page.name}): {made[1]}\n" for page, made in pages.items() if made]
    write_whole(path, HEAD + "".join(sorted(lines)))
