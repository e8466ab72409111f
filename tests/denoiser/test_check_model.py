"""What `check-model` finds in a model."""

import importlib
from collections.abc import Iterator

import pytest
from hydra.core.config_store import ConfigStore
from toy_outputs import (
    BAD,
    DTYPES,
    GOOD,
    SHAPES,
    TYPES,
    Raises,
    Returns,
    one_of_each,
)

from benchmark.denoiser import DENOISERS
from benchmark.denoiser.promises import CHECKS, check

# what a network may return by mistake, and what is said of it


UNKEPT = ("expanded", "a hot pixel", "changes its input")  # tiles, 1x1 pixels, its input


# check-model


@one_of_each
def test_check_model_names_what_is_wrong(how):
    outcomes = check(Returns(how=how))
    assert len(outcomes) == len(CHECKS)
    found = {one.name: one.found for one in outcomes if one.kept is False}
    row = "shape" if how in TYPES or how in SHAPES else "dtype" if how in DTYPES else "value range"
    assert BAD[how][1] in found[row] and "returned" in found[row]
    assert "Traceback" not in "".join(one.found for one in outcomes)


@pytest.mark.parametrize("how", [h for h in GOOD if h not in UNKEPT])
def test_check_model_takes_a_picture_in_another_dress(how):
    broken = {one.name: one.found for one in check(Returns(how=how)) if one.kept is False}
    assert not broken


def test_check_model_finds_a_scale_which_leaves_the_range_in_dark_pixels_alone():
    model = Returns(how="half")
    model.how = lambda noisy: noisy - 0.5
    broken = {one.name: one.found for one in check(model) if one.kept is False}
    assert "values from -0.5 to 0.5, 5" in broken["value range"]


@pytest.mark.parametrize(
    "error", [RuntimeError("a\nb"), TypeError(), KeyError("c"), RecursionError("deep")]
)
def test_check_model_survives_what_a_model_raises(error):
    outcomes = check(Raises(error))
    broken = {one.name: one.found for one in outcomes if one.kept is False}
    assert broken.keys() == {one.__name__.replace("_", " ") for one in CHECKS} - {"level not told"}
    assert all(type(error).__name__ in said and "\n" not in said for said in broken.values())


# the commands


@pytest.fixture
def registered(monkeypatch) -> Iterator[None]:
    """A class which commands know: where the registries are loaded, they look at them."""
    importlib.import_module("benchmark.objects.registries")
    monkeypatch.setitem(DENOISERS.data, "returns", Returns)
    yield
    ConfigStore.instance().repo.pop("model", None)


@pytest.mark.sampled(every=5)
@one_of_each
@pytest.mark.usefixtures("registered")
def test_a_run_ends_with_a_sentence_and_writes_no_cell(how, bench, images, tmp_path):
    words = [f"+data={{d: {{of: folder, path: {images}}}}}", "noise=gaussian", "out=o"]
    words += ["model=returns", f"model.returns.how='{how}'", "noise.gaussian.levels=[15]"]
    status, _, err = bench("run", *words)
    assert status == 2
    said = err.strip().splitlines()[-1]
    assert said.startswith("bench: returns on ") and ", image " in said and BAD[how][1] in said
    assert "Traceback" not in err
    assert not list(tmp_path.glob("o/cells/returns/**/*.json"))


@pytest.mark.usefixtures("registered")
def test_check_model_ends_with_status_1(bench):
    status, out, _ = bench("check-model", "returns", "model.returns.how=dict")
    assert str(status).startswith("bench: not every denoiser keeps its promises: returns, shape")
    assert "returned a dict of restored" in out
