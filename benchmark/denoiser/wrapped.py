"""Any module or function as a denoiser, and what tells it from others: weights, settings, code."""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import CodeType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from benchmark.denoiser.model import Denoiser
from benchmark.settings import GIVEN

NOTE = "a Python function, known by its source and by what it reads by name"
PLAIN = (bool, int, float, str, type(None), np.generic)
IN_MODULES = {*vars(nn.Module())}  # what torch itself keeps in every module
NOT_THEIRS = ("torch", "benchmark", "builtins", "abc", "typing")  # packages of which versions tell
DIGITS = 16  # hexadecimal ones of a short hash
SELF = "self"  # what a method's object is called
INNER = (SELF, "function", "__call__")  # what a method, a partial or a callable object is made of

Restores = Callable[[Tensor], Tensor]  # (B, C, H, W) in [0, 1] to the same


class Wrapped(Denoiser):
    """A module or a function of (B, C, H, W) in [0, 1] as a denoiser."""

    def __init__(self, restores: Restores, name: str, multiple: int):
        super().__init__()
        self.restores, self.multiple = restores, multiple
        vars(self)["name"] = name  # as a registry sets that of a class
        self.note = "" if isinstance(restores, nn.Module) else NOTE

    def forward(self, noisy: Tensor) -> Tensor:
        """A module whose numbers are all of another type, as float64, is given images in it."""
        kinds = {number.dtype for number in self.parameters() if number.is_floating_point()}
        return self.restores(noisy.to(kinds.pop()) if len(kinds) == 1 else noisy)

    def train(self, mode: bool = True) -> "Wrapped":
        """Also of the modules which a function reads by name."""
        for module in modules_behind(self.restores):
            module.train(mode)
        return super().train(mode)


def as_denoiser(model: Restores, name: str | None = None, *, multiple: int = 1) -> Denoiser:
    """Make a denoiser of any module or function.

    Parameters
    ----------
    model : torch.nn.Module or callable
        From a (B, 3, H, W) float32 tensor in [0, 1], RGB, to a tensor of the same shape and range.
        It is told neither the noise nor its level.
    name : str, optional
        What tables call it. A module has the name of its class where none is given; a function
        has to be given one.
    multiple : int, optional
        Of which ``model`` needs height and width. Images are padded to it by reflection at the
        right and lower edge, and what is restored is cropped.

    Returns
    -------
    benchmark.denoiser.Denoiser
        ``model`` itself, not a copy, inside a denoiser. A denoiser is returned as it is.

    Raises
    ------
    ValueError
        If ``model`` is no module or function, is a class, or is a function without a name, or if
        ``multiple`` is below 1.

    Examples
    --------
    >>> import benchmark, torch
    >>> blur = benchmark.as_denoiser(torch.nn.AvgPool2d(3, 1, 1), "blur")
    >>> blur.denoise(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 3, 8, 8])
    """
    if isinstance(model, type) or not callable(model):
        what = f"the class {model.__name__}" if isinstance(model, type) else f"{model!r:.60}"
        raise ValueError(
            f"a model is a torch.nn.Module or a function from (B, 3, H, W) to the same, got {what}"
            f"{'; make an object of it first' if isinstance(model, type) else ''}"
        )
    if not isinstance(multiple, int) or multiple < 1:
        raise ValueError(f"multiple is a whole number of pixels, 1 or more, got {multiple!r:.60}")
    if isinstance(model, Denoiser):
        return model
    if name is None and not isinstance(model, nn.Module):
        raise ValueError(
            f"{_address(model)} is a function, which has to be given a name, since it has none "
            f"of its own: {{'NAME': function}}"
        )
    return Wrapped(model, name or type(model).__name__, multiple)


