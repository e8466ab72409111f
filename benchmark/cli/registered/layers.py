"""The layers of a network: the table of ``bench list layers``."""

from rich.table import Table

from benchmark.analysis.activations import INPUT, chosen_layers
from benchmark.cli.objects.specs import spec_of
from benchmark.cli.registered.plugins import load_fitting_plugins
from benchmark.objects.building import build_one


def layers_of(model: str, weights: str | None = None) -> Table:
    """Every module of a network by its name, in their order, the analysed ones marked.

    Raises
    ------
    ValueError
        If there is no such model, or no weights for it, or if it has no layers.
    """
    load_fitting_plugins()
    network = build_one(spec_of("model", model, {} if weights is None else {"weights": weights}))
    if not any(name for name, _ in network.named_modules()):
        raise ValueError(f"'{model}' has no layers; choose a network: bench list model")
    analysed = chosen_layers(network)
    title = f"layers of {model}; + is analysed, by its output or its input"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2), show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_column()
    for name, module in network.named_modules():
        marks = [mark for mark, key in (("+", name), ("+ input", name + INPUT)) if key in analysed]
        if name:
            table.add_row(", ".join(marks), name, type(module).__name__)
    return table
