"""Bad inputs through the real ``main`` in one process: a sentence, a status, and nothing lost.

A part of the tables in ``bad_inputs`` is tried, evenly over their kinds, most of it with the slow
tests; all of them where the variable ``BAD_INPUTS`` is ``all``.
"""

import hashlib
import io
import os
import shutil
import signal
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from bad_inputs import ENTRIES
from bad_inputs.entry import BROKEN, WORKS, BadInput, typed

from benchmark.objects.registries import REGISTRIES

import_module("matplotlib.pyplot")  # slow the first time, which no entry is to be blamed for
HEAVY = ("run", "train", "passes", "tiles", "ablate", "report")  # 0.7 s each, the others 0.3


def sample(entries: Iterable[BadInput]) -> list[BadInput]:
    """The first and then every eighth entry of each section and command, or every second."""
    kinds: dict[tuple[str, str], list[BadInput]] = {}
    for entry in entries:
        kinds.setdefault((entry.name.partition(" ")[0], entry.words[0]), []).append(entry)
    return [
        entry
        for (_, command), members in kinds.items()
        for entry in members[:: 8 if command in HEAVY else 2]
    ]


TRIED = sample(ENTRIES)
if os.environ.get("BAD_INPUTS") == "all":
    TRIED = list(ENTRIES)
SECONDS = 60  # more is a hang, on a loaded machine too: most take less than one
LONGEST = 3000  # characters of a sentence
INTERNALS = (
    *("Traceback", "ListConfig", "DictConfig", "AnyNode", "ConfigKeyError", "full_key", "pkg://"),
    *("object_type", "Hydra", "hydra.", "OmegaConf", "omegaconf", "Lexer", "mismatched input"),
    *("extraneous input", "no viable alternative", "token recognition", "merging override"),
    *("parsing override", "override group", "executing job", "append to your config"),
    *("Interpolation", "weights_only", "WeightsUnpickler", "init callback", "[ WARN", "libpng"),
)
ERRORS = ("KeyError", "AttributeError", "IndexError", "TypeError", "RecursionError", "NoneType")


class Hang(BaseException):
    """More than `SECONDS` went by."""


class Terminated(BaseException):
    """The command let SIGTERM through to the process."""


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Callable[[str], Path]:
    """Results folders and trainings as the command leaves them, each made once."""
    made: dict[str, Path] = {}
    commands = {
        "finished": typed("run", "model=[identity,tv]", "seeds=[0,1]"),
        "trained": typed("train", "seed=1"),
        "pieces": typed("train", "state_megabytes=0.005"),
    }

    def make(kind: str) -> Path:
        if kind not in made:
            from benchmark import cli

            made[kind] = tmp_path_factory.mktemp(kind) / "o"
            words = [word for word in commands[kind] if word != "out=o"]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "argv", ["bench", *words, f"out={made[kind]}"])
                cli.main()
        return made[kind]

    return make


