"""``bench list``: everything that is registered, ours and the plugins'."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command


@dataclass(frozen=True)
class ListOptions:
    """What is listed.

    Parameters
    ----------
    kind
        noise, model, data, metric, or all of them; a name, of which is shown what its settings
        mean; fetch, what bench fetch brings; or layers, those of one network.
    model
        The network whose layers are listed.
    weights
        Its file; by default the one which ships.
    """

    kind: str = "all"
    model: str = "masked"
    weights: str | None = None


@command("list", first_word="kind", loads=False)
def show_list(options: ListOptions, line: CommandLine) -> None:
    """Everything registered: noises with levels and units, models, datasets, metrics.

    bench list
    bench list data                  one kind of: noise, model, data, metric
    bench list isp                   what a name is, and what each of its settings means
    bench list fetch                 what bench fetch brings, on what terms, what is there
    bench list layers model=masked   a network's layers, the analysed ones marked
    """
    from benchmark.cli.registered.listing import listing
    from benchmark.console.log import console

    if options.kind == "layers":
        from benchmark.cli.registered.layers import layers_of  # loads torch

        console().print(layers_of(options.model, options.weights))
        return
    if given := line.given("model", "weights"):
        raise ValueError(f"{' '.join(given)} is for: bench list layers")
    if options.kind == "fetch":
        from benchmark.cli.registered.fetchable import fetchable

        console().print(fetchable())
        return
    if named := [group for group, of in line.catalogue.groups.items() if options.kind in of]:
        from benchmark.cli.registered.described import described  # loads torch

        console().print(described(named[0], options.kind))  # one: recorded noise is data as well
        return
    for kind in line.catalogue.groups if options.kind == "all" else [options.kind]:
        console().print(listing(kind, line.catalogue))
