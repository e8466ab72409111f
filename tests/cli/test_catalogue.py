"""The catalogue of what is registered: never wrong, whatever becomes of its file, and fast."""

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from benchmark import registry
from benchmark.cli.registered import catalogue
from benchmark.cli.registered.catalogue import open_catalogue

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """Where the catalogue of a process is kept which has not loaded the registries."""
    monkeypatch.setattr(catalogue, "LOADED", "nothing.that.is.loaded")
    monkeypatch.setattr(catalogue, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path / "noisebench" / "catalogue.json"


def test_what_is_kept_is_what_was_made(file):
    made, kept = open_catalogue(), open_catalogue()
    assert (made.fresh, kept.fresh) == (True, False)
    assert (kept.kinds, kept.groups) == (made.kinds, made.groups)


DAMAGES = {
    "empty": lambda text: "",
    "cut": lambda text: text[: len(text) // 2],
    "no mapping": lambda text: "[]",
    "without groups": lambda text: json.dumps({**json.loads(text), "groups": {}}),
    "another entry": lambda text: text.replace('"summary"', '"sumary"', 1),
    "another fingerprint": lambda text: text.replace('"fingerprint": "', '"fingerprint": "0'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_again(file, damage):
    made = open_catalogue()
    whole = file.read_text()
    file.write_text(DAMAGES[damage](whole))
    again = open_catalogue()
    assert (again.fresh, again.groups) == (True, made.groups)
    assert file.read_text() == whole


def test_a_changed_plugin_makes_it_again(file, tmp_path, monkeypatch):
    module = tmp_path / "odd_plugin_of_the_catalogue.py"
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("odd", module.stem, registry.ENTRY_POINT_GROUP)
    before = open_catalogue().groups
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    for text in ("", "# longer"):
        module.write_text(text)
        assert open_catalogue().fresh
        assert not open_catalogue().fresh
    assert open_catalogue().groups == before


def test_a_plugin_which_is_left_out_is_said_each_time(file, tmp_path, monkeypatch):
    entry = EntryPoint("odd", "no_such_module_of_a_plugin", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    for _ in range(2):
        with pytest.warns(UserWarning, match="plugin 'odd'"):
            assert open_catalogue().fresh
    assert not file.exists()


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(file):
    file.parent.write_text("a file in the way")
    assert open_catalogue().groups == open_catalogue().groups


def test_who_has_no_home_gets_a_catalogue_all_the_same(file, monkeypatch):
    def homeless(name):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(catalogue, "user_cache_path", homeless)
    assert open_catalogue().fresh
    assert not file.exists()


def test_a_plugin_which_warns_of_something_else_is_kept(file, tmp_path, monkeypatch):
    module = tmp_path / "warning_plugin_of_the_catalogue.py"
    module.write_text("import warnings\nwarnings.warn('old', FutureWarning)\n")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("warning", module.stem, registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    with pytest.warns(FutureWarning, match="old"):
        assert open_catalogue().fresh
    assert not open_catalogue().fresh


def test_an_edit_of_the_same_size_and_time_makes_it_again(file, tmp_path, monkeypatch):
    module = tmp_path / "edited_plugin_of_the_catalogue.py"
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("edited", module.stem, registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    for text in ("# one", "# two"):
        module.write_text(text)
        os.utime(module, (1e9, 1e9))
        assert open_catalogue().fresh
    assert not open_catalogue().fresh


def test_a_plugin_whose_module_has_no_place_costs_no_command(file, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    entry = EntryPoint("odd", "__main__", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    assert open_catalogue().groups == open_catalogue().groups


@pytest.fixture(scope="module")
def warm(tmp_path_factory) -> dict[str, str]:
    """An environment in which a command was given before."""
    cache = tmp_path_factory.mktemp("cache")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}
    environment.pop("NOISEBENCH_DATA", None)
    assert loaded(environment, "run", "model=maskd")  # made, which needs the registries
    return environment


def loaded(environment: dict[str, str], *words: str) -> list[str]:
    """Which slow packages a command loads."""
    slow = ("torch", "hydra", "pandas", "scipy.stats", "matplotlib", "skimage")
    script = (
        "import sys, benchmark.cli as cli\n"
        "try: cli.main()\n"
        f"finally: print('loaded', *[name for name in {slow} if name in sys.modules])"
    )
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize(
    "words",
    [
        "run model=maskd",
        "run nois=all",
        "run noise.gaussian.levls=[1]",
        "train preset=fats",
        "run model",
        "run --help",
        "--complete bench run mo",
    ],
)
def test_mistakes_in_words_and_help_need_no_package_that_loads_slowly(warm, words):
    assert loaded(warm, *words.split()) == []


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("words", ["list", "list model", "report out=nowhere"])
def test_lists_need_no_torch(warm, words):
    assert {"torch", "matplotlib", "skimage", "scipy.stats"}.isdisjoint(
        loaded(warm, *words.split())
    )
