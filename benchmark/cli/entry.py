"""The command ``bench``: run, train, report, and what else there is. Nothing but wiring."""

import contextlib
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from benchmark import __version__
from benchmark.cli.exits import INTERRUPTED, TERMINATED, Terminated, sigterm_raises, stop
from benchmark.console.streams import forgiving_streams
from benchmark.registry import did_you_mean

if TYPE_CHECKING:
    from omegaconf import DictConfig

USAGE = f"""noisebench {__version__} - how well does a denoiser do on noise it was never trained on?

  bench run model=masked noise=all      score models on noises; ends with a leaderboard
  bench report out=results/local        leaderboard, Figure 11 and pictures of a results folder
  bench pack out=results/local          fold the finished cells of a folder into one file
  bench train model=masked              train a network
  bench ablate masks                    train variants of a network, and compare them
  bench zoo                             the page of trained networks, from their files
  bench noise poisson                   measure a noise: its data sheet
  bench passes model=masked             what the mean of several outputs gains, and their spread
  bench tiles model=masked              what changes where images are restored in tiles
  bench render                          render noisy images and references by Monte Carlo
  bench submit data=dnd                 restored images for a server which has the clean ones
  bench check-model masked              does a model keep what every denoiser promises?
  bench list                            noises, models, datasets and metrics, plugins included

bench COMMAND --help says which settings a command takes.

Exit status: 0; 1 where a check did not hold (check-model) or noisebench itself is wrong, which
shows a traceback; 2 for a mistake, with a sentence that says what to do; 130 and 143 where SIGINT
(Ctrl-C) or SIGTERM stopped it; 141 where nobody reads its output any more (| head)."""

COMMANDS = (
    "run",
    "train",
    "ablate",
    "zoo",
    "report",
    "pack",
    "noise",
    "passes",
    "tiles",
    "render",
    "submit",
    "check-model",
    "list",
)
GO_ON = ("run", "train", "ablate", "passes", "render")  # which keep what they have finished
# what a word without "=" after a command sets
FIRST_WORD = {"list": "kind", "ablate": "ablation", "noise": "noise", "check-model": "model"}


@forgiving_streams()
def main() -> None:
    """Run one command; a user's mistake ends it with one sentence and exit status 2."""
    with sigterm_raises():
        _main((sys.argv[1:2] or ["--help"])[0], sys.argv[2:])


def _main(command: str, arguments: list[str]) -> None:
    if command in ("-h", "--help", "help"):
        print(USAGE)
    elif command == "--version":
        print(__version__)
    elif command not in COMMANDS:
        hint = did_you_mean(command, COMMANDS)
        stop(f"unknown command '{command}'{hint} Known: {', '.join(COMMANDS)}")
    else:
        _call(command, arguments)


def _call(command: str, arguments: list[str]) -> None:
    # threads that wait for a busy machine sleep soon: they spun 3 times as long as they worked
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # read once, when torch loads OpenMP
    # what a Mac's GPU cannot do runs on its CPU instead of failing; read when torch is loaded
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    warnings.showwarning = _say_warning
    # torch says it of a layer without channels, which is a mistake and becomes a sentence
    warnings.filterwarnings("ignore", "Initializing zero-element tensors")
    debugging = os.environ.get("HYDRA_FULL_ERROR") == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach us instead of Hydra's own printer
    mistakes = contextlib.nullcontext if debugging else partial(_mistakes_as_sentences, command)
    with mistakes(), tempfile.TemporaryDirectory() as aside:
        import hydra

        from benchmark.cli import commands
        from benchmark.cli.arguments import understood
        from benchmark.cli.composed import check_composed
        from benchmark.cli.plugins import load_fitting_plugins
        from benchmark.cli.schema import register_schemas, with_formulas
        from benchmark.console.log import show

        load_fitting_plugins()
        register_schemas(command)
        arguments = with_formulas(understood(command, _keyed(command, arguments)))

        def job(config: "DictConfig") -> None:
            with mistakes():  # here as well, before Hydra adds a line of its own
                show()
                check_composed(command, config)
                commands.COMMANDS[command](config)

        # of several runs Hydra writes a record of its own, into no folder of the user's
        sys.argv = [f"bench {command}", f"hydra.sweep.dir='{aside}'", *arguments]
        application = hydra.main(
            version_base="1.3", config_path="pkg://benchmark.cli.conf", config_name=command
        )
        application(job)()


def _keyed(command: str, arguments: list[str]) -> list[str]:
    """Arguments whose first one may be a bare word: ``bench noise poisson``."""
    if command in FIRST_WORD and arguments and not re.match(r"[-+~]|[\w.]+=", arguments[0]):
        return [f"{FIRST_WORD[command]}={arguments[0]}", *arguments[1:]]
    return arguments


@contextlib.contextmanager
def _mistakes_as_sentences(command: str) -> Iterator[None]:
    said = "stopped" + ("; the same command goes on from here" if command in GO_ON else "")
    try:
        yield
    except KeyboardInterrupt as error:
        stop(said, TERMINATED if isinstance(error, Terminated) else INTERRUPTED)
    except Exception as error:
        from benchmark.cli.mistakes import explain

        sentence = explain(error)
        if sentence is None:
            raise
        stop(sentence)


def _say_warning(message: Warning | str, *_: object) -> None:
    print(f"bench: {' '.join(str(message).split())}", file=sys.stderr)
