"""From linear light to sRGB in [0, 1]."""

import numpy as np


def tone_map(linear: np.ndarray, operator: str = "clip") -> np.ndarray:
    """Linear light, (H, W, 3) from 0 up, to sRGB in [0, 1].

    ``clip`` cuts at 1, ``reinhard`` divides by 1 + luminance [1]_ before; both then apply the
    transfer function of sRGB [2]_. That the paper cuts is a guess: it says only "convert to sRGB
    by tone mapping" [3]_. The cut darkens the average of bright noisy pixels, as any tone map of
    a noisy image does.

    Raises
    ------
    ValueError
        If there is no such operator.

    References
    ----------
    .. [1] Reinhard et al., "Photographic Tone Reproduction for Digital Images", SIGGRAPH 2002,
       equation 3, without its key value; luminance by the weights of ITU-R BT.709.
    .. [2] IEC 61966-2-1.
    .. [3] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023.
    """
    if operator not in TONE_MAPS:
        raise ValueError(f"unknown tonemap '{operator}'; known: {', '.join(TONE_MAPS)}")
    light = np.clip(TONE_MAPS[operator](np.maximum(linear, 0)), 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _reinhard(linear: np.ndarray) -> np.ndarray:
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return linear / (1 + luminance[..., None])


TONE_MAPS = {"clip": lambda linear: linear, "reinhard": _reinhard}
