"""``bench ablate``: train variants of a network under one recipe, score and compare them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.cli.command import CommandLine, command, file_of_settings
from benchmark.cli.commands.train import TrainingOptions, TrainOptions
from benchmark.cli.objects.grid_options import GridOptions
from benchmark.objects.spec import Specs
from benchmark.studies.variants import Ablation


@dataclass(frozen=True)
class AblateOptions(TrainingOptions):
    """What an ablation is told beside that.

    Parameters
    ----------
    ablation
        A file of variants and of the question they answer.
    size
        null: the published one; tiny or small.
    runs
        Gets a folder for each training, as bench train writes them.
    out
        Gets ABLATION/README.md, its figures, the leaderboard and the cells.
    test_noise
        What to score on, beside test_data.
    test_data
        The images to score on.
    test_crop
        Height and width of what is cut from the middle of each; null leaves them whole.
    test_limit
        Only the first images.
    """

    ablation: Ablation = file_of_settings("masks")
    size: str | None = None
    runs: str = "runs/ablations"
    out: str = "results/ablations"
    test_noise: tuple[str, ...] = ("paper",)
    test_data: str = "kodak24"
    test_crop: int | None = 256
    test_limit: int | None = None


@command("ablate", first_word="ablation", goes_on=True)
def ablate(options: AblateOptions, line: CommandLine) -> None:
    """What a part of a network is for: variants trained alike, then scored.

      bench ablate masks                                the published size and budget
      bench ablate masks preset=fast minutes=60
      bench ablate input_ratio preset=tiny size=tiny steps=1500

    Variants which several ablations share are trained once; start= begins all of them with the same
    weights, so they have to be of one network and size. Run the same command again after an
    interruption: it goes on from its last state, and scores no cell twice. noise and data are what
    is trained on.
    """
    import shlex
    import sys

    from benchmark.cli.objects.grid import compose_grid
    from benchmark.cli.objects.training import check_training, compose_training
    from benchmark.cli.output import say_written
    from benchmark.console.log import log, show
    from benchmark.environment.device import pick_device, use_threads
    from benchmark.objects.building import build
    from benchmark.studies import comparison
    from benchmark.training.distributed import process_group

    use_threads(options.threads)
    ablation = options.ablation
    with process_group(pick_device(options.device)) as processes:
        show(quiet=not processes.is_main)
        folder = comparison.folder_of(ablation, options.out)
        if processes.is_main:
            comparison.prepare_page(ablation, options.out)
        tested = _tested(options, {}, processes.device)  # first: a mistake in it costs no training
        comparison.check_tested(ablation, build(tested.noise))
        build(tested.data)[options.test_data].images()
        trainings = {name: _training(options, name) for name in ablation.variants}
        for name, training in trainings.items():
            try:
                check_training(training)
            except ValueError as error:
                raise ValueError(f"variant '{name}': {error}") from None
        if processes.is_main:  # what lies in the folder may be of other images, or other weights
            comparison.score(compose_grid(tested), folder, processes.device)
            weights = {n: Path(options.runs) / n / f"{n}.safetensors" for n in trainings}
            if other := comparison.of_other_weights(folder, weights):
                names = ", ".join(other)
                log.info(
                    f"{folder} has scores of {names} by other weights than {options.runs} has; "
                    f"where these do not become the same, choose another folder: out=FOLDER"
                )
        trained = comparison.train_variants(
            ablation, lambda name: compose_training(trainings[name], processes)
        )
        if isinstance(trained, int):
            log.info("stopped; the same command goes on from there")
            sys.exit(128 + trained)
        if processes.is_main:
            grid = compose_grid(_tested(options, trained, processes.device))
            comparison.score(grid, folder, processes.device)
            words = shlex.join(line.without("out", "runs"))
            written = comparison.write_page(
                ablation, grid, folder, options.test_data, processes.device, words
            )
            say_written(written, folder)


def _training(options: AblateOptions, name: str) -> TrainOptions:
    """The training of one variant: what all share, then what is its own."""
    from benchmark.cli.objects.options import changed
    from benchmark.cli.objects.specs import by_name, sized_spec

    variant = options.ablation.variants[name]
    shared = {key: getattr(options, key) for key in TrainingOptions.__dataclass_fields__}
    model = {name: sized_spec(name, variant.model, options.size)}
    training = TrainOptions(**shared, model=model, out=options.runs)
    if variant.data is not None:
        training = replace(training, data=by_name("data", variant.data))
    own = dict(variant.settings)
    if "noise" in own:
        training = replace(training, noise=_noises((str(own.pop("noise")),)))
    return changed(training, own)


def _tested(options: AblateOptions, weights: Mapping[str, Path], device: str) -> GridOptions:
    """The run which scores the variants."""
    from benchmark.cli.objects.specs import by_name, spec_of

    variants = options.ablation.variants
    images = {"crop": options.test_crop, "limit": options.test_limit}
    return GridOptions(
        model={
            name: spec_of("model", name, {"of": variants[name].of, "weights": str(path)})
            for name, path in weights.items()
        },
        noise=_noises(options.test_noise),
        data={options.test_data: spec_of("data", options.test_data, images)},
        metric=by_name("metric", ("psnr", "ssim")),
        device=device,
    )


def _noises(chosen: tuple[str, ...]) -> Specs:
    """The noises of names, suites and formulas."""
    from benchmark.cli.objects.specs import spec_of
    from benchmark.noise.formula import as_choice, chosen_levels
    from benchmark.noise.grammar import is_formula
    from benchmark.objects.registries import suites

    names = [member for name in chosen for member in suites().get(name, [name])]
    noises = dict(as_choice(name) if is_formula(name) else (name, {}) for name in names)
    noises |= {name: {"levels": levels} for name, levels in chosen_levels(names).items()}
    return {name: spec_of("noise", name, settings) for name, settings in noises.items()}
