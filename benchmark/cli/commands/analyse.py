"""``bench analyse``: what the layers of networks make of noises, by the analyses of the paper."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.cli.objects.spec import Specs


@dataclass(frozen=True)
class AnalyseOptions:
    """What is analysed, on which crops.

    Parameters
    ----------
    kind
        The analysis: cka, srga or features; or predict, whether these predict scores.
    model
        Networks: a name or a list; cka compares the first with each other one.
    noise
        Noises, beside gaussian 15, of which all are told how far they are: a name, a formula, a
        list, all, or paper.
    data
        Images: a name, a list or all.
    levels
        middle: each noise at the middle one of its levels; or all of them.
    layers
        Names of modules, in which * stands for any part between two dots: layers.*.conv; by default
        those which bench list layers marks.
    crops
        How many, in turn of each image; null: 64, of srga 800.
    side
        Height and width of a crop, in pixels; null: 64, of srga 128.
    batch
        Crops of one pass.
    seed
        Of noise and networks.
    scores
        A results folder, of predict: its mean scores beyond training are compared with what the
        other analyses in OUT found of the same models and datasets.
    out
        Gets a folder of the analysis' name: page, table, figure, and what was measured.
    formats
        Of the figures: svg, pdf, png, tex, or a list.
    columns
        How many of a paper's two columns a figure fills; 0: those of a README.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    threads
        Of torch on the CPU; null is all cores.
    """

    kind: str = "cka"
    model: Specs = group("baseline", "masked")
    noise: Specs = group("poisson", "speckle", "mixture")
    data: Specs = group("photos")
    levels: str = "middle"
    layers: tuple[str, ...] = ()
    crops: int | None = None
    side: int | None = None
    batch: int = 16
    seed: int = 0
    scores: str = "results/local"
    out: str = "results/analyses"
    formats: tuple[str, ...] = ("svg",)
    columns: int = 0
    device: str = "auto"
    threads: int | None = None


@command("analyse", first_word="kind", goes_on=True)
def analyse(options: AnalyseOptions, line: CommandLine) -> None:
    """Why a network generalizes: how its layers see other noises than the one of its training.

      bench analyse cka                     how alike layers of two networks, and of one under two
                                            noises, see the same images (Figure 12)
      bench analyse srga                    how far the deepest features move under other noises
                                            (Figure 14)
      bench analyse features                how their values are distributed (Figure 15)
      bench analyse predict scores=results/kodak24
                                            do these order networks as their scores do?
      bench analyse cka data=kodak24 noise=poisson noise.poisson.levels=[3]

    Every noise is compared with Gaussian noise of sigma 15, on the same crops. What was measured is
    kept, and found again where networks, noises, images and settings are the same.
    """
    import shlex
    from pathlib import Path

    from benchmark.cli.objects.analyses import analysis_of, setup_of
    from benchmark.cli.output import say_written, write_study_readme
    from benchmark.environment.device import use_threads
    from benchmark.studies.tiles import facts

    if options.kind == "predict":
        return _predict(options, line)
    use_threads(options.threads)
    study = analysis_of(options.kind)
    setup = setup_of(options, study, Path(options.out) / options.kind)
    command = line.without("out")
    found = study.measure(setup)
    written = study.write_pages(found, setup, shlex.join(command), options.formats, options.columns)
    records = facts(setup.grid, setup.device)
    kept = setup.out / "measured"
    written += write_study_readme(records, [*written, kept], setup.out, command)
    study.table(found).show()
    say_written(written, setup.out)


def _predict(options: AnalyseOptions, line: CommandLine) -> None:
    """What other analyses found, beside the scores of a results folder."""
    import shlex
    from pathlib import Path

    from benchmark.cells import ResultStore
    from benchmark.cli.output import say_written, write_study_readme
    from benchmark.cli.shown.options import stored_scores
    from benchmark.files.output import prepare
    from benchmark.studies.analyses import predict

    if given := line.given("model", "noise", "data", "levels", "layers", "crops", "side", "batch"):
        raise ValueError(f"predict compares what was found; leave out {' '.join(given)}")
    out = Path(options.out)
    pages = {"predict.md": "predict", "predict.csv": "predict table"}
    prepare(out / "predict", pages, ["predict_*"])
    found = predict.measured(out)
    scores = stored_scores(ResultStore(options.scores), None)
    if scores.rows.empty:
        raise ValueError(
            f"no finished cells under {options.scores}; name a results folder: scores=FOLDER"
        )
    done = list(predict.predictions(found, *predict.scored(scores)))
    command = shlex.join(line.without("out"))
    written = predict.write_pages(
        done, out / "predict", command, options.scores, options.formats, options.columns
    )
    written += write_study_readme(scores.records, written, out / "predict", line.without("out"))
    predict.table(done).show()
    say_written(written, out / "predict")
