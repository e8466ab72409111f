"""How far scores of one cell may lie apart which two machines made: the rounding of arithmetic."""

BF16 = "bf16"

# By a metric's unit, for one image. An image is rounded to 8 bits before it is compared, so other
# arithmetic turns single pixels by one step. Measured over ten networks and filters on 128x128
# pixels, other numbers of threads and other instruction sets of one processor: see `EXACT`.
ROUNDING = {"dB": 1e-3}
# On another kind of device convolutions may be in TF32, and bf16 has 8 bits of mantissa: what
# `benchmark.scoring.precision` lets pass between fp32 and bf16 is let pass here.
COARSE = {"dB": 1e-2}
OTHER_UNITS = 1e-5, 1e-3  # of SSIM, LPIPS and whatever has no unit: the same two


def tolerance_of(unit: str, coarse: bool = False) -> float:
    """The largest difference between two scores of an image which is no more than rounding.

    Parameters
    ----------
    unit
        Of the metric, as a cell's labels have it.
    coarse
        Whether a device is another kind, or a network ran in bf16.
    """
    return (COARSE if coarse else ROUNDING).get(unit, OTHER_UNITS[coarse])
