"""What the layers of a network put out for a batch of images, taken by hooks and held no longer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.denoiser import Denoiser
from benchmark.denoiser.layers import default_layers
from benchmark.denoiser.padding import pad_to_multiple
from benchmark.environment.device import forked_rng
from benchmark.registry import did_you_mean

INPUT = ":input"  # after a layer's name: what goes into it, not what comes out


def chosen_layers(network: nn.Module, patterns: Sequence[str] = ()) -> list[str]:
    """The layers which are looked at, by name, in the order of the network's modules.

    Parameters
    ----------
    patterns
        Names of modules, in which ``*`` stands for any part between two dots:
        ``layers.*.residual_group.blocks.*``. After ``:input`` a layer is looked at where its input
        comes in. None: `Denoiser.analysed_layers`, or `default_layers` of any other module.

    Raises
    ------
    ValueError
        If a pattern meets no module.
    """
    if not patterns:
        ours = isinstance(network, Denoiser)
        return network.analysed_layers() if ours else default_layers(network)
    found = []
    for pattern in patterns:
        own, stem = layers_met(network, pattern), pattern.removesuffix(INPUT)
        if not own:
            names = _module_names(network)
            raise ValueError(
                f"no layer is called {stem}{did_you_mean(stem, names)} bench list layers shows "
                f"the names of a network's layers"
            )
        found += own
    return list(dict.fromkeys(found))


def layers_met(network: nn.Module, pattern: str) -> list[str]:
    """The layers of a network which one pattern meets, as `chosen_layers` takes it."""
    stem = pattern.removesuffix(INPUT)
    own = [name for name in _module_names(network) if _matches(name, stem)]
    return [name + pattern[len(stem) :] for name in own]


@contextmanager
def activations(
    network: nn.Module, layers: Sequence[str], of: Callable[[Tensor], Any] = torch.clone
) -> Iterator[dict[str, Any]]:
    """Take what layers put out while a network runs inside the ``with`` block.

    Parameters
    ----------
    of
        What is kept of a layer's tensor, detached, which later layers may change in place.

    Yields
    ------
    dict of str to what ``of`` gives
        By layer, in the order of the network's run; empty it before the next batch. A layer which
        runs several times has ``name[0]``, ``name[1]`` and so on.
    """
    modules, taken = dict(network.named_modules()), {}
    runs = dict.fromkeys(layers, 0)

    def take(name: str, tensor: object) -> None:
        if not isinstance(tensor, Tensor):
            raise ValueError(f"layer {name} gives {type(tensor).__name__}, and no tensor")
        place = f"{name}[{runs[name]}]"
        runs[name] += 1
        taken[place] = of(tensor.detach())

    def after(name: str, _module: nn.Module, _given: object, output: object) -> None:
        take(name, output)

    def before(name: str, _module: nn.Module, given: tuple[object, ...]) -> None:
        take(name, given[0])

    with ExitStack() as hooks:
        for name in layers:
            module = modules[name.removesuffix(INPUT)]
            if name.endswith(INPUT):
                hook = module.register_forward_pre_hook(partial(before, name))
            else:
                hook = module.register_forward_hook(partial(after, name))
            hooks.callback(hook.remove)
        yield taken


@torch.no_grad()
def features_of(
    network: Denoiser,
    layers: Sequence[str],
    noisy: Tensor,
    seed: int,
    of: Callable[[Tensor], Any] = torch.clone,
) -> Mapping[str, Any]:
    """What layers put out for (B, C, H, W) noisy images in [0, 1], one pass, in evaluation mode.

    Parameters
    ----------
    seed
        Of a stochastic network's masks: equal seeds draw the same for images of one size.
    of
        What is kept of a layer's features, (images, values) as `by_image` has them: less than all
        where there are many layers.

    Returns
    -------
    Mapping of str to what ``of`` gives
        By layer, in the order of the network's run. A layer which runs once has its own name.
    """

    def kept(features: Tensor) -> Any:
        return of(by_image(features, noisy))

    network.eval()
    with forked_rng(noisy.device), activations(network, layers, kept) as taken:
        torch.manual_seed(seed % 2**63)
        network(pad_to_multiple(noisy, network.multiple))
    several = {name.rpartition("[")[0] for name in taken if not name.endswith("[0]")}
    return {
        name if name.rpartition("[")[0] in several else name.rpartition("[")[0]: found
        for name, found in taken.items()
    }


def by_image(features: Tensor, images: Tensor) -> Tensor:
    """Features with a line for each image: (images, values).

    Windows and tokens which a network folds into its first axis lie image by image.
    """
    if features.ndim == 0 or features.shape[0] % len(images):
        raise ValueError(
            f"features of shape {tuple(features.shape)} do not belong to {len(images)} images"
        )
    return features.reshape(len(images), -1)


def _module_names(network: nn.Module) -> list[str]:
    return [name for name, _ in network.named_modules() if name]


def _matches(name: str, pattern: str) -> bool:
    parts, wanted = name.split("."), pattern.split(".")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
