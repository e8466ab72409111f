"""Images filled up to the sides that a network needs."""

from torch import Tensor
from torch.nn import functional


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Pad (B, C, H, W) at the right and lower edge by reflection to a multiple in H and W.

    An image too small to reflect that far repeats its edge pixels for the rest.
    """
    for axis in (-1, -2):
        missing = -image.shape[axis] % multiple
        reflected = min(missing, image.shape[axis] - 1)
        image = _pad_end(image, axis, reflected, "reflect")
        image = _pad_end(image, axis, missing - reflected, "replicate")
    return image


def _pad_end(image: Tensor, axis: int, amount: int, mode: str) -> Tensor:
    if not amount:
        return image
    return functional.pad(image, (0, amount, 0, 0) if axis == -1 else (0, 0, 0, amount), mode)
