"""Labels and looks of one's own: from a YAML file, and labels from a command line."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.cells.scores import label_of
from benchmark.files.names import PICTURES
from benchmark.registry import did_you_mean
from benchmark.reporting.figures.style import Style
from benchmark.reporting.selection import check_name
from benchmark.reporting.statistics.trainings import network_of

OF_FILE = ("models", "noises", "columns")
OF_MODEL = ("label", "colour", "marker")
OF_NOISE = ("label",)


def read_style(
    path: str | Path, models: Collection[str], noises: Collection[str]
) -> tuple[dict[str, str], Style]:
    """The labels by model and noise, and the style of figures, which a YAML file holds.

    Its keys are ``models`` (by name ``label``, ``colour``, ``marker``), ``noises`` (by name
    ``label``) and ``columns``; each may be left out.

    A paper has one such file for several folders, so a name without scores is only warned of.

    Parameters
    ----------
    models, noises
        All that there are; a training, as ``masked@1``, has the looks of its network.

    Raises
    ------
    ValueError
        If the file is missing or no such YAML, a key is unknown, a label is none or another's, or
        as `benchmark.reporting.figures.style.Style`.
    """
    try:
        given = _mapping(_yaml(Path(path)), OF_FILE)
        of_models = _entries(given, "models", OF_MODEL)
        of_noises = _entries(given, "noises", OF_NOISE)
        texts = {
            key: {name: own[key] for name, own in (of_models | of_noises).items() if key in own}
            for key in OF_MODEL
        }
        _check_labels(texts["label"], models, noises)
        style = Style(texts["colour"], texts["marker"], given.get("columns", 0))
    except ValueError as error:
        raise ValueError(f"style={path}: {error}") from None
    for kind, own, known in (
        ("model", of_models, _with_networks(models)),
        ("noise", of_noises, noises),
    ):
        for name in own:
            try:
                check_name(kind, name, known)
            except ValueError as error:
                warnings.warn(f"style={path}: {error}", stacklevel=2)
    return texts["label"], style


def read_labels(
    given: Sequence[str],
    models: Collection[str],
    noises: Collection[str],
    others: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Labels by model or noise, from texts such as ``masked: Masked (ours)``.

    Parameters
    ----------
    models, noises
        All that there are.
    others
        Labels of what no text names, such as those of a file.

    Raises
    ------
    ValueError
        If a text is none of these, a name has no scores or two labels, or a label is another's.
    """
    pairs: dict[str, str] = {}
    known = [*_with_networks(models), *noises]
    for text in given:
        name, _, label = (" ".join(part.split()) for part in text.partition(":"))
        if not name or not label:
            raise ValueError(
                f"labels has '{text}', which is no NAME: LABEL, such as 'masked: Masked (ours)'"
            )
        if len(label) > 2 and label[0] == label[-1] and label[0] in "'\"":
            label = label[1:-1]
        check_name("model or noise", name, known)
        if name in pairs:
            raise ValueError(f"labels calls {name} both '{pairs[name]}' and '{label}'; give it one")
        pairs[name] = label
    labels = {**(others or {}), **pairs}
    _check_labels(labels, models, noises)
    return labels


def _yaml(path: Path) -> object:
    import yaml

    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except RecursionError:
        raise ValueError("the file is no such YAML: its lists lie too deep in each other") from None
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"the file is no YAML: {' '.join(str(error).split())}") from None


def _entries(given: Mapping[str, Any], part: str, keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """The texts of each model or noise, by name and key."""
    entries, found = _mapping(given.get(part, {}), None, f"{part} is"), {}
    for name, own in entries.items():
        found[name] = {}
        for key, text in _mapping(own, keys, f"{part}: {name} is").items():
            if not isinstance(text, str) or not text.strip():
                what = f"; a text with # stands in quotes: \"{key}: '#CC3311'\"" * (text is None)
                raise ValueError(f"{part}: {name}: {key} is no text, but {text}{what}")
            found[name][key] = " ".join(text.split())  # a line of a page, and of a table
    return found


def _mapping(given: object, keys: Sequence[str] | None, what: str = "the file is") -> Any:
    """A mapping of YAML, with no other keys than these, if it has any in particular."""
    if not isinstance(given, Mapping):
        names = ", ".join(f"{key}: ..." for key in keys or ("NAME",))
        raise ValueError(f"{what} no list of {names}")
    for key in map(str, given):
        if keys is not None and key not in keys:
            raise ValueError(
                f"unknown key '{key}'{did_you_mean(key, keys)} Known: {', '.join(keys)}"
            )
    return {str(key): value for key, value in given.items()}


def _with_networks(models: Collection[str]) -> list[str]:
    """Every name that a model may be called by: its own and its network's."""
    return sorted({every for name in models for every in (name, network_of(name))})


def _check_labels(
    labels: Mapping[str, str], models: Collection[str], noises: Collection[str]
) -> None:
    """Raise ``ValueError`` if two models, two noises, or a model and a picture had one name."""
    for name in _with_networks(models):
        if label_of(name, labels).lower() in PICTURES:
            raise ValueError(
                f"{name} would be called '{label_of(name, labels)}', as a picture beside those of "
                f"the models is; give it another label"
            )
    for names in (_with_networks(models), noises):
        by_label: dict[str, str] = {}
        for name in names:
            label = label_of(name, labels)
            other = by_label.setdefault(label, name)
            if other != name:
                raise ValueError(
                    f"{other} and {name} would both be called '{label}'; give them labels which "
                    f"differ"
                )
