"""How far the scores of one image may lie apart which two machines made: rounding, and no more."""

# By a metric's unit. An image is rounded to 8 bits before it is compared, so that other arithmetic
# turns single values by one step. Measured on crops of 128x128 pixels with 2 threads in place of 1,
# with SSE or AVX2 in place of AVX-512, with both, and against cells of another machine: at most
# 0.00009 dB and 0.000003 of SSIM over seven networks; classical filters were equal to the bit.
ROUNDING = {"dB": 1e-3}
# On another kind of device convolutions may run in TF32, and bf16 has 8 bits of mantissa: what
# `benchmark.scoring.precision` lets pass between fp32 and bf16 passes here. Not measured on GPUs.
COARSE = {"dB": 1e-2}
OTHER_UNITS, OTHER_COARSE = 1e-5, 1e-3  # SSIM, LPIPS


def tolerance_of(unit: str, coarse: bool = False) -> float:
    """The largest difference between two scores of an image which is no more than rounding.

    Parameters
    ----------
    unit
        Of the metric, as a cell's labels have it.
    coarse
        Whether the device is another one, or a network runs in bf16.
    """
    if coarse:
        return COARSE.get(unit, OTHER_COARSE)
    return ROUNDING.get(unit, OTHER_UNITS)
