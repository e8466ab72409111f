"""From the options of a training to its network, crops and validation."""

import math
import warnings
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmark.console.log import log
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import RestorationError, require_shape, require_tensor
from benchmark.denoiser.runtime.identity import plain_settings
from benchmark.denoiser.weights.checkpoint import weights_file
from benchmark.denoiser.weights.load import all_shipped, load_network, weights_path
from benchmark.environment.device import forked_rng, multiplies_bf16
from benchmark.environment.versions import describe_environment
from benchmark.files.whole import file_hash
from benchmark.noise import NoiseModel
from benchmark.objects.building import build, changed_settings, made, recorded_settings
from benchmark.objects.spec import Spec
from benchmark.protocol import IN_DISTRIBUTION, MASKED
from benchmark.scoring.precision import PRECISIONS
from benchmark.settings import identity_of
from benchmark.training.distributed import Processes
from benchmark.training.loop import Training
from benchmark.training.patches import Patches, hold_out, read_training_images
from benchmark.training.validation import Condition, Validation, conditions_of

if TYPE_CHECKING:
    from benchmark.cli.commands.train import TrainOptions

LARGE = 64  # pixels of a side: what suits such crops suits larger ones
NAMED = 3  # settings, at most, which a warning names
OF_FILES = (".note", ".trained_on")  # what a network says of the file it was read from


def compose_training(options: "TrainOptions", processes: Processes) -> Training:
    """The training that is asked for, its images read and its network made."""
    ((name, spec),) = options.model.items()
    _refuse_unlearned(name, spec)
    _refuse_own_files(name, options)
    arguments, recipe = dict(spec.settings), options.recipe
    device, rank, size = processes.device, processes.rank, processes.size
    precision = _precision(options.execution.precision, device)
    execution = replace(options.execution, precision=precision)
    trained_on = _training_noise(options)
    noise_name, noise, level = trained_on
    conditions = [trained_on, *_further_conditions(options, noise_name, level)]
    torch.manual_seed(recipe.seed)
    at_once = recipe.batch // (size * options.execution.accumulate)
    network = _tried(name, spec.cls, arguments, recipe.patch, at_once)
    facts = {
        "model": {"of": spec.cls.name, **identity_of(spec.cls, arguments)},
        "noise": recorded_settings(options.noise[noise_name]),
        "level": level,
    }
    if options.start:
        facts["start"] = f"sha256:{start_from(network, options.start)}"
    log.info(f"reading the images of {', '.join(options.data)}")
    protocol = replace(MASKED, grey=network.image_channels == 1)
    images, facts["data"] = read_training_images(build(options.data), recipe.patch, protocol)
    images, crops = hold_out(images, options.held_out)
    facts["held_out"] = len(crops)
    patches = Patches(images, noise, level, recipe, device, rank, size)
    return Training(
        network,
        arguments,
        patches,
        recipe,
        Path(options.out) / name,
        facts,
        execution=execution,
        validation=Validation(crops, conditions),
        processes=processes,
        environment=describe_environment(device),
    )


def check_training(options: "TrainOptions") -> None:
    """Raise what `compose_training` would for its settings, but for what images or steps show."""
    for name, spec in options.model.items():
        _refuse_unlearned(name, spec)
        _refuse_own_files(name, options)
        network = made("model", name, spec.cls, spec.settings)
        if options.start:
            start_from(network, options.start)
    build(options.data)
    noise_name, _, level = _training_noise(options)
    _further_conditions(options, noise_name, level)
    _precision(options.execution.precision, options.device)


def _refuse_unlearned(name: str, spec: Spec) -> None:
    if not spec.cls.learned:
        raise ValueError(f"'{name}' has nothing to train; choose a network: bench list model")


def _refuse_own_files(name: str, options: "TrainOptions") -> None:
    """Raise ``ValueError`` where two files of a training, or its start, would be one."""
    if name == "best":
        raise ValueError("a training is not called 'best', as its best weights are; rename it")
    folder, start = Path(options.out) / name, options.start and weights_file(options.start)
    for own in ("best", name):
        if start and start.resolve() == (folder / f"{own}.safetensors").resolve():
            raise ValueError(
                f"start={options.start} is a file which this training writes itself; train into "
                f"another folder, or start from a copy"
            )


