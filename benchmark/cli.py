"""The command ``bench``: run, train, report, and what else there is. Nothing but wiring."""

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from benchmark import __version__
from benchmark.registry import did_you_mean, load_plugins
from benchmark.streams import forgiving_streams

if TYPE_CHECKING:
    from omegaconf import DictConfig

USAGE = f"""noisebench {__version__} - how well does a denoiser do on noise it was never trained on?

  bench run model=masked noise=all      score models on noises; ends with a leaderboard
  bench report out=results/local        leaderboard, Figure 11 and pictures of a results folder
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

bench COMMAND --help says which settings a command takes."""

COMMANDS = (
    "run",
    "train",
    "ablate",
    "zoo",
    "report",
    "noise",
    "passes",
    "tiles",
    "render",
    "submit",
    "check-model",
    "list",
)
# what a word without "=" after a command sets
FIRST_WORD = {"list": "kind", "ablate": "ablation", "noise": "noise", "check-model": "model"}


@forgiving_streams()
def main() -> None:
    """Run one command; a user's mistake ends it with one sentence and exit status 2."""
    command, arguments = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    if command in ("-h", "--help", "help"):
        print(USAGE)
    elif command == "--version":
        print(__version__)
    elif command not in COMMANDS:
        hint = did_you_mean(command, COMMANDS)
        _stop(f"unknown command '{command}'{hint} Known: {', '.join(COMMANDS)}")
    else:
        _call(command, arguments)


def _call(command: str, arguments: list[str]) -> None:
    # threads that wait for a busy machine sleep soon: they spun 3 times as long as they worked
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # read once, when torch loads OpenMP
    # what a Mac's GPU cannot do runs on its CPU instead of failing; read when torch is loaded
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    warnings.showwarning = lambda message, *_: print(f"bench: {message}", file=sys.stderr)
    debugging = os.environ.get("HYDRA_FULL_ERROR") == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach us instead of Hydra's own printer
    mistakes = contextlib.nullcontext if debugging else _mistakes_as_sentences
    with mistakes():
        import hydra

        from benchmark import commands
        from benchmark.config import register_schemas, with_formulas

        load_plugins()
        register_schemas(command)
        arguments = with_formulas(_keyed(command, arguments))

        def job(config: "DictConfig") -> None:
            with mistakes():  # here as well, before Hydra adds a line of its own
                commands.COMMANDS[command](config)

        sys.argv = [f"bench {command}", *arguments]
        application = hydra.main(
            version_base="1.3", config_path="pkg://benchmark.conf", config_name=command
        )
        application(job)()


def _keyed(command: str, arguments: list[str]) -> list[str]:
    """Arguments whose first one may be a bare word: ``bench noise poisson``."""
    if command in FIRST_WORD and arguments and not re.match(r"[-+~]|[\w.]+=", arguments[0]):
        return [f"{FIRST_WORD[command]}={arguments[0]}", *arguments[1:]]
    return arguments


@contextlib.contextmanager
def _mistakes_as_sentences() -> Iterator[None]:
    from benchmark.mistakes import explain

    try:
        yield
    except KeyboardInterrupt:
        _stop("stopped; the same command goes on from here")
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            raise
        _stop(sentence)


def _stop(sentence: str) -> NoReturn:
    print(f"bench: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
