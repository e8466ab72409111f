"""``bench noise``: the data sheet of a noise, measured on images."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class NoiseOptions:
    """What is measured on which images.

    Parameters
    ----------
    noise
        Noises: a name, a formula, a list or all.
    data
        The images of one dataset.
    seed
        Of the noise.
    out
        Gets one page (PNG and Markdown) a noise, and README.md, the table of several.
    """

    noise: Specs = group("all")
    data: Specs = group("photos")
    seed: int = 0
    out: str = "results/noises"


@command("noise", first_word="noise")
def noise(options: NoiseOptions, line: CommandLine) -> None:
    """What a noise does, measured: one page (PNG and Markdown) a noise.

    bench noise poisson
    bench noise speckle noise.speckle.distribution=normal out=sheets
    bench noise 'gaussian(25)+poisson(2)>>jpeg(50)' data=kodak24
    bench noise all                              every noise, and the table of all of them
    """
    import shlex
    from pathlib import Path

    from benchmark.console.log import log
    from benchmark.files.output import prepare, refuse_among_images
    from benchmark.files.whole import file_name
    from benchmark.objects.building import build
    from benchmark.studies.noise_sheet import write_index, write_sheet

    if len(options.data) != 1:
        raise ValueError("bench noise takes the images of one dataset at a time")
    datasets = build(options.data)
    refuse_among_images(options.out, datasets)
    (dataset,) = datasets.values()
    settings = line.words_without("noise", "out")
    sheets, subjects = [], build(options.noise)
    for name in subjects:
        prepare(options.out, {f"{file_name(name)}.md": "sheet"}, [f"{file_name(name)}.png"])
    if len(subjects) > 1:
        prepare(options.out, {"README.md": "sheets"})
    for name, subject in subjects.items():
        log.info(f"measuring {name}")
        words = shlex.join(["bench", "noise", name, *_without_others(settings, name)])
        sheets.append(write_sheet(name, subject, dataset, Path(options.out), words, options.seed))
    if len(sheets) > 1:
        words = shlex.join(["bench", "noise", line.value_of("noise", "all"), *settings])
        write_index(sheets, Path(options.out), words)
    pages = [f"{file_name(sheet.name)}.md" for sheet in sheets]
    written = (
        f"{pages[0]} and its picture" if len(pages) == 1 else f"README.md and {len(pages)} pages"
    )
    log.info(f"written to {options.out}: {written}")


def _without_others(settings: list[str], name: str) -> list[str]:
    """The settings without those of other noises, which a command of this noise does not know."""
    others = [word for word in settings if word.lstrip("+~").startswith("noise.")]
    own = (f"noise.{name}.", f"noise.{name}=")
    return [w for w in settings if w not in others or w.lstrip("+~").startswith(own)]