def identity_of_object(model: Denoiser) -> dict[str, object]:
    """What tells a denoiser from others which was made in Python, and not by a registered name.

    Of a module that is its class; hashes of its state dict, of the kinds and plain settings of its
    layers (`vars` which are numbers or texts, or lists or dicts of them), and of the source of
    their classes and what these are derived from, but for torch's and ours. Of a function it is its
    name, the hash of its source, and that of what it reads; see `_read_by`. A lambda, and what has
    no source, goes by what Python compiled. What else they read is not seen.

    Raises
    ------
    ValueError
        If a parameter has no values yet, as on the device "meta".
    """
    inner = model.restores if isinstance(model, Wrapped) else model
    facts: dict[str, object] = {"of": f"{GIVEN}{_address(inner)}"}
    if isinstance(inner, nn.Module):
        layers, sources = _layers(inner)
        facts |= {"weights": f"sha256:{_state_hash(inner)}", "layers": _short(repr(layers))}
    else:
        bases = [] if inspect.isroutine(inner) else type(inner).__mro__[1:]
        sources = [_source(inner), *map(_source, filter(_is_theirs, bases))]
        if read := _read_by(inner):
            facts["reads"] = _short(repr(read))
    if any(sources):
        facts["source"] = _short("\n".join(sources))
    if isinstance(model, Wrapped) and model.multiple > 1:
        facts["multiple"] = model.multiple
    return facts


@contextmanager
def left_as_found(models: Iterable[nn.Module]) -> Iterator[None]:
    """Give modules back in the modes, of training or not, and on the devices they were found."""
    models = list(models)
    behind = [module for model in models for module in modules_behind(model)]
    modes = [(part, part.training) for module in (*models, *behind) for part in module.modules()]
    places = [
        (model, tensor.device)
        for model in models
        if (tensor := next(iter([*model.parameters(), *model.buffers()]), None)) is not None
    ]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for model, device in places:
            model.to(device)


def _layers(module: nn.Module) -> tuple[list[object], list[str]]:
    """The kind and the plain settings of each layer, and the sources of the classes behind it."""
    layers = [
        (name, _address(type(m)), sorted(settings_of_layer(m)))
        for name, m in module.named_modules()
    ]
    classes = {_address(cls): cls for m in module.modules() for cls in type(m).__mro__}
    sources = [_source(cls) for _, cls in sorted(classes.items()) if _is_theirs(cls)]
    return list(layers), sources


def _is_theirs(cls: type) -> bool:
    return _address(cls).partition(".")[0] not in NOT_THEIRS


def modules_behind(model: object) -> list[nn.Module]:
    """The modules which a function, or a denoiser of one, reads by name, each once."""
    found: dict[int, nn.Module] = {}

    def look(code: object, seen: frozenset[int]) -> None:
        for name, value in {} if id(code) in seen else _held_by(code).items():
            if isinstance(value, nn.Module):
                found[id(value)] = value
            elif _leads_on(name, value, code):
                look(value, seen | {id(code)})

    inner = model.restores if isinstance(model, Wrapped) else model
    if not isinstance(inner, nn.Module):
        look(inner, frozenset())
    return [*found.values()]


def _state_hash(module: nn.Module) -> str:
    total = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if isinstance(tensor, Tensor):
            if tensor.is_meta or is_lazy(tensor):
                raise ValueError(
                    f"{_address(type(module))} has no values for '{name}'; load its weights, or "
                    f"run it once on an image, first"
                )
            total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            total.update(_bytes(tensor))
    return total.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes()


def _read_by(code: object, seen: frozenset[int] = frozenset()) -> list[object]:
    """What a function reads beside its image, as far as names lead to it.

    Those are the variables around it and global ones, its defaults, the object of a method, the
    arguments of a `functools.partial`, the attributes of a callable object: modules by their
    weights, settings and source, arrays and tensors, plain values, and functions of the same
    Python module with what these read. Other objects are left out.
    """
    if id(code) in seen:
        return []
    seen |= {id(code)}
    facts: list[object] = []
    for name, value in sorted(_held_by(code).items()):
        if isinstance(value, nn.Module):
            facts.append((name, *_layers(value), _state_hash(value)))
        elif isinstance(value, Tensor | np.ndarray):
            content = _bytes(value) if isinstance(value, Tensor) else value.tobytes()
            facts.append(
                (name, str(value.dtype), tuple(value.shape), hashlib.sha256(content).hexdigest())
            )
        elif is_plain(value):
            facts.append((name, value))
        elif _leads_on(name, value, code):
            facts.append((name, _source(value) or _address(value), _read_by(value, seen)))
    return facts


