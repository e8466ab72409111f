"""The command ``bench``: run, train, report, and what else there is. Nothing but wiring."""

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial

from benchmark import __version__
from benchmark.cli.command import Command, CommandLine, all_commands
from benchmark.cli.completion import BASH, completions
from benchmark.cli.exits import INTERRUPTED, TERMINATED, Terminated, sigterm_raises, stop
from benchmark.cli.help import help_of, usage
from benchmark.cli.registered.catalogue import open_catalogue
from benchmark.cli.words.plain import plain_options
from benchmark.cli.words.read import keyed, read_words
from benchmark.cli.workers import workers_of
from benchmark.console.streams import forgiving_streams
from benchmark.environment.allocator import keep_freed_memory
from benchmark.registry import did_you_mean


@forgiving_streams()
def main() -> None:
    """Run one command; a user's mistake ends it with one sentence and exit status 2."""
    with sigterm_raises():
        _main((sys.argv[1:2] or ["--help"])[0], sys.argv[2:])


def _main(name: str, words: list[str]) -> None:
    commands = all_commands()
    if name == "help" and words[:1] and words[0] in commands:
        _call(commands[words[0]], ["--help"])
    elif name in ("-h", "--help", "help"):
        print(usage(commands))
    elif name == "--version":
        print(__version__)
    elif name == "--completion":
        print(BASH)
    elif name == "--complete":
        print("\n".join(completions(" ".join(words), commands)))
    elif name not in commands:
        hint = did_you_mean(name, commands)
        stop(f"unknown command '{name}'{hint} Known: {', '.join(commands)}")
    else:
        _call(commands[name], words)


def set_up() -> None:
    """What each process of a command needs, before torch is loaded."""
    keep_freed_memory()  # one heap for all threads has to be asked for before there are any
    # threads that wait for a busy machine sleep soon: they spun 3 times as long as they worked
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # read once, when torch loads OpenMP
    # what a Mac's GPU cannot do runs on its CPU instead of failing; read when torch is loaded
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray tells its makers of each run
    warnings.showwarning = _say_warnings()
    # torch says it of a layer without channels, which is a mistake and becomes a sentence
    warnings.filterwarnings("ignore", "Initializing zero-element tensors")


def _call(command: Command, typed: list[str]) -> None:
    set_up()
    debugging = os.environ.get("HYDRA_FULL_ERROR") == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach us instead of Hydra's own printer
    mistakes = contextlib.nullcontext if debugging else partial(_mistakes_as_sentences, command)
    with mistakes():
        catalogue = open_catalogue()
        workers, typed = workers_of(command, typed)
        words = read_words(command, keyed(command, typed), catalogue)
        if {"-h", "--help"} & set(words):
            print(help_of(command, catalogue))
            return
        line = CommandLine(command, tuple(typed), catalogue)
        if command.again and not workers and command.again(line):
            return
        options = None if command.loads else plain_options(command, words)
        if options is not None:
            from benchmark.console.log import show

            show()
            command.function(options, line)
            return
        from benchmark.cli.composing import call  # loads torch and Hydra

        call(command, typed, words, catalogue, mistakes, workers)


@contextlib.contextmanager
def _mistakes_as_sentences(command: Command) -> Iterator[None]:
    stopped = "stopped" + ("; the same command goes on from here" if command.goes_on else "")
    try:
        yield
    except KeyboardInterrupt as error:
        stop(stopped, TERMINATED if isinstance(error, Terminated) else INTERRUPTED)
    except Exception as error:
        from benchmark.cli.mistakes import explain

        sentence = explain(error)
        if sentence is None:
            raise
        stop(sentence)


def _say_warnings() -> Callable[..., None]:
    """What says each warning as one line, and once: several steps may come upon the same file."""
    said: set[str] = set()

    def say(message: Warning | str, *_: object) -> None:
        line = f"bench: {' '.join(str(message).split())}"
        if line not in said:
            said.add(line)
            print(line, file=sys.stderr)

    return say
