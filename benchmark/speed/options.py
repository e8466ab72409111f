"""The command line which the scripts share: a file for the table, and a version that is small."""

import argparse
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path

import torch


def parser_of(module: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for a module of `benchmark.speed`, with ``--out``."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmark.speed.{module}", description=description
    )
    parser.add_argument("--out", type=Path, help="a Markdown file for the table")
    return parser


def beside_published(parser: argparse.ArgumentParser, known: Collection[str]) -> None:
    """Add ``--published``, ``--networks`` and ``--threads``.

    Parameters
    ----------
    known
        The networks which there is published code of.
    """
    parser.add_argument("--published", type=Path, help="clones of the repositories")
    parser.add_argument(
        "--networks",
        nargs="+",
        help=f"NAME or NAME_SIZE, with --published of {', '.join(known)}",
    )
    parser.add_argument("--threads", type=number_of_threads, default=torch.get_num_threads())


def parsed(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, **small: object
) -> argparse.Namespace:
    """The options, with ``--quick`` beside them: what is not given is then as in ``small``."""
    words = [str(word) for name, value in small.items() for word in (f"--{name}", *_listed(value))]
    parser.add_argument(
        "--quick", action="store_true", help=f"in seconds, as CI does: {shlex.join(words)}"
    )
    if parser.parse_args(arguments).quick:
        parser.set_defaults(**small)
    return parser.parse_args(arguments)


def number_of_threads(text: str) -> int:
    """The type of ``--threads``."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a number of threads, from 1; got '{text}'")
    return int(text)


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]
