"""Completion in bash: ``eval "$(bench --completion)"``; the words are those of the catalogue."""

from collections.abc import Iterator, Mapping

from benchmark.cli.command import Command
from benchmark.cli.registered.catalogue import GROUPS, Catalogue, open_catalogue
from benchmark.cli.words.known import names_of_files

# bash cuts words at "=" and ":", so that what stands before is no part of an answer
BASH = r"""_bench() {
    local line=${COMP_LINE:0:COMP_POINT} cut=$'\n'
    local word=${line##* }
    local before=${word%"${word##*[=:]}"}
    COMPREPLY=()
    while IFS= read -r cut; do
        COMPREPLY+=("${cut#"$before"}")
    done < <("${COMP_WORDS[0]}" --complete "$line" 2>/dev/null)
}
complete -o nospace -o default -F _bench bench"""


def completions(line: str, commands: Mapping[str, Command]) -> list[str]:
    """What the last word of a line, which begins with ``bench``, can become."""
    _, *words = line.split(" ")
    before = [word for word in words[:-1] if word]
    last = words[-1] if words else ""
    if not before:
        return [f"{name} " for name in commands if name.startswith(last)]
    if before[0] not in commands:
        return []
    candidates = _words(commands[before[0]], open_catalogue(), last, first=len(before) == 1)
    return sorted(word for word in set(candidates) if word.startswith(last))


def _words(command: Command, catalogue: Catalogue, last: str, first: bool) -> Iterator[str]:
    names = {group: catalogue.offered(group, command.trains) for group in command.groups}
    names |= {name: names_of_files(name) for name in command.files}
    key, sign, _ = last.partition("=")
    if sign:
        head = f"{key}=[" if last.startswith(f"{key}=[") else f"{key}="
        head = last.rpartition(",")[0] + "," if "," in last else head
        yield from (head + name for name in names.get(key, ()))
        return
    if first and command.first_word:
        yield from (f"{name} " for name in names.get(command.first_word, (*GROUPS, "all")))
    yield from (f"{name}=" for name in (*names, *command.settings))
    group, _, rest = last.partition(".")
    for name in names.get(group, ()) if rest and group in command.groups else ():
        settings = catalogue.settings_of(group, name, command.trains) or {}
        yield from (f"{group}.{name}.{key}=" for key in settings)
