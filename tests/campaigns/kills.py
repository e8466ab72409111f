"""Kills runs at random moments: what they leave ends as what an undisturbed run ends as.

``python -m tests.campaigns.kills --kills 40 --together 10`` prints a line for each kill and ends
with status 1 if a byte differs or a file is left over. Every other kill comes at a random moment,
and every other one right before a random change of a file, so that few seconds of writing get as
many as the long ones of computing. A process has the benchmark imported before
it is started, so that kills hit the scoring, the pictures, the report and nothing else, and a clock
for the seconds of a row that stands still, so that results can be equal to the byte.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from benchmark import cli
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.registry import load_plugins

RUN = (
    *("run", "model=[slow,wavelet]", "noise=gaussian", "seeds=[0,1]", "data.photos.crop=48"),
    *("data.photos.limit=3", "threads=1"),
)
TOGETHER = 3  # equal runs at once
CHANGES = ("open", "os.rename", "os.remove", "os.mkdir", "os.utime")  # events of Python's audit
MOST_CHANGES = 250  # about as many as an undisturbed run makes
PATIENCE = 300  # seconds until a process that does not end is a failure

Files = dict[str, bytes]


@DENOISERS.register("slow")
class Slow(Denoiser):
    """The noisy image, after a while: so that some kills come between two images of a cell."""

    pointwise = True

    def forward(self, noisy):
        time.sleep(0.02)
        return noisy


def started(out: Path, last: int = 0) -> multiprocessing.Process:
    """A process of its own which runs the command into a folder.

    Parameters
    ----------
    last
        Before this change of a file under the folder it kills itself; 0 for never.
    """
    process = multiprocessing.get_context("fork").Process(target=_bench, args=(out, last))
    process.start()
    return process


def _bench(out: Path, last: int) -> None:
    made, place = 0, str(out)

    def count(event: str, arguments: tuple) -> None:
        nonlocal made
        if event not in CHANGES or not str(arguments[0]).startswith(place):
            return
        if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
            return
        made += 1
        if made == last:
            os.kill(os.getpid(), signal.SIGKILL)

    if last:
        sys.addaudithook(count)
    time.perf_counter = lambda: 0.0  # the clock of a row's seconds
    sys.argv = ["bench", *RUN, f"out={out}"]
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        cli.main()


def ended(process: multiprocessing.Process) -> None:
    """Wait for a process that must end well.

    Raises
    ------
    RuntimeError
        If it does not end, or not with status 0.
    """
    process.join(PATIENCE)
    if process.exitcode != 0:
        process.kill()
        raise RuntimeError(f"a run that was not killed ended with {process.exitcode}")


def files_of(out: Path) -> Files:
    """Every file of a folder, hidden ones too, by its place there."""
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}
    if page := files.get("README.md"):
        files["README.md"] = page.replace(b"# " + out.name.encode(), b"# the folder", 1)
    return files


def differences(expected: Files, found: Files) -> list[str]:
    """What is missing, left over or other than it should be."""
    return [
        *(f"missing: {name}" for name in expected.keys() - found.keys()),
        *(f"left over: {name}" for name in found.keys() - expected.keys()),
        *(f"differs: {n}" for n in expected.keys() & found.keys() if expected[n] != found[n]),
    ]


def killed_and_resumed(out: Path, seconds: float, kills: int, rng: random.Random) -> int:
    """Run into a folder until it is done, killed at most so often; how many kills there were."""
    for number in range(kills):
        if number % 2 == 0:
            after, last = PATIENCE, rng.randrange(1, MOST_CHANGES)
            when = f"before change {last}"
        else:
            after, last = rng.uniform(0, seconds), 0
            when = f"after {after:.2f} of {seconds:.2f} s"
        process = started(out, last)
        process.join(after)
        if process.exitcode is None:
            process.kill()
            process.join()
        elif process.exitcode != -signal.SIGKILL:
            ended(process)
            return number
        print(f"  killed {when}: {stage(out)}")
    ended(started(out))
    return kills


def all_at_once(out: Path, seconds: float, rng: random.Random) -> int:
    """Equal runs into one folder, all but one of them killed or not; how many kills there were."""
    running = [started(out) for _ in range(TOGETHER)]
    begin, kills = time.monotonic(), 0
    moments = sorted(rng.uniform(0, 2 * seconds) for _ in running[1:])
    for process, moment in zip(running[1:], moments, strict=True):
        process.join(max(0, begin + moment - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()
            kills += 1
            print(f"  killed one of {TOGETHER} after {moment:.2f} s: {stage(out)}")
        else:
            ended(process)
    ended(running[0])
    ended(started(out))
    return kills


def stage(out: Path) -> str:
    """How far a run came, in words."""
    names = list(files_of(out)) if out.is_dir() else []
    cells = sum(name.startswith("cells/") and name.endswith(".json") for name in names)
    pictures = sum(name.startswith("pictures/") for name in names)
    figures = sum("/" not in name for name in names)
    return f"{cells} cells, {pictures} pictures, {figures} pages and figures"


def campaign(kills: int, together: int, seed: int, folder: Path) -> int:
    """All of it; how many folders ended other than the undisturbed one."""
    rng = random.Random(seed)
    begin = time.monotonic()
    ended(started(folder / "undisturbed"))
    seconds = time.monotonic() - begin
    expected = files_of(folder / "undisturbed")
    print(f"undisturbed: {seconds:.2f} s, {stage(folder / 'undisturbed')}")
    done, wrong, number = 0, 0, 0
    while done < kills or number < together:
        out = folder / f"{number}"
        if done < kills:
            done += killed_and_resumed(out, seconds, kills - done, rng)
            wrong += _judged(out, expected)
        if number < together:
            out = folder / f"{number}-together"
            all_at_once(out, seconds, rng)
            wrong += _judged(out, expected)
        number += 1
    print(f"{done} kills and {together} times {TOGETHER} runs at once: {wrong} folders differ")
    return wrong


def _judged(out: Path, expected: Files) -> bool:
    found = differences(expected, files_of(out))
    print(f"{out.name}: {'equal to the byte' if not found else '; '.join(found)}", flush=True)
    return bool(found)


def main() -> None:
    """Read the command line, and end with status 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--together", type=int, default=10, help="times that three run at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="kept for inspection; else a temporary one")
    told = parser.parse_args()
    for module in ("cli.composing", "cli.objects.grid", "reporting.report"):
        import_module(f"benchmark.{module}")  # before the first process is started
    load_plugins()
    with tempfile.TemporaryDirectory() as temporary:
        folder = told.folder or Path(temporary)
        sys.exit(bool(campaign(told.kills, told.together, told.seed, folder)))


if __name__ == "__main__":
    main()