def _tried(
    name: str, cls: type[Denoiser], arguments: Mapping[str, object], patch: int, at_once: int
) -> Denoiser:
    """A network which restores a small batch in training; settings with which it cannot are wrong.

    torch makes a layer of no channels without a word, and fails when it is used.

    Parameters
    ----------
    at_once
        How many crops it sees at once; batch normalisation may need two.
    """
    network = made("model", name, cls, arguments)
    changed = changed_settings("model", name, cls, arguments)
    multiple = network.multiple
    side = multiple * max(1, min(patch, LARGE) // multiple)
    if changed and (problem := _problem_with(network, side)):
        raise ValueError(
            f"'{cls.name}' cannot be trained with {changed} on crops of {side}x{side} ({problem})"
        )
    if at_once == 1 and (problem := _problem_with(network, side, 1)):
        raise ValueError(
            f"'{name}' cannot be trained on one crop at once ({problem}); take a larger batch, or "
            f"a smaller accumulate"
        )
    if patch % multiple and _problem_with(network, patch):
        raise ValueError(
            f"patch={patch} does not suit '{name}', whose crops have sides that are a multiple of "
            f"{multiple}; take patch={multiple * math.ceil(patch / multiple)}"
        )
    return network


def _problem_with(network: Denoiser, side: int, images: int = 2) -> str:
    """What comes instead of a small batch of square images of this side; nothing if they do."""
    probe = torch.full((images, network.image_channels or 3, side, side), 0.5)
    try:
        with forked_rng(probe.device), torch.no_grad():
            restored = require_tensor(deepcopy(network).train()(probe))
            require_shape(restored, probe)
    except RestorationError as error:
        return str(error)
    except (RuntimeError, ArithmeticError, ValueError, IndexError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return "" if restored.isfinite().all() else "its output is not finite"


def _training_noise(options: "TrainOptions") -> Condition:
    if len(options.noise) != 1:
        raise ValueError("bench train takes one noise at a time")
    ((name, noise),) = build(options.noise).items()
    if isinstance(noise, Dataset):
        raise ValueError(
            f"'{name}' is recorded noise, which comes with its own images and cannot be "
            f"added to crops; train on a noise model: noise=gaussian"
        )
    level = _training_level(name, noise, options.level)
    noise.check_level(level)
    return name, noise, level


def _training_level(name: str, noise: NoiseModel, given: float | None) -> float:
    """The level that is given, or the only one which a noise was chosen with, or has."""
    own = tuple(map(float, noise.levels))
    is_chosen, listed = own != tuple(type(noise).levels), ", ".join(f"{one:g}" for one in own)
    if given is not None:
        if is_chosen and given not in own:
            raise ValueError(
                f"level={given:g} is no level of what noise= chooses, {listed}; leave one out"
            )
        return float(given)
    if len(own) == 1:
        return own[0]
    if not is_chosen and name == IN_DISTRIBUTION[0]:
        return IN_DISTRIBUTION[1]
    raise ValueError(
        f"noise '{name}' is trained on at one level, such as level={own[-1]:g}; there are {listed}"
    )


def _further_conditions(options: "TrainOptions", trained_on: str, level: float) -> list[Condition]:
    """What to validate on beside the training noise, which is not watched twice."""
    known = (trained_on, level)
    return [noise for noise in conditions_of(list(options.watch)) if (noise[0], noise[2]) != known]


def _precision(asked: str, device: str) -> str:
    if asked not in PRECISIONS:
        raise ValueError(f"unknown precision={asked}; choose one of: {', '.join(PRECISIONS)}")
    if asked != "auto":
        return asked
    return "bf16" if multiplies_bf16(device) else "fp32"


def start_from(network: Denoiser, given: str) -> str:
    """Give a network weights, by `weights_path`, and return the hash of their file.

    A warning names the settings with which the file's network computed otherwise than this one.

    Raises
    ------
    ValueError
        If there is no such file, or it holds another network or one of another size.
    """
    path = weights_path(type(network), given)
    if not path.is_file():
        names = ", ".join(all_shipped(type(network))) or "none"
        raise ValueError(
            f"there is no file {path}; give weights to go on from, start=FILE, or the name of some "
            f"which noisebench comes with (of '{network.name}': {names}), or leave it away"
        )
    stored = load_network(type(network), path, {})
    ours, theirs = ({k: v.shape for k, v in n.state_dict().items()} for n in (network, stored))
    if ours != theirs:
        raise ValueError(
            f"start={path} holds a '{network.name}' of another size than the one to be trained; "
            f"give this one the same settings"
        )
    network.load_state_dict(stored.state_dict())
    if other := _other_settings(stored, network):
        warnings.warn(
            f"start={path} holds the weights of a network with {other}; give this one the same, "
            f"unless another is meant",
            stacklevel=2,
        )
    return file_hash(path)


def _other_settings(stored: Denoiser, network: Denoiser) -> str:
    """``iterations=4 (here 10)``: how a stored network is set otherwise; empty if it is not."""
    before, now = (
        dict(line.split("=", 1) for line in plain_settings(n)) for n in (stored, network)
    )
    changed = [
        f"{key.lstrip('.')}={value} (here {now.get(key, 'none')})"
        for key, value in before.items()
        if now.get(key) != value and key not in OF_FILES
    ]
    more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
    return ", ".join(changed[:NAMED]) + more
