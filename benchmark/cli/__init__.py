"""The command ``bench``."""

from benchmark.cli.entry import main

__all__ = ["main"]
