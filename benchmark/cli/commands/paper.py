"""``bench paper``: the paper on masked training, figure by figure and table by table."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, file_of_settings, group
from benchmark.objects.spec import Specs
from benchmark.training.recipe import Execution, Recipe


@dataclass(frozen=True)
class PaperOptions:
    """Which parts of the paper are made, of networks of which size, and where they lie.

    Parameters
    ----------
    only
        Of the figures and tables those which are made: [figure_11, table_3b]; or all.
    size
        Of the networks: tiny, which ship; small; published.
    data
        The images to test on: one name.
    make
        missing: what is not there, and what ends within seconds where it is; all: everything;
        none: only the page, from what is there.
    preset
        Of trainings, as bench train has it; not given, tiny for tiny networks, fast for small ones,
        paper for published ones.
    scores, ablations, analyses, training
        Folders where parts lie, or will: what bench run, bench ablate, bench analyse and bench
        train wrote to; null: of that name in OUT.
    out
        Gets README.md, explanations.csv, and a folder for each part that has none elsewhere.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    threads
        Of torch on the CPU; null is all cores.
    """

    only: tuple[str, ...] = ("all",)
    size: str = "tiny"
    data: Specs = group("photos")
    make: str = "missing"
    preset: str = file_of_settings("tiny")
    scores: str | None = None
    ablations: str | None = None
    analyses: str | None = None
    training: str | None = None
    out: str = "results/paper"
    device: str = "auto"
    threads: int | None = None
    recipe: Recipe = Recipe()
    execution: Execution = Execution()


@command("paper", first_word="only", goes_on=True)
def paper(options: PaperOptions, line: CommandLine) -> None:
    """The paper, figure by figure: ours, the published numbers, what differs, the commands.

      bench paper                                       all of it, with the tiny networks that ship
      bench paper figure_11 table_3c                    these alone; the page has what is there
      bench paper make=none                             the page anew, from what is there
      bench paper size=small minutes=60 out=results/paper_small    trains the networks first
      bench paper make=none scores=results/photos analyses=results/analyses

    Each part is made by commands of bench, given one after the other, which the page names. The
    page is written after each of them and says of every part whether it was made, found, is
    missing or failed, and why. Trainings take hours and are found where they are; what another
    command made is found as well, and that is said. Settings of bench train are those of trainings
    here. Run the same command again after an interruption: it goes on.
    """
    import shlex
    from pathlib import Path

    from benchmark.cli.exits import FAILED, stop
    from benchmark.cli.objects.studies.paper import (
        architecture_of,
        networks_of,
        plan_of,
        refuse_untold,
        scores_of,
    )
    from benchmark.cli.output import say_written
    from benchmark.files.output import prepare
    from benchmark.reporting.figures.saving import is_drawn
    from benchmark.studies.paper.making import MAKE, Outcomes, make_runs
    from benchmark.studies.paper.page import PAGE, TABLE, check_folder, lacking, write_page
    from benchmark.studies.paper.parts import chosen_parts
    from benchmark.studies.paper.shown import DRAWN, Gallery

    if options.make not in MAKE:
        raise ValueError(f"make={options.make} is unknown; choose one of: {', '.join(MAKE)}")
    parts, plan = chosen_parts(options.only), plan_of(options, line)
    if options.make != "none":
        refuse_untold(plan, options.data, parts)
    foreign = [path.name for path in plan.out.glob(DRAWN) if not is_drawn(path)]
    check_folder(plan)
    prepare(plan.out, {PAGE: "paper", TABLE: "explanations"}, foreign)
    command, outcomes = shlex.join(line.without("out")), {}
    gallery, networks = Gallery(plan, scores_of, architecture_of(plan)), networks_of(plan)

    def write(known: Outcomes) -> list[Path]:
        gallery.forget([*known][-1:])
        outcomes.update(known)
        return write_page(plan, gallery, *networks, command, outcomes)

    written = write({})
    if options.make != "none":
        make_runs(plan.runs_of(parts), options.make, write)
    say_written(written, plan.out)
    if options.make != "none" and (gone := lacking(plan, parts, outcomes)):
        said = ", ".join(f"{title} ({status})" for title, status in gone.items())
        stop(f"{len(gone)} of {len(parts)} parts are not there: {said}; {PAGE} says why", FAILED)
