"""What ``bench --help`` and ``bench COMMAND --help`` print, from descriptions and the catalogue."""

from collections.abc import Iterable, Mapping
from textwrap import indent, wrap

from benchmark import __version__
from benchmark.cli.command import Command
from benchmark.cli.registered.catalogue import Catalogue, Entry
from benchmark.cli.words.known import names_of_files
from benchmark.signature import spelled

WIDTH = 100
QUESTION = "how well does a denoiser do on noise it was never trained on?"

END = """bench COMMAND --help says which settings a command takes; with --cfg job it prints them as
they are, and does nothing else. eval "$(bench --completion)" makes bash complete the words.

Exit status: 0; 1 where a check did not hold (check, check-model, repro, diff fail=true) or
noisebench itself is wrong, which shows a traceback; 2 for a mistake, with a sentence that says what
to do; 130 and 143 where SIGINT (Ctrl-C) or SIGTERM stopped it; 141 where nobody reads its output
any more (| head)."""


def usage(commands: Mapping[str, Command]) -> str:
    """The help of ``bench`` itself: each command with an example and its sentence."""
    rows = [(command.example, command.sentence) for command in commands.values()]
    title = f"noisebench {__version__} - {QUESTION}"
    return f"{title}\n\n{_rows(rows)}\n\n{END}"


def help_of(command: Command, catalogue: Catalogue) -> str:
    """The help of a command: its docstring, then every option with its default and description."""
    sentence, _, rest = command.help.partition("\n")
    parts = [f"bench {command.name} - {sentence.rstrip('.')}"]
    for paragraph in rest.strip("\n").split("\n\n"):
        parts.append(indent(paragraph, "  ") if paragraph.startswith("bench ") else paragraph)
    parts.append(f"Settings and their defaults:\n\n{_rows(defaults_of(command))}")
    names = {name: names_of_files(name) for name in command.files}
    names |= {group: catalogue.offered(group, command.trains) for group in command.groups}
    if names:
        parts.append(
            f"Names:\n\n{_rows((name, ', '.join(known)) for name, known in names.items())}"
        )
    if command.groups:
        group, entry = _example(command, catalogue)
        key, (_, default) = next(iter(entry.settings.items()))
        parts.append(
            f"A name has settings of its own, such as {group}.{entry.name}.{key}={default}; bench "
            f"list {group} has them."
        )
    return "\n\n".join(part for part in parts if part)


def defaults_of(command: Command) -> list[tuple[str, str]]:
    """Each option of a command as it is typed, with its default, and what it means."""
    chosen = {
        **command.files,
        **{name: _chosen(names) for name, names in command.groups.items()},
        **{name: spelled(default) for name, (_, default) in command.settings.items()},
    }
    return [(f"{name}={value}", command.descriptions[name]) for name, value in chosen.items()]


def _chosen(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else spelled(names)


def _example(command: Command, catalogue: Catalogue) -> tuple[str, Entry]:
    """A group and an entry of it which has settings."""
    entries = (
        (group, entry)
        for group in command.groups
        for name, entry in catalogue.groups[group].items()
        if name in catalogue.offered(group, command.trains)
    )
    return next((group, entry) for group, entry in entries if entry.settings)


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    """Two columns, the second one wrapped; a long first one gets a line of its own."""
    rows = list(rows)
    column = min(34, max(len(left) for left, _ in rows)) + 4
    lines = []
    for left, right in rows:
        wrapped = wrap(right, WIDTH - column) or [""]
        if len(left) + 4 > column:
            lines.append(f"  {left}")
            left = ""
        lines.append(f"  {left}".ljust(column) + wrapped[0])
        lines += [" " * column + line for line in wrapped[1:]]
    return "\n".join(line.rstrip() for line in lines)
