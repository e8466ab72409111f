"""EXR files: pictures in linear light, which Mitsuba reads."""

from pathlib import Path

import numpy as np

from benchmark.rendering.mitsuba import load_mitsuba


def read_exr(path: Path) -> np.ndarray:
    """The layers R, G and B of an EXR file, (H, W, 3) float32 linear; it may have many others.

    What is too bright for the file's numbers, and infinite in it, is the largest of float32.

    Raises
    ------
    ValueError
        If the file is no EXR file, lacks one of the three or has NaN in them, or if Mitsuba is not
        installed.
    """
    bitmap_type = load_mitsuba().Bitmap
    try:
        bitmap = bitmap_type(str(path))
    except RuntimeError as error:
        raise ValueError(
            f"{path} cannot be read as an EXR file ({error}); replace or remove it"
        ) from error
    names = [layer.name for layer in bitmap.struct_()]
    if not {"R", "G", "B"} <= set(names):
        raise ValueError(f"{path} has no layers R, G and B, only {', '.join(names)}; remove it")
    layers = np.array(bitmap)
    light = np.stack([layers[..., names.index(name)] for name in "RGB"], -1).astype(np.float32)
    if np.isnan(light).any():
        raise ValueError(f"{path} has {np.isnan(light).sum()} values which are NaN; render it anew")
    return np.nan_to_num(light)
