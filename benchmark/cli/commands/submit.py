"""``bench submit``: restored images for a server which alone has the clean ones."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class SubmitOptions:
    """What is restored for which server.

    Parameters
    ----------
    model
        One denoiser.
    data
        One dataset whose clean images are not published.
    out
        Gets a folder of the model's name.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    """

    model: Specs = group("masked")
    data: Specs = group("dnd")
    out: str = "submissions"
    device: str = "auto"


@command("submit", goes_on=True)
def submit(options: SubmitOptions, line: CommandLine) -> None:
    """The files which a benchmark's server scores, where it alone has the clean images.

    bench submit model=masked data=dnd
    """
    from pathlib import Path

    from benchmark import __version__
    from benchmark.console.log import log
    from benchmark.datasets import DND
    from benchmark.environment.device import pick_device
    from benchmark.files.output import prepare
    from benchmark.objects.building import build, recorded_settings
    from benchmark.studies.submission import write_submission

    if len(options.model) != 1 or len(options.data) != 1:
        raise ValueError("bench submit takes one model and one dataset at a time")
    (model_name, model), *_ = build(options.model).items()
    (dataset_name, dataset), *_ = build(options.data).items()
    if not isinstance(dataset, DND):
        raise ValueError(
            f"dataset '{dataset_name}' has its clean images here: score it with bench run; "
            f"bench submit is for dnd"
        )
    folder, device = Path(options.out, model_name), pick_device(options.device)
    prepare(options.out)
    settings = {"noisebench": __version__, "model": recorded_settings(options.model[model_name])}
    for path, kept in write_submission(dataset, model, folder, device, settings):
        log.info(f"{'kept' if kept else 'written'}: {path}")
