"""Plugins of strangers: what no config can hold is left out by name, and stops nothing else."""

import sys
from importlib.metadata import EntryPoint

import pytest

from benchmark import registry
from benchmark.objects.registries import REGISTRIES

NOISE = """
import argparse, enum, pathlib, sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Optional, Union
import numpy as np
from benchmark.noise import NOISE_MODELS, NoiseModel
from benchmark.datasets.dataset import DATASETS, Dataset
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.metrics import METRICS, Metric
if TYPE_CHECKING:
    from decimal import Decimal

class Colour(enum.Enum):
    RED = 1

class Plain(NoiseModel):
    unit = "u"
    levels = (1.0,)
    def sample(self, clean, level, rng): return clean

"""

FINE = """
@NOISE_MODELS.register("fine")
@dataclass(frozen=True)
class Fine(NoiseModel):
    unit = "u"
    levels: tuple[float, ...] = (5,)
    shape: Literal["round", "square"] = "round"
    edge: Literal["soft", "hard"] | None = None
    order: tuple[Literal["x", "y"], ...] = ("x",)
    maybe: Optional[int] = None
    def sample(self, clean, level, rng):
        return clean + level / 255
"""


def with_keyword(annotated: str) -> str:
    return f"""
@NOISE_MODELS.register("odd")
class Odd(Plain):
    def __init__(self, levels: tuple[float, ...] = (1,), {annotated}): pass
"""


@pytest.fixture
def plugin(monkeypatch, tmp_path):
    """Let the code of a module be the one plugin installed; the registries are restored."""
    known = [(found, dict(found.data)) for found in REGISTRIES.values()]
    for name in ("odd_plugin", "fine_plugin"):  # another test may have modules of these names
        sys.modules.pop(name, None)
    folder = tmp_path.parent / f"{tmp_path.name}_plugin"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def install(**modules: str) -> None:
        for name, code in modules.items():
            (folder / f"{name}.py").write_text(NOISE + code)
        entries = [EntryPoint(name, name, registry.ENTRY_POINT_GROUP) for name in modules]
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)

    yield install
    for found, data in known:
        found.data = data
    for name in ("odd_plugin", "fine_plugin"):
        sys.modules.pop(name, None)


KEYWORDS = [
    "size: int | str = 1",
    "size: Union[int, float, None] = 1",
    "size: Literal[1, 2] = 1",
    "size: Literal['a', 1] = 'a'",
    "size: tuple[int, str] = (1, 'a')",
    "size: tuple = ()",
    "size: 'Decimal' = None",
    "size: 'nonsense[' = None",
    "size: 'int.nothing' = 1",
    "size: Colour = Colour.RED",
    "size: pathlib.Path = pathlib.Path('.')",
    "size: bytes = b''",
    "size: np.ndarray = None",
    "size: complex = 1j",
    "size: set[int] = frozenset()",
    "size: object = None",
    "size: int = None",
    "size: int = 2.5",
    "size: list[dict[tuple, int]] = []",
    "size=1",
    "*, size: int",
    "*, size",
]


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_signature_that_no_config_can_hold_is_left_out_by_keyword(bench, plugin, keyword):
    plugin(odd_plugin=with_keyword(keyword), fine_plugin=FINE)
    status, _, err = bench("run", "model=identity", "noise=all", "--cfg", "job")
    assert (status, err.count("\n")) == (0, 1), err
    assert "plugin 'odd_plugin' (odd_plugin): noise model 'odd', odd_plugin.Odd, is left out" in err
    assert "'size'" in err
    assert "odd" not in REGISTRIES["noise"]
    assert "fine" in REGISTRIES["noise"]


def test_a_noise_written_for_colours_is_left_out_of_grey_images_by_name(bench, plugin):
    plugin(fine_plugin=FINE.replace("level / 255", "0 * clean[..., 1][..., None]"))
    words = ["noise=[gaussian(25),fine]", "data.photos.limit=1", "data.photos.crop=32", "out=o"]
    status, out, err = bench("run", "model=tv", *words, "protocol=kair_grey")
    assert (status, err) == (0, "")
    assert "no noise fine of grey images: IndexError: index 1 is out of bounds" in out


@pytest.mark.parametrize("law", ["np.random.standard_normal(clean.shape) / 9", "next(COUNTED)"])
def test_a_noise_which_draws_from_elsewhere_is_refused(bench, plugin, law):
    counted = "import itertools\nCOUNTED = itertools.count()\n"
    plugin(fine_plugin=counted + FINE.replace("level / 255", law))
    status, _, err = bench("run", "model=identity", "noise=fine", "data.photos.limit=1", "out=o")
    assert status == 2
    assert "noise 'fine' makes other pixels each time it is given the same random generator" in err


