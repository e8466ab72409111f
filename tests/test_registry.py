"""The registry's promises: one owner a name, readable errors, and strangers who may fail."""

import warnings
from importlib.metadata import EntryPoint

import pytest

from benchmark import registry
from benchmark.registry import NameTaken, Registry, UnknownName, load_plugins


@pytest.fixture
def noises() -> Registry:
    """A registry with two names."""
    found = Registry("noise model")

    @found.register("gaussian")
    class Gaussian:
        pass

    @found.register("poisson")
    class Poisson:
        pass

    return found


def plugins(monkeypatch, **values: str) -> None:
    """Let the installed plugins be these, name to module."""
    entries = [EntryPoint(n, value, registry.ENTRY_POINT_GROUP) for n, value in values.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)


def test_registering_names_the_class(noises):
    assert noises["gaussian"].name == "gaussian"
    assert list(noises) == ["gaussian", "poisson"]


def test_an_unknown_name_is_answered_with_the_closest_and_all_known(noises):
    with pytest.raises(UnknownName) as caught:
        noises["gausian"]
    message = "unknown noise model 'gausian'; did you mean 'gaussian'? Known: gaussian, poisson"
    assert str(caught.value) == message


def test_a_name_like_no_other_is_answered_without_a_guess(noises):
    with pytest.raises(KeyError, match=r"^unknown noise model 'xyz'\. Known: gaussian, poisson$"):
        noises["xyz"]


def test_a_second_owner_is_refused_by_naming_both_and_changes_nothing(noises):
    first = noises["gaussian"]

    class Impostor:
        pass

    with pytest.raises(NameTaken, match=r"Gaussian and .*Impostor; rename one"):
        noises.register("gaussian")(Impostor)
    assert noises["gaussian"] is first
    assert not hasattr(Impostor, "name")


def test_a_module_imported_again_is_no_second_owner(noises):
    again = type("Gaussian", (), {})
    again.__module__ = noises["gaussian"].__module__
    again.__qualname__ = noises["gaussian"].__qualname__
    noises.register("gaussian")(again)
    assert noises["gaussian"] is again


def test_a_broken_plugin_is_a_warning_naming_it_and_the_next_one_is_loaded(
    monkeypatch, tmp_path, noises
):
    (tmp_path / "broken_plugin.py").write_text("raise RuntimeError('no licence found')")
    (tmp_path / "fine_plugin.py").write_text("LOADED = True")
    monkeypatch.syspath_prepend(tmp_path)
    plugins(monkeypatch, broken="broken_plugin", fine="fine_plugin", gone="no_such_plugin")
    with pytest.warns(UserWarning) as caught:
        load_plugins()
    messages = [str(warning.message) for warning in caught]
    assert messages == [
        "plugin 'broken' (broken_plugin) cannot be imported and is left out: "
        "RuntimeError: no licence found",
        "plugin 'gone' (no_such_plugin) cannot be imported and is left out: "
        "ModuleNotFoundError: No module named 'no_such_plugin'",
    ]
    import fine_plugin

    assert fine_plugin.LOADED


def test_a_plugin_that_takes_our_name_is_left_out_naming_both(monkeypatch, tmp_path):
    (tmp_path / "greedy_plugin.py").write_text(
        "from benchmark.noise import NOISE_MODELS\n"
        "@NOISE_MODELS.register('gaussian')\n"
        "class Mine: pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    plugins(monkeypatch, greedy="greedy_plugin")
    with pytest.warns(UserWarning, match=r"'greedy' .*noise_models\.gaussian\.Gaussian and greedy"):
        load_plugins()
    assert _registries()["noise"]["gaussian"].__module__ == "noise_models.gaussian"


def test_loading_twice_changes_nothing_and_warns_of_nothing(monkeypatch):
    plugins(monkeypatch)
    before = {name: dict(found) for name, found in _registries().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_plugins()
    assert {name: dict(found) for name, found in _registries().items()} == before


def _registries() -> dict[str, Registry]:
    from benchmark.objects.registries import REGISTRIES

    return REGISTRIES
