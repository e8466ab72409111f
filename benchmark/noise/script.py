"""The random numbers of published test scripts: NumPy's legacy generator, seeded for each image."""

from typing import Any

import numpy as np

BELOW_1 = np.nextafter(np.float32(1), np.float32(0))  # float64 above it would be rounded to 1


class Script(np.random.Generator):
    """NumPy's legacy generator after ``numpy.random.seed``, for noises written for the new one.

    ``standard_normal``, ``normal``, ``uniform``, ``random`` and ``poisson`` give the numbers of the
    functions of these names in ``numpy.random``; other laws are drawn by the new generator from the
    same stream of bits.

    Parameters
    ----------
    seed
        At least 0, below 2^32.
    bgr
        Whether the last of three or more axes, of length 3, is drawn in reverse order: as a script
        draws it whose images are in BGR order, as OpenCV reads them.
    """

    def __init__(self, seed: int, bgr: bool = False):
        if not 0 <= seed < 2**32:
            raise ValueError(f"numpy.random.seed takes 0 to 4294967295, got seed {seed}")
        bits = np.random.MT19937()
        super().__init__(bits)
        self._legacy, self._bgr = np.random.RandomState(bits), bgr
        self._legacy.set_state(np.random.RandomState(seed).get_state(legacy=False))

    def __deepcopy__(self, memo: object) -> "Script":
        copied = Script(0, self._bgr)
        copied._legacy.set_state(self._legacy.get_state())
        return copied

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        return _given(self._of(self._legacy.standard_normal, (), size), dtype, out)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return self._of(self._legacy.normal, (loc, scale), size)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return self._of(self._legacy.uniform, (low, high), size)

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        drawn = self._of(self._legacy.random_sample, (), size)
        if np.dtype(dtype if out is None else out.dtype) == np.float32:
            drawn = np.minimum(drawn, BELOW_1)
        return _given(drawn, dtype, out)

    def poisson(self, lam: Any = 1.0, size: Any = None) -> Any:
        return self._of(self._legacy.poisson, (lam,), size)

    def _of(self, law: Any, parameters: tuple[Any, ...], size: Any) -> Any:
        own = np.broadcast_shapes(*map(np.shape, parameters))
        shape = own if size is None else tuple(np.atleast_1d(size))
        if not (self._bgr and len(shape) >= 3 and shape[-1] == 3):
            return law(*parameters, size)
        return _reversed(law(*map(_reversed, parameters), size))


def _reversed(values: Any) -> Any:
    """Values in reverse order of the channels, where there is one for each."""
    return values[..., ::-1] if np.shape(values)[-1:] == (3,) else values


def _given(drawn: Any, dtype: Any, out: Any) -> Any:
    """Numbers of a law in the type which was asked for, or in an array that was handed in."""
    if out is None:
        return np.asarray(drawn).astype(dtype)[()]
    out[...] = drawn
    return out
