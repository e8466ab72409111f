"""``bench list``: everything that is registered, ours and the plugins'."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command


@dataclass(frozen=True)
class ListOptions:
    """What is listed.

    Parameters
    ----------
    kind
        noise, model, data, metric, or all of them.
    """

    kind: str = "all"


@command("list", first_word="kind", loads=False)
def show_list(options: ListOptions, line: CommandLine) -> None:
    """Everything registered: noises with levels and units, models, datasets, metrics.

    bench list
    bench list data         one kind of: noise, model, data, metric
    """
    from benchmark.cli.registered.listing import listing
    from benchmark.console.log import console

    for kind in line.catalogue.groups if options.kind == "all" else [options.kind]:
        console().print(listing(kind, line.catalogue))
