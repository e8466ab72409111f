"""``bench cite``: BibTeX of what a results folder was made with."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command


@dataclass(frozen=True)
class CiteOptions:
    """What is cited, and where to.

    Parameters
    ----------
    out
        The results folder.
    to
        A file for the entries, FILE.bib; without one they are printed.
    """

    out: str = "results/local"
    to: str | None = None


@command("cite", first_word="out")
def cite(options: CiteOptions, line: CommandLine) -> None:
    """BibTeX of the suite, and of the noises, models, metrics and datasets of a results folder.

      bench cite results/photos
      bench cite results/photos to=noisebench.bib

    Above each entry stands what it is for. What has none, as a plugin may, is named at the end.
    """
    from benchmark.cells import ResultStore
    from benchmark.console.log import log
    from benchmark.files.output import prepare_file
    from benchmark.files.whole import write_whole
    from benchmark.objects.registries import REGISTRIES
    from benchmark.reporting.latex.citations import bibliography, used_by

    path = prepare_file("to", options.to, "references") if options.to is not None else None
    used = used_by(record for _, record in ResultStore(options.out).records())
    if not used:
        raise ValueError(
            f"no finished cells under {options.out}, so nothing to cite; fill it with: bench run"
        )
    classes = {group.replace("data", "dataset"): known for group, known in REGISTRIES.items()}
    text = bibliography(used, classes)
    if path is None:
        log.info(text.rstrip("\n"))
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
        log.info(f"written to {path}")
