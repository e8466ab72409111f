"""``bench train``: train one network and export it as a safetensors file."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, file_of_settings, group
from benchmark.objects.spec import Specs
from benchmark.training.recipe import Execution, Recipe

WATCHED = (  # what a training validates on, beside its own noise: the hardest of the paper's levels
    "gaussian(50)",
    "correlated(55)",
    "poisson(3.5)",
    "salt_and_pepper(0.02)",
    "speckle(0.04)",
)


@dataclass(frozen=True)
class TrainingOptions:
    """What trainings are told, whichever command starts them.

    Parameters
    ----------
    preset
        A file of settings: paper is the published recipe, fast is for a GPU, tiny for a CPU.
    noise
        The noise to train on.
    data
        The images to train on.
    level
        Strength of the training noise, in its unit; null: the one of noise='gaussian(25)', or 15 of
        gaussian.
    watch
        Noises to validate on beside it.
    held_out
        Images kept out of training for that; null: 8, or a 16th of few.
    start
        Weights of the same network to begin with, instead of random ones: a file, the name of
        some that noisebench comes with (``masked_small``), or ``published``.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    threads
        Of torch on the CPU; null is all cores.
    """

    preset: str = file_of_settings("paper")
    noise: Specs = group("gaussian")
    data: Specs = group("bsds400", "extra_train")
    level: float | None = None
    watch: tuple[str, ...] = WATCHED
    held_out: int | None = None
    start: str | None = None
    device: str = "auto"
    threads: int | None = None
    recipe: Recipe = Recipe()
    execution: Execution = Execution()


@dataclass(frozen=True)
class TrainOptions(TrainingOptions):
    """What one training is told beside that.

    Parameters
    ----------
    model
        The network, with its whole signature as settings; NAME_tiny is its small one.
    out
        Gets NAME/NAME.safetensors, best.safetensors, log.csv, validation.csv, and state-STEP.pt,
        which the training goes on from and which is not for git.
    """

    model: Specs = group("masked", trained=True)
    out: str = "runs"


@command("train", goes_on=True)
def train(options: TrainOptions, line: CommandLine) -> None:
    """Train one network; the defaults are the published recipe.

      bench train model=dncnn
      bench train preset=fast minutes=30 model=masked        a budget in time
      bench train preset=tiny model=masked_tiny              minutes on a CPU
      bench train model=masked 'model.masked.input_ratio=[70,80]'
      bench train model=baseline noise=speckle level=0.03    an oracle, trained on a test noise
      bench train model=baseline data=folder data.folder.path=my/photos
      torchrun --nproc-per-node 4 -m benchmark.cli train     four GPUs; several nodes likewise

    Run the same command again after an interruption: it goes on from its last state, to the same
    weights. SIGTERM, as Slurm sends it, makes it save and stop. bench report out=OUT draws the
    curves of all trainings in a folder.
    """
    import shlex
    import sys

    from benchmark.cli.objects.training import compose_training
    from benchmark.console.log import log, show
    from benchmark.environment.device import pick_device, use_threads
    from benchmark.files.output import prepare
    from benchmark.training.distributed import process_group

    if len(options.model) != 1:
        raise ValueError("bench train takes one model at a time")
    use_threads(options.threads)
    with process_group(pick_device(options.device)) as processes:
        show(quiet=not processes.is_main)
        training = compose_training(options, processes)
        if processes.is_main:
            prepare(options.out)
        result = training.run()
        if not result.is_finished:
            log.info(f"stopped at step {result.history.step}; the same command goes on from there")
            sys.exit(128 + (result.signal or 0))
    of, path = training.network.name, training.folder / f"{training.folder.name}.safetensors"
    mine = shlex.quote(f"+model.mine={{of: {of}, weights: {path}}}")
    small = "noise=gaussian data.photos.limit=2"  # all noises take hours
    if training.network.image_channels == 1:
        small += " protocol='masked(grey=true)'"
    log.info(
        f"wrote {path}; score it with: bench run model=identity {mine} {small}; its curves: "
        f"bench report out={shlex.quote(options.out)}"
    )