@pytest.fixture
def alone(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty working folder some way below the test's own, and a process left as it was."""
    folder = tmp_path / "a" / "b" / "work"
    folder.mkdir(parents=True)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(folder)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("NOISEBENCH_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    registered = {group: dict(registry.data) for group, registry in REGISTRIES.items()}
    threads, modules = torch.get_num_threads(), set(sys.modules)
    yield folder
    torch.set_num_threads(threads)
    for group, registry in REGISTRIES.items():
        registry.data = registered[group]
    for name in set(sys.modules) - modules:
        if name.startswith("acme"):
            del sys.modules[name]
    for path in tmp_path.rglob("*"):  # whoever waits for one goes on, and its thread can end
        if path.is_fifo():
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


def files_below(folder: Path) -> dict[str, tuple]:
    """Everything there is: its kind, size and time, or where a link leads."""
    found = {}
    for path in folder.rglob("*"):
        facts = path.lstat()
        if path.name == "__pycache__" or path.suffix == ".pyc":
            continue
        if stat.S_ISDIR(facts.st_mode):
            found[path] = ("folder",)
        else:
            target = os.readlink(path) if path.is_symlink() else ""
            found[path] = (facts.st_mode, facts.st_size, facts.st_mtime_ns, target)
    return found


def hashes_below(folder: Path) -> set[str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def called(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit status of ``bench``, within `SECONDS`."""
    from benchmark import cli

    def raising(kind: type[BaseException]) -> Callable[..., None]:
        def handler(*_: object) -> None:
            raise kind

        return handler

    signal.signal(signal.SIGALRM, raising(Hang))
    before = signal.signal(signal.SIGTERM, raising(Terminated))
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 1)  # again, where cleaning up hangs as well
    try:
        cli.main()
        return 0
    except SystemExit as stopped:
        if isinstance(stopped.code, str):
            print(stopped.code, file=sys.stderr)
            return 1
        return stopped.code or 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGTERM, before)


@pytest.mark.sampled(every=12)
@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in TRIED])
def test_a_bad_input_ends_in_a_sentence_and_its_status(
    entry: BadInput, alone, tmp_path, begun, monkeypatch, capfd
):
    if entry.begun:
        shutil.copytree(begun(entry.begun), alone / "o")
    if entry.prepare:
        entry.prepare(alone)
    if (alone / "plugins").is_dir():
        monkeypatch.syspath_prepend(alone / "plugins")
    for name, value in entry.patches:
        monkeypatch.setattr(name, value)
    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    before = files_below(tmp_path)
    kept = [hashlib.sha256((alone / path).read_bytes()).hexdigest() for path in entry.keeps]
    capfd.readouterr()
    if entry.encoding:
        stdout = io.TextIOWrapper(io.BytesIO(), entry.encoding)
        monkeypatch.setattr(sys, "stdout", stdout)
    status, raised = BROKEN, ""
    try:
        status = called(entry.words, monkeypatch)
    except Exception as error:
        raised = type(error).__name__
        if raised != entry.raises:
            raise
    out, err = capfd.readouterr()

    problems = [] if raised == entry.raises else [f"{entry.raises} did not come through"]
    if raised:
        err = ""  # Python's and Hydra's own words
    lines = err.splitlines()
    problems += [f"stderr has: {line[:300]}" for line in lines if not line.startswith("bench: ")]
    if status != entry.status:
        problems.append(f"exit status {status}, not {entry.status}")
    sentences = int(status != WORKS and not raised)
    if len(lines) < sentences or (len(lines) > sentences and not entry.warns):
        problems.append(f"{len(lines)} lines on stderr, not {sentences}")
    internals = INTERNALS if (alone / "plugins").is_dir() else (*INTERNALS, *ERRORS)
    problems += [f"says {word}" for word in internals if word in out + err]
    problems += [f"a line of {len(line)} characters" for line in lines if len(line) > LONGEST]
    if entry.says.lower() not in " ".join((out + err).split()).lower():
        problems.append(f"does not say '{entry.says}'")
    allowed = [Path(os.path.normpath(alone / place)) for place in entry.may_write]
    allowed.append(tmp_path / "home" / ".cache")  # of other packages: onnxruntime, matplotlib
    after = files_below(tmp_path)
    for path in sorted(before.keys() | after.keys()):
        below = any(path.is_relative_to(place) or place.is_relative_to(path) for place in allowed)
        if before.get(path) != after.get(path) and not below:
            verb = "lost" if path not in after else "changed" if path in before else "wrote"
            problems.append(f"{verb} {path.relative_to(tmp_path)}")
    if not set(kept) <= hashes_below(tmp_path):
        problems.append(f"lost what was in {', '.join(entry.keeps)}")
    assert not problems, "\n".join([*problems, f"stderr: {err[:1000]}"])


def test_the_tables_are_as_long_as_promised_and_name_each_entry_once():
    assert len(TRIED) >= 300
    doubled = [name for name, count in Counter(e.name for e in ENTRIES).items() if count > 1]
    assert not doubled
    sections = {entry.name.partition(" ")[0] for entry in TRIED}
    assert {"1.1", "1.3", "1.4", "1.5", "1.6", "2.1", "2.3", "2.4", "2.5"} <= sections
    assert {"3", "4.1", "4.2", "4.3", "4.4", "4.5"} <= sections
