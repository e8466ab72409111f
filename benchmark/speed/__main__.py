"""The small version of every table, one after the other: ``python -m benchmark.speed``.

It is printed and fails nothing: where a script fails, its error stands in its place.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module

SCRIPTS = ("noises", "networks", "training", "cells", "runtimes")


def main(words: Sequence[str] = ()) -> None:
    """Run each script of the folder with ``--quick``; there are no options."""
    argparse.ArgumentParser(prog="python -m benchmark.speed", description=__doc__).parse_args(words)
    for name in SCRIPTS:
        print(f"== python -m benchmark.speed.{name} --quick", flush=True)
        begin = time.perf_counter()
        try:
            import_module(f"benchmark.speed.{name}").main(["--quick"])
        except (Exception, SystemExit):
            traceback.print_exc()
        print(f"({time.perf_counter() - begin:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
