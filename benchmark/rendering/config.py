"""What a render is told: scenes, samples, size, and where it goes. Loads nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RenderConfig:
    """What ``bench render`` takes.

    Parameters
    ----------
    scenes
        Names, or ``all``: caustic, depth_of_field, fog, glossy, indirect, textured, and plugins'.
    spp
        Samples per pixel of the noisy images, one image each: 16 or more.
    reference
        Samples per pixel of the clean image: more than any of ``spp``. Its own noise counts as
        the denoiser's error, so 4096 is a sensible least.
    size
        Height and width, in pixels.
    seed
        Of the random light paths.
    variant
        Mitsuba's compute engine: ``scalar_rgb``, or ``llvm_ad_rgb``, which is faster and needs LLVM
        of a version that suits, or ``auto``: the one the folder was begun with, else
        ``llvm_ad_rgb`` where it works. Their pixels differ, by other noise of the same strength.
    tonemap
        ``clip`` or ``reinhard``, then the transfer function of sRGB.
    out
        The folder which gets ``SCENE_SPPspp.png`` and the record ``render.json``.
    """

    scenes: tuple[str, ...] = ("all",)
    spp: tuple[int, ...] = (128, 64)
    reference: int = 4096
    size: int = 256
    seed: int = 0
    variant: str = "scalar_rgb"
    tonemap: str = "clip"
    out: str = "renders"
