"""Which layers of a network are worth looking at, where it does not say so itself."""

from torch import nn

NORMALISATIONS = (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


def default_layers(network: nn.Module) -> list[str]:
    """One layer a block: the parts with weights of the outermost sequences, and what is beside."""
    found: list[str] = []

    def descend(name: str, module: nn.Module) -> None:
        parts = [(f"{name}.{key}".lstrip("."), part) for key, part in module.named_children()]
        parts = [(key, part) for key, part in parts if next(part.parameters(), None) is not None]
        for key, part in parts:
            is_sequence = isinstance(part, nn.Sequential | nn.ModuleList)
            if is_sequence and len(list(part.children())) > 1:
                descend(key, part)
            elif not isinstance(part, NORMALISATIONS):
                found.append(key)

    descend("", network)
    return found
