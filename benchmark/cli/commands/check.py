"""``bench check``: are a model's scores still those of a committed baseline?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs

if TYPE_CHECKING:
    from benchmark.reporting.gate.baseline import Baseline, Line
    from benchmark.scoring.grid import Grid

SHIPPED = ("masked", "baseline", "idf", "dncnn", "dropout", "restormer", "ridnet", "rnan", "swinir")
FAMILIES = ("gaussian", "poisson", "correlated", "salt_and_pepper", "jpeg")


@dataclass(frozen=True)
class CheckOptions:
    """What is scored, what it is compared with, and what is written.

    Parameters
    ----------
    model
        Denoisers: a name, a list or all; if none is named, those of the baseline.
    noise
        Noises: a name, a formula, a list or all.
    data
        Images: a name, a list or all.
    metric
        Metrics: a name, a list or all.
    protocol
        How images are treated and compared, as of bench run.
    baseline
        The file of the scores as they should be, for version control.
    update
        Write that file from the scores of now, and say what has changed.
    levels
        middle: one level of each noise whose levels are not chosen; null: all of them.
    limit
        How many images, of a dataset without a limit of its own; null: all.
    crop
        Their sides in pixels, where the dataset's crop is not chosen; null: whole.
    seeds
        Noisy versions of every image, one each.
    speed
        Also time each model as a multiple of a fixed network; the baseline keeps it.
    max_slowdown
        1.5: fail where a model takes more than 1.5 times as long as the baseline says.
    junit
        A file for JUnit XML, a test case for each cell.
    summary
        A file for a page of Markdown.
    tile, precision
        As those of bench run.
    out
        A folder from which the same command goes on after it was stopped; null: a temporary one.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    threads
        Of torch on the CPU; null is all cores.
    """

    model: Specs = group(*SHIPPED)
    noise: Specs = group(*FAMILIES)
    data: Specs = group("photos")
    metric: Specs = group("psnr", "ssim")
    protocol: str = "masked"
    baseline: str = "noisebench-baseline.csv"
    update: bool = False
    levels: str | None = "middle"
    limit: int | None = 3
    crop: int | None = 80
    seeds: tuple[int, ...] = (0,)
    speed: bool = False
    max_slowdown: float | None = None
    junit: str | None = None
    summary: str | None = None
    tile: str = "auto"
    precision: str = "fp32"
    out: str | None = None
    device: str = "auto"
    threads: int | None = None


@command("check")
def check(options: CheckOptions, line: CommandLine) -> None:
    """Did a commit make a model worse? Scores of a golden subset against a committed file.

      bench check model=masked update=true           once: write noisebench-baseline.csv, commit it
      bench check                                    from then on, in CI: the models of that file
      bench check model=masked speed=true max_slowdown=1.5
      bench check model=masked junit=check.xml summary=check.md

    Weights and code of a model may change, and its scores are compared: cells are worse, missing,
    better, new or equal, or of other images, noise, metrics or protocol, which cannot be compared.
    The exit status is 1 if one is worse or missing, or too slow for max_slowdown. A score may move
    by half a unit of the last digit that tables show. A model which draws random numbers is scored
    ten times, and its mean may move by 5.8 of its standard deviations more, those which the
    baseline has. Whether a model keeps the contract of denoisers is another question: bench
    check-model.
    """
    from benchmark.cli.exits import FAILED, stop
    from benchmark.console.log import log
    from benchmark.environment.device import pick_device, use_threads
    from benchmark.files.output import prepare_file
    from benchmark.files.whole import write_whole
    from benchmark.reporting.gate import compare, outputs
    from benchmark.studies.gate import scored, speed

    _refuse_one_file_twice(options)
    for key, kind in (("junit", "junit"), ("summary", "check")):
        if name := getattr(options, key):
            prepare_file(key, name, kind)
    path, device = Path(options.baseline), pick_device(options.device)
    before = _before(path, options)
    use_threads(options.threads)
    if before.lines and not line.given("model"):
        options = replace(options, model=_models_of(before))
    if not options.update:
        compare.refuse_untimed(before.lines, options.model, options.max_slowdown)
    grid = _composed(options)
    with _working_folder(options.out) as folder:
        lines, failed = scored.score(grid, folder, device)
    if options.update and failed:
        raise ValueError(f"no baseline is written: {next(iter(failed.values()))}")
    timed = options.speed or options.max_slowdown is not None
    able = scored.without(grid, {cell.model for cell in failed})
    paces = compare.paces(before.lines, speed.measure_speed(able, device) if timed else {})
    slow = {} if options.update else compare.too_slow(paces, options.max_slowdown)
    scales = scored.scales_of(grid)
    compared = compare.compare(before.lines, lines, scales, failed)

    outputs.table(compared, scales).show()
    for pace in paces:
        log.info(outputs.pace_sentence(pace))
    # after an update, CI is told of the new baseline, to which everything is equal
    now = compare.compare(lines, lines, scales, {}) if options.update else compared
    if options.junit:
        write_whole(Path(options.junit), outputs.junit(now, paces, slow))
    if options.summary:
        page = outputs.markdown(now, scales, options.baseline, paces, slow)
        write_whole(Path(options.summary), page)
    if options.update:
        write_whole(path, _content(compare.with_paces(lines, before.lines, paces), line, device))
        log.info(f"written to {path}: {outputs.changes(compared)}")
        return
    for sentence in outputs.warnings(compared):
        log.info(sentence)
    log.info(f"{outputs.sentence(compared)}, compared with {path}")
    if broken := outputs.failures(compared, slow):
        others = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        made = f"; {path} was made with: {before.command}" if before.command else ""
        # no baseline is written of what fails
        meant = "" if failed else "; if that is meant, give the same command with update=true"
        stop(f"{broken[0]}{others}{meant}{made}", FAILED)
    compare.refuse_nothing_compared(compared, str(path))


def _composed(options: CheckOptions) -> "Grid":
    """What is scored; a model that its own code fails to make ends the check with status 1."""
    from benchmark.cli.exits import FAILED, stop
    from benchmark.cli.mistakes import explain
    from benchmark.cli.objects.golden import compose_golden
    from benchmark.console.log import log

    try:
        return compose_golden(options)
    except Exception as error:
        if explain(error) is not None:
            raise
        log.info("nothing was scored", exc_info=error)
        stop(f"nothing was scored: {type(error).__name__}: {error}", FAILED)


def _models_of(before: "Baseline") -> Specs:
    """The models of a baseline; ``ValueError`` for a variant, of which it says no settings."""
    from benchmark.cli.objects.specs import spec_of
    from benchmark.denoiser import DENOISERS

    names = list(dict.fromkeys(known.cell.model for known in before.lines))
    for name in names:
        if name not in DENOISERS:
            raise ValueError(
                f"the baseline has a model '{name}', which is none that is registered; give the "
                f"command that made it, without update=true: {before.command or 'bench check ...'}"
            )
    return {name: spec_of("model", name) for name in names}


def _refuse_one_file_twice(options: CheckOptions) -> None:
    """Raise ``ValueError`` if one file is to be two of baseline, JUnit XML and summary."""
    known: dict[Path, str] = {}
    for key in ("baseline", "junit", "summary"):
        if name := getattr(options, key):
            other = known.setdefault(Path(name).resolve(), key)
            if other != key:
                raise ValueError(
                    f"{other} and {key} are both {name}, and one would replace the other; "
                    f"name another file: {key}=FILE"
                )


def _before(path: Path, options: CheckOptions) -> "Baseline":
    """What there is of the baseline; an update does without one, and without a damaged one."""
    from benchmark.console.log import log
    from benchmark.files.output import prepare_file
    from benchmark.reporting.gate.baseline import Baseline, read_baseline

    if not options.update:
        return read_baseline(path)
    prepare_file("baseline", options.baseline, "baseline")
    if not path.exists() or not path.stat().st_size:
        return Baseline()
    try:
        return read_baseline(path)
    except ValueError as error:
        log.info(f"nothing is compared: {error}")
        return Baseline()


def _content(lines: "list[Line]", line: CommandLine, device: str) -> str:
    """The new baseline, with the command and the versions which made it."""
    import shlex

    from benchmark.environment.versions import describe_environment
    from benchmark.reporting.gate.baseline import baseline_text

    words = line.without("update", "junit", "summary", "out", "device", "max_slowdown")
    environment = describe_environment(device)
    facts = {name: environment[name] for name in ("noisebench", "torch", "device", "threads")}
    return baseline_text(lines, shlex.join([*words, "update=true"]), facts)


@contextmanager
def _working_folder(out: str | None) -> Iterator[Path]:
    """A folder for the cells of one check, which is removed as the check ends.

    What a killed check leaves in a folder of the user's is what the next one goes on from. One
    which still runs there is waited for.
    """
    import shutil
    from tempfile import TemporaryDirectory

    from benchmark.console.log import log
    from benchmark.files.lease import Leases
    from benchmark.files.output import prepare

    if out is None:
        with TemporaryDirectory(prefix="bench-check-") as folder:
            yield Path(folder)
        return
    folder = prepare(out) / "unfinished-check"
    with Leases().waiting(folder.with_suffix(".lease"), log.info):
        yield folder
        shutil.rmtree(folder)