def _held_by(code: object) -> Mapping[str, object]:
    """By name, what a function, method, partial or callable object holds on to."""
    if isinstance(code, partial):
        positional = {str(number): value for number, value in enumerate(code.args)}
        return {"function": code.func, **positional, **code.keywords}
    if inspect.ismethod(code):
        return {SELF: code.__self__, "function": code.__func__}
    if inspect.isfunction(code):
        read = {name for part in _compiled_parts(code.__code__) for name in part.co_names}
        held = {name: code.__globals__[name] for name in read & code.__globals__.keys()}
        around = zip(code.__code__.co_freevars, code.__closure__ or (), strict=True)
        with suppress(ValueError):  # a variable around it is not set yet
            held |= {name: cell.cell_contents for name, cell in around}
        parameters = inspect.signature(code, follow_wrapped=False).parameters.values()
        return held | {
            f"{one.name}=": one.default for one in parameters if one.default is not one.empty
        }
    called = inspect.getattr_static(type(code), "__call__", None)
    own = {"__call__": called} if inspect.isfunction(called) else {}
    return {**getattr(code, "__dict__", {}), **own}


def _compiled_parts(code: CodeType) -> Iterator[CodeType]:
    """What Python compiled of a function, and of those and the generators inside it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _compiled_parts(inner)


def _leads_on(name: str, value: object, code: object) -> bool:
    """Whether code is made of this, or it is a function written beside it, or holds on to one."""
    if name in INNER:
        return True
    if inspect.isfunction(value):
        return value.__module__ == getattr(code, "__module__", None)
    return isinstance(value, partial) or inspect.ismethod(value)


def settings_of_layer(module: nn.Module) -> list[tuple[str, object]]:
    """The plain values which a module itself holds, also in private, and not what torch keeps."""
    return [
        (key, value)
        for key, value in vars(module).items()
        if key not in IN_MODULES and is_plain(value)
    ]


def is_plain(value: object) -> bool:
    """Whether a value is a number or a text, or a list or dict of them."""
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return isinstance(value, PLAIN) or (
        isinstance(parts, list | tuple) and all(map(is_plain, parts))
    )


def _source(code: object) -> str:
    """The source of a class or function; of another callable that of its class.

    What Python compiled stands in its place where nothing keeps it, as in a notebook, and of a
    lambda, of whose source Python finds the first line only.
    """
    written = code if inspect.isroutine(code) or isinstance(code, type) else type(code)
    if getattr(written, "__name__", "") != (lambda: None).__name__:
        with suppress(OSError, TypeError):  # typed where nothing keeps it, or compiled
            return inspect.getsource(written)
    return "\n".join(map(repr, _compiled(written)))


def _compiled(code: object) -> Iterator[object]:
    """What Python compiled of a function, or of the methods of a class beside its plain values."""
    if isinstance(code, type):
        for name, value in sorted(vars(code).items()):
            if is_plain(value) and not name.startswith("__"):
                yield name, value
            parts = (value.fget, value.fset) if isinstance(value, property) else (value,)
            yield from ((name, one) for part in parts for one in _compiled(part))
        return
    code = inspect.unwrap(getattr(code, "__func__", code)) if callable(code) else code
    for part in _compiled_parts(code.__code__) if inspect.isfunction(code) else ():
        constants = [
            sorted(map(repr, one)) if isinstance(one, frozenset) else one  # in any order
            for one in part.co_consts
            if not isinstance(one, CodeType)
        ]
        yield part.co_code, part.co_names, part.co_varnames, part.co_freevars, constants


def _address(code: object) -> str:
    named = code if hasattr(code, "__qualname__") else type(code)
    return f"{named.__module__}.{named.__qualname__}"  # type: ignore[attr-defined]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