CLASSES = {
    "no subclass": "@NOISE_MODELS.register('odd')\nclass Odd: pass",
    "benchmark.denoiser.Denoiser": "@DENOISERS.register('odd')\nclass Odd(Plain): pass",
    "does not write sample": "@NOISE_MODELS.register('odd')\nclass Odd(NoiseModel): levels = ()",
    "Odd writes sample, but its law is sample_pair": (
        "@NOISE_MODELS.register('odd')\nclass Odd(Plain):\n"
        "    def sample(self, clean, level, rng): return clean\n"
        "    def sample_pair(self, clean, level, rng): return clean, clean"
    ),
    "its unit": (
        "@NOISE_MODELS.register('odd')\nclass Odd(NoiseModel):\n"
        "    levels = (1,)\n    def sample(self, clean, level, rng): return clean"
    ),
    "higher_is_better": "@METRICS.register('odd')\nclass Odd(Metric): pass",
    "its levels are 25, and should be a tuple of numbers": (
        "@NOISE_MODELS.register('odd')\n@dataclass(frozen=True)\nclass Odd(NoiseModel):\n"
        "    unit = 'u'\n    levels: float = 25\n"
        "    def sample(self, clean, level, rng): return clean"
    ),
    "its levels are ('5', '10'), and should be": (
        "@NOISE_MODELS.register('odd')\nclass Odd(Plain): levels = ('5', '10')"
    ),
    "its suites are 'mine', and should be a tuple of texts: suites = ('mine',)": (
        "@NOISE_MODELS.register('odd')\nclass Odd(Plain): suites = 'mine'"
    ),
    "it writes levels = (5, 10) without a type, so that (15, 25, 50) stays the default": (
        "from noise_models.gaussian import Gaussian\n"
        "@NOISE_MODELS.register('odd')\nclass Odd(Gaussian): levels = (5, 10)"
    ),
    "it writes crop = 64 without a type, so that None stays the default": (
        "from benchmark.datasets import Folder\n"
        "@DATASETS.register('odd')\nclass Odd(Folder): crop = 64"
    ),
    "its name should be": "@NOISE_MODELS.register('../odd')\nclass Odd(Plain): pass",
    "no word such as 'all'": "@NOISE_MODELS.register('all')\nclass Odd(Plain): pass",
    "several noises at once": "@NOISE_MODELS.register('paper')\nclass Odd(Plain): pass",
    "test_time names 'size'": (
        "@DENOISERS.register('odd')\nclass Odd(Denoiser):\n    test_time = ('size',)"
    ),
    "its variant 'big' sets 'size', which is no setting at test time": (
        "@DENOISERS.register('odd')\nclass Odd(Denoiser):\n    variants = {'big': {'size': 2}}"
    ),
    "cannot say what there is of it: KeyError": (
        "@DATASETS.register('odd')\nclass Odd(Dataset):\n    source = 's'\n"
        "    def status(self): raise KeyError('x')"
    ),
    "has two owners": "@NOISE_MODELS.register('gaussian')\nclass Odd(Plain): pass",
    "RuntimeError: no licence": "raise RuntimeError('no licence')",
    "SyntaxError": "def",
    "ends the program when it is imported": (
        "parser = argparse.ArgumentParser()\nparser.add_argument('--odd', required=True)\n"
        "parser.parse_args()"
    ),
    "status 3": "sys.exit(3)",
    "ZeroDivisionError": "@NOISE_MODELS.register('odd')\nclass Odd(Plain): pass\n1 / 0",
}


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize("problem", CLASSES)
def test_whatever_is_wrong_with_a_plugin_stops_nothing_else(bench, plugin, problem):
    before = {name: dict(found.data) for name, found in REGISTRIES.items()}
    plugin(odd_plugin=CLASSES[problem], fine_plugin=FINE)
    status, _, err = bench("run", "model=identity", "noise=fine", "--cfg", "job")
    assert (status, err.count("\n")) == (0, 1), err
    assert err.startswith("bench: plugin 'odd_plugin' (odd_plugin)")
    assert "left out" in err
    assert problem in err
    del REGISTRIES["noise"].data["fine"]
    assert {name: dict(found.data) for name, found in REGISTRIES.items()} == before


def test_what_is_ours_fits():
    from benchmark.cli.registered.plugins import unfit

    assert not [
        unfit(found, cls)
        for found in REGISTRIES.values()
        for cls in found.values()
        if unfit(found, cls)
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["noise.fine.shape=oval"], "noise.fine.shape=oval is unknown; choose round or square"),
        (["noise.fine.edge=x"], "noise.fine.edge=x is unknown; choose soft or hard"),
        (["noise.fine.order=[x,z]"], "noise.fine.order=z is unknown; choose x or y"),
        (["noise=fine(5,shape=oval)"], "fine's shape is round or square, got oval"),
    ],
)
def test_a_Literal_of_texts_is_a_choice(bench, plugin, words, sentence):
    plugin(fine_plugin=FINE)
    noise = [] if words[0].startswith("noise=") else ["noise=fine"]
    status, _, err = bench("run", "model=identity", *noise, *words)
    assert (status, err.count("\n")) == (2, 1), err
    assert sentence in err


def test_choices_are_listed_and_taken(bench, plugin):
    plugin(fine_plugin=FINE)
    _, out, _ = bench("list", "noise")
    assert "shape: round, square" in out
    words = ["noise.fine.shape=square", "noise.fine.edge=null", "noise.fine.order=[y,x]"]
    status, out, err = bench("run", "model=identity", "noise=fine", *words, "--cfg", "job")
    assert (status, err) == (0, "")
    assert "shape: square" in out
