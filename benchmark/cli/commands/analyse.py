"""``bench analyse``: what the layers of networks make of noises, by the analyses of the paper."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class AnalyseOptions:
    """What is analysed, on which crops.

    Parameters
    ----------
    kind
        The analysis: cka, srga, features, completion or field; or predict, whether the first three
        predict scores.
    model
        Networks: a name or a list; cka compares the first with each other one.
    noise
        Noises, beside gaussian 15, of which all are told how far they are: a name, a formula, a
        list, all, or paper. Those by default are of cka, srga and features.
    data
        Images: a name, a list or all.
    levels
        middle: each noise at the middle one of its levels; or all of them.
    layers
        Names of modules, in which * stands for any part between two dots: layers.*.conv; by default
        those which bench list layers marks.
    crops
        How many, in turn of each image; null: 64, of srga 800, of completion 16, of field 32.
    side
        Height and width of a crop, in pixels; null: 64, of srga and completion 128.
    batch
        Crops of one pass.
    hidden
        Percentages of the pixels which completion hides.
    seed
        Of noise and networks; of predict, of the networks which its intervals draw.
    scores
        A results folder, of predict: its mean scores beyond training are compared with what the
        other analyses in OUT found of the same models and datasets.
    out
        Gets a folder of the analysis' name: page, table, figure, and what was measured.
    formats
        Of the figures: svg, pdf, png, tex, or a list.
    columns
        How many of a paper's two columns a figure fills; 0: what the style says, or a README.
    labels
        What readers see in place of a model's or noise's name: [masked: Masked (ours)].
    style
        A YAML file with labels, and the colours, markers and sizes of figures: docs/papers.md.
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
    hidden: tuple[int, ...] = (0, 50, 75, 90)
    seed: int = 0
    scores: str = "results/local"
    out: str = "results/analyses"
    formats: tuple[str, ...] = ("svg",)
    columns: int = 0
    labels: tuple[str, ...] = ()
    style: str | None = None
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
      bench analyse completion              what they make of images of which most pixels are hidden
                                            (Figure 3)
      bench analyse field                   how far around an output pixel they look, and what one
                                            input pixel does to the output around it
      bench analyse predict scores=results/kodak24
                                            do these order networks as their scores do?
      bench analyse cka data=kodak24 noise=poisson noise.poisson.levels=[3]

    Every noise stands beside Gaussian noise of sigma 15, on the same crops. What was measured is
    kept, and found again where networks, noises, images and settings are the same.
    """
    import shlex
    from pathlib import Path

    from benchmark.cli.objects.studies.analyses import analysis_of, look_of, setup_of
    from benchmark.cli.output import say_written, write_study_readme
    from benchmark.environment.device import use_threads

    if options.kind == "predict":
        return _predict(options, line)
    use_threads(options.threads)
    study = analysis_of(options.kind)
    setup = setup_of(options, study, Path(options.out) / options.kind, line)
    look = look_of(options, setup.grid.models, {cell.noise for cell in setup.grid.cells})
    command = line.without("out")
    found = study.measure(setup)
    written = study.write_pages(found, setup, shlex.join(command), options.formats, look)
    kept = setup.out / "measured"
    records = setup.grid.facts(setup.device)
    written += write_study_readme(records, [*written, kept], setup.out, command)
    study.table(found, look).show()
    say_written(written, setup.out)


def _predict(options: AnalyseOptions, line: CommandLine) -> None:
    """What other analyses found, beside the scores of a results folder."""
    import shlex
    from pathlib import Path

    from benchmark.cells import ResultStore
    from benchmark.cli.objects.studies.analyses import look_of
    from benchmark.cli.output import say_written, write_study_readme
    from benchmark.cli.shown.options import stored_scores
    from benchmark.files.output import prepare
    from benchmark.studies.analyses import predict

    measured = ("model", "noise", "data", "levels", "layers", "crops", "side", "batch", "hidden")
    if given := line.given(*measured, "device", "threads"):
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
    look = look_of(options, *(set(scores.rows[column]) for column in ("model", "noise")))
    done = list(predict.predictions(found, *predict.scored(scores), seed=options.seed))
    command = shlex.join(line.without("out"))
    written = predict.write_pages(
        done, out / "predict", command, options.scores, options.formats, look
    )
    written += write_study_readme(scores.records, written, out / "predict", line.without("out"))
    predict.table(done).show()
    say_written(written, out / "predict")
