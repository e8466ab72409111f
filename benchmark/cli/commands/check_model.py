"""``bench check-model``: hold models to the contract of denoisers."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class CheckModelOptions:
    """Which models are checked.

    Parameters
    ----------
    model
        Denoisers: a name, a list or all.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    """

    model: Specs = group("masked")
    device: str = "auto"


@command("check-model", first_word="model")
def check_model(options: CheckModelOptions, line: CommandLine) -> None:
    """Does a model keep what every denoiser promises?

      bench check-model masked
      bench check-model masked model.masked.mask=false
      bench check-model onnx model.onnx.file=mine.onnx
      bench check-model all

    Shape, range, type, evaluation mode, determinism, odd sizes, batches and parts of an image are
    tried on small pictures, in about a minute at most; a table says what was found. If a promise
    is broken, the exit status is 1. Whether a model's scores are still what they were is another
    question: bench check.
    """
    import sys

    from benchmark.console.log import console
    from benchmark.denoiser.promises import as_table, check
    from benchmark.environment.device import pick_device
    from benchmark.objects.building import build

    device = pick_device(options.device)
    broken = []
    for name, model in build(options.model).items():
        outcomes = check(model.to(device))
        console().print(as_table(name, outcomes))
        broken += [f"{name}, {outcome.name}" for outcome in outcomes if outcome.kept is False]
    if broken:
        sys.exit(f"bench: not every denoiser keeps its promises: {'; '.join(broken)}")
