"""Times ``bench run`` on a finished folder, this checkout beside another one.

``python -m tests.campaigns.finished OTHER --rounds 9`` lets each checkout fill a folder of its own,
then runs the same command again in turns, and prints the median of each and their ratio.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = (
    *("run", "model=[identity,wavelet]", "noise=paper", "data.photos.limit=2"),
    *("data.photos.crop=64", "threads=1"),
)


def timed(checkout: Path, out: Path) -> tuple[float, float]:
    """Seconds on the wall and of the CPU that a run takes."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    wall, before = time.perf_counter(), os.times()
    subprocess.run(
        [sys.executable, "-m", "benchmark.cli", *RUN, f"out={out}"],
        env=environment,
        cwd=out.parent,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.perf_counter() - wall, cpu - before.children_user - before.children_system


def main() -> None:
    """Fill two folders, then time them in turns."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("other", type=Path, help="a checkout of another commit")
    parser.add_argument("--rounds", type=int, default=9)
    told = parser.parse_args()
    checkouts = {"this": ROOT, "other": told.other.resolve()}
    with tempfile.TemporaryDirectory() as folder:
        outs = {name: Path(folder) / name for name in checkouts}
        for name, checkout in checkouts.items():
            timed(checkout, outs[name])
        found = {name: [] for name in checkouts}
        for _ in range(told.rounds):
            for name, checkout in checkouts.items():
                found[name].append(timed(checkout, outs[name]))
    for place, clock in enumerate(("wall", "CPU")):
        this, other = (statistics.median(one[place] for one in found[n]) for n in checkouts)
        print(f"{clock}: this {this:.2f} s, other {other:.2f} s, ratio {this / other:.3f}")


if __name__ == "__main__":
    main()
