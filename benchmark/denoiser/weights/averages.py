"""Which copy of a network a checkpoint means: averaged weights before those they are averages of.

Spellings were read in the code of those who write them: BasicSR (``params_ema``), KAIR (``netE``),
timm and ConvNeXt (``state_dict_ema``, ``model_ema``), YOLO (``ema``), `torch.optim.swa_utils`
(``module.*`` and ``n_averaged``), ema-pytorch (``ema_model.*`` beside ``online_model.*``),
Lightning's callbacks (``callbacks.EMA...``, ``current_model_state``), LitEma of latent diffusion
(``model_ema.*`` without dots), mmengine and mmcv (`_without_copies`).
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from benchmark.denoiser.weights.wrappers import (
    WIDEST,
    Reading,
    Tensors,
    inside,
    joined,
    means_average,
    unwrapped,
)

T = TypeVar("T")

NO_NETWORK = ("optim", "sched")  # in the first key of what trains a network and is none
RAW = (
    "current_model_state"  # beside averages, which Lightning's WeightAveraging puts in their place
)
MEASURED = ("running_mean", "running_var", "num_batches_tracked")  # some averages leave them out


class NoFit(ValueError):
    """A reading is not the network that is looked for; ``shared`` of its tensors would fit."""

    def __init__(self, said: str, shared: int = 0):
        super().__init__(said)
        self.shared = shared


def fit(path: Path, tensors: Mapping[str, Tensor], build: Callable[[Tensors], T]) -> T:
    """What ``build`` makes of the first reading of a file that it does not refuse by `NoFit`.

    Averaged weights come before those they were averaged from. A warning says where there was a
    choice, and what was taken.

    Parameters
    ----------
    path
        The file, for the sentences.
    tensors
        As `flatten` gives them.
    build
        Makes a network of names and tensors, or raises `NoFit`.

    Raises
    ------
    ValueError
        If averaged weights have no names, or if two parts of the file fit and nothing tells which
        is meant.
    NoFit
        If none fits: what was said of the closest reading.
    """
    refusals: list[NoFit] = []
    taken: tuple[Reading, T] | None = None
    for reading in readings(path, tensors):
        if taken and (reading.usual or reading.said != taken[0].said):
            continue  # only parts of equal rank can be mistaken for one another
        try:
            built = build(reading.tensors)
        except NoFit as error:
            refusals.append(error)
            continue
        if taken is None:
            taken = reading, built
            if reading.usual:
                break
        elif not _same(taken[0].tensors, reading.tensors):
            raise ValueError(
                f"{path} holds two networks of this kind, '{taken[0].place}' and "
                f"'{reading.place}'; save the state dict of the one you mean by itself"
            )
    if taken is None:
        raise max(refusals, key=lambda refusal: refusal.shared)
    first, result = taken
    if said := first.said or _beside(path):
        warnings.warn(f"{path}: {said}", stacklevel=3)
    return result


def readings(path: Path, tensors: Mapping[str, Tensor]) -> Iterator[Reading]:
    """What may be a file's network, the likeliest first; see `fit`.

    Raises
    ------
    ValueError
        If averaged weights have no names.
    """
    network, said = _without_copies(_without_training(path, tensors))
    marks = _averaged_places(network)
    averages = {mark: _innermost(inside(network, mark)) for mark in marks}
    matches = {}
    for mark, average in averages.items():
        others = {key: value for key, value in network.items() if not _below(key, [mark])}
        if matched := _matched(average, others):
            matches[mark] = matched
    if marks:  # parts of the network itself may be called like averages
        for reading in unwrapped(network):
            holds = [not reading.place or m.startswith(f"{reading.place}.") for m in marks]
            if any(holds) and all(holds[marks.index(mark)] for mark in matches):
                yield reading
    for mark, (place, merged) in matches.items():
        left = [place or "those beside", *(other for other in matches if other != mark)]
        said = f"took its averaged weights, '{mark}', and not {' or '.join(map(repr, left))}"
        yield from unwrapped(merged, mark, said)
    raw = {key: value for key, value in network.items() if not _below(key, list(matches) or marks)}
    alone = not any(value.numel() > 1 for value in raw.values())  # counters at most are beside
    for mark, average in averages.items() if not matches else ():
        if not alone and all(key.rpartition(".")[2].isdecimal() for key in average):
            raise ValueError(_without_names(path, mark))
        said = f"took its averaged weights, '{mark}', though what is beside has other names"
        yield from unwrapped(average, mark, "" if alone else said)
    if marks:
        said = f"its averaged weights, '{[*matches, *marks][0]}', do not fit, and others were taken"
    yield from unwrapped(raw, said=said)


def check_numbers(path: Path, tensors: Mapping[str, Tensor], network: Mapping[str, Tensor]) -> None:
    """Refuse weights that a network cannot compute with; both are by the same names.

    Raises
    ------
    ValueError
        If a weight is an integer or complex where the network has real numbers, or not finite.
    """
    for name, value in tensors.items():
        real = name in network and network[name].is_floating_point()
        if real and not value.is_floating_point():
            kind = str(value.dtype).removeprefix("torch.")
            raise ValueError(
                f"{path}: '{name}' is stored as {kind}, as quantized networks are; ask for the "
                f"weights in float32"
            )
        if real and not value.float().isfinite().all():
            raise ValueError(
                f"{path}: '{name}' has values which are not finite, so that every output would be; "
                f"use weights from before the training diverged"
            )


def _without_training(path: Path, tensors: Mapping[str, Tensor]) -> Tensors:
    """What is no state of an optimizer or scheduler."""
    found = {}
    for key, value in tensors.items():
        first, *others = key.split(".")
        if not any(word in first.lower() for word in NO_NETWORK):
            found[key] = value
        elif "ema" in others[:-1]:  # NeMo's optimizer keeps the average as a list
            raise ValueError(_without_names(path, f"{first}...ema"))
    return found


def _without_names(path: Path, place: str) -> str:
    return (
        f"{path} holds averaged weights ('{place}') as a list without names, which cannot be told "
        f"apart; copy them into the network, then: torch.save(network.state_dict(), FILE)"
    )


def _without_copies(tensors: Tensors) -> tuple[Tensors, str]:
    """Without the raw weights that lie under the names of averages, and what to say of it.

    Before saving, mmengine's EMAHook exchanges the two: ``state_dict`` is the average, and
    ``ema_state_dict``, known by its buffer ``steps``, the raw weights. So does mmcv's, whose copies
    are buffers of the network: ``ema_conv_weight`` beside ``conv.weight``. WeightAveraging of
    Lightning puts the raw weights under a name of their own.
    """
    swapped = "ema_state_dict.steps" in tensors and any(
        k.startswith("state_dict.") for k in tensors
    )
    renamed = any(key.startswith(f"{RAW}.") for key in tensors)
    raw = "ema_state_dict" if swapped else RAW
    if swapped or (renamed and any(key.startswith("state_dict.") for key in tensors)):
        kept = {k: v for k, v in tensors.items() if not k.startswith(f"{raw}.")}
        return kept, f"took its averaged weights, which are in 'state_dict', and not '{raw}'"
    buffers = [key for key in tensors if key.rpartition(".")[2].startswith("ema_")]
    originals = {
        joined(parent, f"ema_{key.removeprefix(f'{parent}.').replace('.', '_')}")
        for parent in {buffer.rpartition(".")[0] for buffer in buffers}
        for key in tensors
        if not parent or key.startswith(f"{parent}.")
    }
    copies = originals.intersection(buffers)
    if 2 * len(copies) < len(tensors) - len(copies):
        return tensors, ""
    kept = {key: value for key, value in tensors.items() if key not in copies}
    return kept, "took its averaged weights, and not the raw ones in its buffers 'ema_*'"


def _averaged_places(tensors: Tensors) -> list[str]:
    """The outermost prefixes that are called like averages."""
    found: dict[str, None] = {}
    for key in tensors:
        parts = key.split(".")
        for place, part in enumerate(parts[:-1]):
            if means_average(part):
                found[".".join(parts[: place + 1])] = None
                break
    return list(found)


def _innermost(average: Tensors) -> Tensors:
    """What is averaged of a part which holds an average, what it is an average of, and no more."""
    for mark in _averaged_places(average):
        others = {key: value for key, value in average.items() if not _below(key, [mark])}
        if matched := _matched(inside(average, mark), others):
            place, merged = matched
            left = [key for key in others if place and not _below(key, [place])]
            if all(average[key].numel() == 1 for key in left):
                return merged
    return average


def _matched(average: Tensors, raw: Tensors) -> tuple[str, Tensors] | None:
    """The place of the raw weights which an average has the names of, and these with its values.

    An average of parameters alone has no buffers: they are the raw ones'.
    """
    for reading in unwrapped(average):
        if not reading.usual:
            break
        pivot = max(
            reading.tensors, key=lambda key: (reading.tensors[key].numel() > 1, key.count("."))
        )
        places = [
            key.removesuffix(pivot).rstrip(".") for key in raw if f".{key}".endswith(f".{pivot}")
        ]
        for place in sorted(places, key=len):
            if any(map(means_average, place.split("."))):
                continue  # an average is of something that is none
            if merged := _merged(reading.tensors, inside(raw, place)):
                return place, merged
    for place in ("", *_outer_places(raw)):
        ours = inside(raw, place)
        dotted = {key.replace(".", ""): key for key in ours}
        names = {dotted.get(key, key): value for key, value in average.items()}
        if merged := _merged(names, ours):
            return place, merged
    return None


def _merged(average: Tensors, raw: Tensors) -> Tensors | None:
    """Raw weights with the values of their average, None where it is of something else.

    Single numbers of the average alone are its counters.
    """
    shared = {key: value for key, value in average.items() if key in raw}
    if any(value.numel() > 1 and key not in shared for key, value in average.items()):
        return None
    if any(raw[key].shape != value.shape for key, value in shared.items()):
        return None
    trained = [k for k, v in raw.items() if v.is_floating_point() and not k.endswith(MEASURED)]
    if not shared or 2 * sum(key in shared for key in trained) < len(trained):
        return None
    return {**raw, **shared}


def _outer_places(tensors: Tensors) -> list[str]:
    """Prefixes of one or two parts, in the order of the file."""
    found: dict[str, None] = {}
    for key in tensors:
        first, *others = key.split(".")
        if others:
            found[first] = None
        if len(others) > 1:
            found[f"{first}.{others[0]}"] = None
    return list(found)[:WIDEST]


def _below(key: str, places: list[str]) -> bool:
    return any(key.startswith(f"{place}.") for place in places)


def _same(one: Tensors, other: Tensors) -> bool:
    return one.keys() == other.keys() and all(
        one[key].shape == other[key].shape and bool((one[key] == other[key]).all()) for key in one
    )


def _beside(path: Path) -> str:
    """KAIR saves a network and its average as 5000_G.pth and 5000_E.pth."""
    average = path.with_name(f"{path.stem.removesuffix('_G')}_E{path.suffix}")
    if path.stem.endswith("_G") and average.is_file():
        return f"its averaged weights may be those beside, {average.name}"
    return ""
