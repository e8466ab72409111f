"""What an object is identified by: its settings as plain values, and how two of them differ."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmark.files.whole import file_hash
from benchmark.signature import keywords_of

GIVEN = "python:"  # how the class begins of an object which no registered name stands for
KINDS = ("located", "files", "in_key", "later")  # what a class declares of its settings, by name

Settings = dict[str, Any]


def identity_of(cls: type, settings: Mapping[str, object]) -> Settings:
    """What is recorded of an object: everything its scores depend on, and nothing else.

    A class says which of its settings do not count as they stand: those in ``located`` only say
    where something lies and are left out; those in ``files`` name a file, or several, whose content
    counts, and become ``sha256:`` and its hash; those in ``in_key`` are told by the cell's key and
    are left out; those in ``later`` came after scores were stored without them, and are left out
    while they have their default, so that those scores stay what they are. Each is a tuple of names
    and holds for subclasses as well; where a subclass declares the same setting otherwise, its word
    counts. A class whose settings name other classes, as a formula's do, says by a class method
    ``identity_within`` what is recorded of them.

    Parameters
    ----------
    settings
        Of one object of the class, by their names. None and "" name no file.

    Raises
    ------
    ValueError
        If a file cannot be read, or the class declares a setting which it does not have.
    """
    kinds, keywords = declared(cls, settings), keywords_of(cls)

    def told_elsewhere(key: str, value: object) -> bool:
        if kinds.get(key) == "later" and key in keywords:
            return value == keywords[key][0].default
        return kinds.get(key) in ("located", "in_key")

    recorded = {
        key: content_of(cls, key, value) if kinds.get(key) == "files" else value
        for key, value in settings.items()
        if not told_elsewhere(key, value)
    }
    within = getattr(cls, "identity_within", None)
    return within(recorded) if within else recorded


def declared(cls: type, settings: Iterable[str] = ()) -> dict[str, str]:
    """What a class declares of its settings: the name of each, and which of `KINDS` it is.

    Parameters
    ----------
    settings
        Names of settings which it has beside those of its constructor.

    Raises
    ------
    ValueError
        If it declares one which neither it nor the class it inherits that from has, one as two
        kinds, or if a declaration is no tuple of names.
    """
    ours = {*keywords_of(cls), *settings}
    kinds: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        here: dict[str, str] = {}
        for kind in KINDS:
            for name in _names(owner, kind, ours):
                known = name in ours or name in keywords_of(owner) or kind == "in_key"
                if not known:
                    raise ValueError(
                        f"{_address(owner)} declares {kind} = ('{name}',), but {_address(cls)} has "
                        f"no setting '{name}', only {', '.join(sorted(ours)) or 'none'}; its "
                        f"author should correct the name"
                    )
                if here.setdefault(name, kind) != kind:
                    raise ValueError(
                        f"{_address(owner)} declares its setting '{name}' as {here[name]} and as "
                        f"{kind}; its author should decide for one"
                    )
        kinds |= here
    return kinds


def content_of(cls: type, key: str, value: object) -> object:
    """``sha256:`` and the hash of the file, or files, which a setting names; None and "" as is.

    Raises
    ------
    ValueError
        If a value is no path of a file, or the file cannot be read.
    """
    if value is None or value == "":
        return value
    if isinstance(value, list | tuple):
        return tuple(content_of(cls, key, item) for item in value)
    given = f"'{_name(cls)}' was given {key}={value}"
    cure = f"name a file whose content it is to use: {key}=FILE"
    if not isinstance(value, str | Path):
        raise ValueError(f"{given}, which is no path; {cure}")
    try:
        path = Path(value).expanduser()
        if path.is_dir():
            raise ValueError(f"{given}, but {path} is a folder; {cure}")
        if not path.exists():
            raise ValueError(f"{given}, but there is no file {path}; {cure}")
        if not path.is_file():
            raise ValueError(f"{given}, but {path} is no regular file; {cure}")
        return f"sha256:{file_hash(path)}"
    except (OSError, RuntimeError) as error:  # the latter for the home of an unknown user
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{given}, which cannot be read ({reason}); {cure}") from None


def joined(what: str, settings: Mapping[str, object], facts: Mapping[str, object]) -> Settings:
    """Settings of an object and further facts of it, no name standing for both.

    Raises
    ------
    ValueError
        If a setting has the name of a fact: either would hide the other.
    """
    for name in settings.keys() & facts.keys():
        raise ValueError(
            f"{what} has a setting '{name}' of its own, under which name a cell records another "
            f"thing; its author should rename that setting"
        )
    return {**settings, **facts}


def _names(owner: type, kind: str, ours: set[str]) -> tuple[str, ...]:
    """What a class itself declares of one kind; a method of that name declares nothing."""
    names = vars(owner).get(kind, ())
    if kind in ours and names:
        raise ValueError(
            f"{_address(owner)} has a setting called '{kind}', which is how a class declares what "
            f"its settings are; its author should rename it"
        )
    if isinstance(names, str) or (
        isinstance(names, list | tuple) and not all(isinstance(name, str) for name in names)
    ):
        raise ValueError(
            f"{_address(owner)} declares {kind} = {names!r}, which should be a tuple of names of "
            f"settings: {kind} = ('path',)"
        )
    return tuple(names) if isinstance(names, list | tuple) else ()


def _name(cls: type) -> str:
    return getattr(cls, "name", None) or cls.__qualname__


def _address(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def plain(value: object) -> Any:
    """A value as JSON gives it back: mappings as dicts, tuples as lists, all the way down."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def differences(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Settings that differ, each as ``model.weights 'a' (now 'b')``; lists count as a whole.

    One which only one side has is ``absent`` on the other.
    """
    changes = []
    for key in {**before, **now}:
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changes += [f"{key}.{change}" for change in differences(old, new)]
        elif old != new or (key in before) != (key in now):
            old, new = (repr(one[key]) if key in one else "absent" for one in (before, now))
            changes.append(f"{key} {old} (now {new})")
    return changes


def digest_of(identities: Iterable[str]) -> str:
    """SHA-256, in hexadecimal, of images that `Dataset.identities` describes."""
    total = hashlib.sha256()
    for identity in identities:
        total.update(identity.encode())
    return total.hexdigest()


def short_digest(identity: str) -> str:
    """16 hexadecimal digits for one image, as its row in a cell's file has them."""
    return digest_of([identity])[:16]
