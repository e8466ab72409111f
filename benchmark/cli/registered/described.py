"""One registered name: what it is, and what each of its settings means, as its class says."""

import inspect
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from benchmark.cli.registered.plugins import load_fitting_plugins
from benchmark.docstrings import Docstring, read, without_marks
from benchmark.objects.building import settable
from benchmark.objects.registries import registry_of
from benchmark.signature import settings_of, spelled

COMMON = {  # settings which need no word in each class
    "weights": "A file, the name of one that comes along, or published; null: those that ship.",
    "levels": "How strong the noise is, mildest first.",
    "border": "Pixels left out at each side of an image; null: as many as the protocol says.",
}


def described(group: str, name: str) -> RenderableType:
    """What ``bench list tv`` shows of a name of a group."""
    load_fitting_plugins()
    cls = registry_of(group)[name]
    own, all_of_them = settable(cls), settings_of(cls)
    parts: list[RenderableType] = [f"[bold]{group}={name}[/bold]"]
    parts += [Padding(escape(text), (0, 0, 1, 2)) for text in _paragraphs(read(cls))]
    for title, known in (
        ("settings", own),
        ("settings in training", {k: v for k, v in all_of_them.items() if k not in own}),
    ):
        if known:
            table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
            table.add_column(style="bold", overflow="fold")
            table.add_column(overflow="fold")
            for key, (_, default) in known.items():
                table.add_row(escape(f"{key}={spelled(default)}"), escape(_meaning(cls, key)))
            parts.append(table)
    return Group(*parts)


def _paragraphs(said: Docstring) -> Iterator[str]:
    for text in said.paragraphs:
        plain = without_marks(text)
        yield plain if text.startswith(" ") else " ".join(plain.split())


def _meaning(cls: type, key: str) -> str:
    """What the class says of a setting, or the one that it has it of; empty if nothing."""
    for kind in inspect.getmro(cls):
        for names, text in read(kind).parameters:
            listed = [one.strip(" *") for one in names.split(":")[0].split(",")]
            if key in listed and not text.startswith("See `"):
                return without_marks(text)
    return COMMON.get(key, "")
