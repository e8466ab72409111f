"""Words and numbers of a sheet which its page and its figure share."""

import numpy as np

from benchmark.reporting.tables import ABSENT
from benchmark.studies.noise_sheet.sheet import PATCH, PATCHES, Measured, Sheet


def at(sheet: Sheet, level: Measured) -> str:
    """``level 25``, or nothing for recorded noise, which has no levels but one."""
    return f"level {level.level:g}" if sheet.unit or len(sheet.levels) > 1 else ""


def origin(sheet: Sheet) -> str:
    """Which noise a sheet's `Spread` is that of."""
    if sheet.lawful:
        return f"unclipped noise on {PATCHES} mid-grey patches of {PATCH}x{PATCH} pixels"
    return f"the 8-bit residual of the images of `{sheet.dataset}`"


def sentence(text: str) -> str:
    """A text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def number(value: float, digits: int) -> str:
    """A number, or a dash for NaN; -0.00 is 0.00."""
    return f"{round(value, digits) + 0.0:.{digits}f}" if np.isfinite(value) else ABSENT
