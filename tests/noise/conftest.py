"""Two noises for formulas."""

from collections.abc import Iterator

import pytest
from toy_noises import Darkroom, Fussy

from benchmark.noise import NOISE_MODELS


@pytest.fixture(scope="module")
def doubles() -> Iterator[None]:
    """`Fussy` and `Darkroom` are registered while the tests of a file run."""
    with pytest.MonkeyPatch.context() as patch:
        for name, cls in {"fussy": Fussy, "darkroom": Darkroom}.items():
            cls.name = name
            patch.setitem(NOISE_MODELS.data, name, cls)
        yield
