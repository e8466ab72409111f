"""A class's constructor as settings: keywords that a config can hold, and values they take."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import field, make_dataclass
from types import SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

SCALARS = (bool, int, float, str)
INSTANCES = {float: (int, float), dict: Mapping}
Parameters = dict[str, tuple[object, object]]  # keyword to its annotation and default


def settings_of(cls: type) -> Parameters:
    """A class's keywords, each with its type and its default; see `keywords_of`.

    Raises
    ------
    ValueError
        If a keyword has no annotation or default, or one that a config cannot hold; the message
        names class and keyword.
    """
    found = {}
    for name, (parameter, constructor) in keywords_of(cls).items():
        problem = None
        if parameter.default is parameter.empty or parameter.annotation is parameter.empty:
            problem = "needs an annotation and a default, since the signature is the config"
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            problem = "cannot be given by its name"
        else:
            try:
                annotation = _evaluated(parameter.annotation, constructor)
                plain_type(annotation)
            except (NameError, AttributeError, SyntaxError, TypeError, ValueError) as error:
                problem = f"has a type that a config cannot hold: {error}"
        if problem:
            raise ValueError(f"{cls.__module__}.{cls.__qualname__}: keyword '{name}' {problem}")
        found[name] = (annotation, parameter.default)
    return found


def keywords_of(cls: type) -> dict[str, tuple[inspect.Parameter, Callable[..., None]]]:
    """The named parameters of a class's constructor, each with the constructor that declares it.

    One which takes ``**settings`` hands them to the next in the order of inheritance, whose own
    keywords come first.
    """
    found = {}
    for owner in cls.__mro__:
        if "__init__" not in vars(owner):
            continue
        constructor = inspect.unwrap(vars(owner)["__init__"])
        _, *parameters = inspect.signature(constructor).parameters.values()
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        found = {p.name: (p, constructor) for p in named} | found
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def _evaluated(annotation: object, constructor: object) -> object:
    """An annotation which may be a text, as in a module with postponed annotations."""
    holder = SimpleNamespace(__annotations__={"keyword": annotation})
    return get_type_hints(holder, getattr(constructor, "__globals__", {}))["keyword"]


def plain_type(annotation: object) -> Any:
    """The type of a config's field: ``tuple[float, ...]`` as ``list[float]``, texts for choices.

    Raises
    ------
    ValueError
        If a config cannot hold values of this type.
    """
    name = getattr(annotation, "__name__", None) if isinstance(annotation, type) else None
    said = name if name and not get_args(annotation) else str(annotation).replace("typing.", "")
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        if not all(isinstance(choice, str) for choice in arguments):
            raise ValueError(f"{said} has choices which are no texts")
        return str
    if origin in (tuple, list):
        kinds = {kind for kind in arguments if kind is not ...}
        if len(kinds) != 1:
            raise ValueError(f"{said} holds values of several types")
        kind = plain_type(kinds.pop())
        if kind not in SCALARS:
            raise ValueError(f"{said} holds no numbers or texts")
        return list[kind]
    if origin in (Union, UnionType):
        inner = [kind for kind in arguments if kind is not type(None)]
        if len(inner) > 1:
            raise ValueError(f"{said} has several types")
        return plain_type(inner[0]) | None
    mapping = origin is dict and arguments[0] is str
    if annotation not in SCALARS and not mapping:
        raise ValueError(
            f"{said} is none of bool, int, float, str, a Literal of texts, a tuple of one of them, "
            f"a dict with texts as keys"
        )
    return annotation


def spelled_type(annotation: object) -> str:
    """A type of `plain_type` as it is written: ``list[float]``, ``str | None``."""
    return annotation.__name__ if annotation in SCALARS else str(annotation)


def choices_of(annotation: object) -> tuple[str, ...]:
    """The texts that a keyword, or each item of it, is one of; empty where any text will do."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(choice for inner in get_args(annotation) for choice in choices_of(inner))


def is_list(annotation: object) -> bool:
    """Whether a keyword takes a list, or a list or None."""
    if get_origin(annotation) in (Union, UnionType):
        return any(map(is_list, get_args(annotation)))
    return get_origin(annotation) in (tuple, list)


def check_values(where: str, parameters: Parameters, values: Mapping[str, object]) -> None:
    """Raise ``ValueError`` for a text which is no choice, and for a list inside a list.

    Parameters
    ----------
    where
        What stands before a keyword in the message: ``"noise.speckle."``.
    values
        By keyword, lists as lists or tuples; of the types of `plain_type`.
    """
    for key, (annotation, _) in parameters.items():
        value = values.get(key)
        items = value if isinstance(value, list | tuple) else [value]
        if is_list(annotation) and any(isinstance(item, list | tuple | dict) for item in items):
            raise ValueError(
                f"{where}{key} is one list, got another one inside it: {spelled(value)}; write "
                f"{where}{key}=[1,2]"
            )
        choices = choices_of(annotation)
        for item in items:
            if choices and item is not None and item not in choices:
                raise ValueError(f"{where}{key}={item} is unknown; choose {' or '.join(choices)}")


def check_types(where: str, parameters: Parameters, values: Mapping[str, object]) -> None:
    """Raise ``ValueError`` for a value of another type than its keyword has.

    A whole number is a float as well.

    Parameters
    ----------
    where
        What stands before a keyword in the message: ``"noise 'speckle': "``.
    values
        By keyword, of any type.
    """
    for key, value in values.items():
        annotation, _ = parameters[key]
        if not _fits(plain_type(annotation), value):
            wanted = spelled_type(plain_type(annotation))
            raise ValueError(f"{where}{key} is {wanted}, got {type(value).__name__} {value!r:.60}")


def _fits(kind: Any, value: object) -> bool:
    """Whether a value is of a type of `plain_type`."""
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(inner, value) for inner in get_args(kind))
    if get_origin(kind) is list:
        items = value if isinstance(value, list | tuple) else [...]
        return all(_fits(get_args(kind)[0], item) for item in items)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, INSTANCES.get(get_origin(kind) or kind, kind))


def spelled(value: object) -> str:
    """A value as a command line has it: ``[1,2]``, ``null``."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(spelled, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def with_fields(base: type, parameters: Parameters) -> type:
    """A dataclass with further fields, each of a plain type and with a default."""
    fields = [
        (key, plain_type(kind), field(default_factory=lambda v=default: as_list(v)))
        for key, (kind, default) in parameters.items()
    ]
    return make_dataclass(base.__name__, fields, bases=(base,))


def as_list(value: object) -> object:
    """A tuple as a list, which a config can hold; anything else as it is."""
    return list(value) if isinstance(value, tuple) else value
