"""What is given in Python: the same objects, and the same records, as a command line's words."""

import json
from pathlib import Path

import numpy as np
import pytest
from doubles import Spy

from benchmark.cli.objects.specs import spec_of
from benchmark.cli.registered import catalogue
from benchmark.datasets import DATASETS
from benchmark.denoiser.weights.load import shipped
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS, Formula
from benchmark.objects.building import recorded_settings
from benchmark.objects.given import chosen
from benchmark.objects.registries import REGISTRIES, available, suites

CHOICES = [
    ("noise", "speckle", {"levels": [3, 4]}),
    ("data", "photos", {"crop": 40, "limit": 2}),
    ("metric", "psnr", {"border": 3}),
    ("model", "masked", {"mask": False}),
    ("model", "tv", {"strength": 0.5}),
]


@pytest.mark.parametrize(("group", "name", "settings"), CHOICES)
def test_settings_are_recorded_as_those_of_a_command_line(group, name, settings):
    typed = recorded_settings(spec_of(group, "mine", {"of": name, **settings}))
    given = chosen(group, {"mine": {"of": name, **settings}})["mine"].recorded
    assert json.loads(json.dumps(given)) == json.loads(json.dumps(typed))


@pytest.mark.parametrize(
    ("group", "made"),
    [
        ("noise", NOISE_MODELS["speckle"]()),
        ("noise", Formula(formula="gaussian(25)>>jpeg(50)")),
        ("data", DATASETS["photos"](crop=40)),
        ("metric", METRICS["ssim"]()),
    ],
)
def test_an_object_of_a_registered_class_is_recorded_as_its_settings(group, made):
    ((name, one),) = chosen(group, made).items()
    same = chosen(group, {name: {"of": made.name, **vars(made)}} if group != "noise" else name)
    assert one.made is made
    assert one.recorded == same[name].recorded


@pytest.mark.parametrize("group", REGISTRIES)
def test_all_is_what_it_is_on_the_command_line(group):
    entries = catalogue.open_catalogue().groups[group]
    typed = [name for name, e in sorted(entries.items()) if not catalogue.unavailable(group, e)]
    assert available(group) == typed


def test_a_suite_is_its_noises_and_levels_of_one_noise_are_joined():
    found = chosen("noise", ["gaussian(25)", "gaussian(15)", "salt_and_pepper"])
    assert found["gaussian"].made.levels == (15, 25)
    assert set(chosen("noise", "paper")) == set(suites()["paper"]) & set(available("noise"))


def test_weights_may_be_a_path():
    path = shipped(REGISTRIES["model"]["masked"])
    given = [chosen("model", {"masked": {"weights": w}}) for w in (None, path, str(path))]
    assert isinstance(path, Path)
    assert len({json.dumps(one["masked"].recorded) for one in given}) == 1


def test_numbers_of_numpy_are_those_of_python():
    given = chosen("model", {"masked": {"passes": np.int64(2)}})["masked"].recorded
    assert json.loads(json.dumps(given))["passes"] == 2
    levels = chosen("noise", {"gaussian": {"levels": np.array([25.0])}})["gaussian"].made.levels
    assert levels == (25.0,)


def test_arrays_are_called_images_alone_and_beside_names():
    image = np.zeros((4, 4, 3))
    assert [*chosen("data", image)] == ["images"]
    assert [*chosen("data", ["photos", image])] == ["photos", "images"]


@pytest.mark.parametrize(
    ("group", "given", "message"),
    [
        ("model", {"masked": {"mask": "false"}}, "model 'masked': mask is bool, got str 'false'"),
        ("model", {"masked": {"passes": 2.5}}, "passes is int, got float 2.5"),
        ("model", {"dncnn": {"weights": 5}}, r"weights is str \| None, got int 5"),
        ("noise", {"gaussian": {"levels": 25}}, r"levels is list\[float\], got int 25"),
        ("noise", {"poisson": {"adaptive": 1}}, "adaptive is bool, got int 1"),
        ("noise", {"gaussian": {"levels": [True]}}, r"levels is list\[float\], got tuple"),
        ("metric", Spy(), None),
        ("metric", object(), "got an object of type object"),
        ("noise", DATASETS["photos"](), "got an object of type Photos"),
        ("data", ["photos", "photos"], "has 'photos' twice"),
        ("data", [], "chooses nothing"),
        ("data", {"all": np.zeros((4, 4, 3))}, "cannot have this name"),
    ],
)
def test_what_is_no_object_of_its_group_is_refused(group, given, message):
    if message is None:
        assert list(chosen(group, given)) == ["spy"]
    else:
        with pytest.raises(ValueError, match=message):
            chosen(group, given)
