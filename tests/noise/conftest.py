"""Noises for formulas."""

from collections.abc import Iterator

import pytest
from toy_noises import Darkroom, Filed, Fussy

from benchmark.noise import NOISE_MODELS


@pytest.fixture(scope="module")
def doubles() -> Iterator[None]:
    """Those of `toy_noises` are registered while the tests of a file run."""
    with pytest.MonkeyPatch.context() as patch:
        for name, cls in {"fussy": Fussy, "filed": Filed, "darkroom": Darkroom}.items():
            cls.name = name
            patch.setitem(NOISE_MODELS.data, name, cls)
        yield
