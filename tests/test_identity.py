"""Every setting of every registered class is a part of a cell's identity, but for those named here.

The promises of a declaration itself, and plugins, are in ``test_settings.py``.
"""

import pytest
from omegaconf import OmegaConf

from benchmark.cli.objects.specs import spec_of
from benchmark.denoiser import DENOISERS
from benchmark.objects.building import recorded_settings
from benchmark.objects.registries import REGISTRIES
from benchmark.settings import identity_of
from benchmark.signature import settings_of

# what does not count as it stands: its file's content does, or nothing of it
CONTENT = {
    "model": {"deepinv weights", "onnx file", "spandrel weights", "torchscript file"},
    "noise": {"isp camera"},
    "data": set(),
    "metric": set(),
}
NOTHING = {
    "model": {"files manifest", "files path"},
    "noise": {f"{name} levels" for name in REGISTRIES["noise"] if name != "formula"},  # in the key
    "data": {"folder path", "pairs path", "mc_render path", "mc_render levels"},
    "metric": {"lpips backbone"},
}
ALIKE = "first copy"  # files of one content


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    """Two files of one content, and one of another."""
    paths = {name: tmp_path / name for name in ("first", "copy", "other")}
    for name, path in paths.items():
        path.write_text(ALIKE if name in ALIKE else name)
    return {name: str(path) for name, path in paths.items()}


def counted(cls: type, setting: str, files: dict[str, str]) -> str:
    """What tells two objects apart which differ in one setting: its word, its content, nothing."""
    first, copy, other = (identity_of(cls, {setting: path}) for path in files.values())
    if first == copy == other:
        return "nothing"
    return "content" if first == copy else "word"


@pytest.mark.parametrize("group", REGISTRIES)
def test_every_setting_counts_as_it_stands_but_for_those_of_the_table(group, files):
    found = {
        f"{name} {setting}": counted(cls, setting, files)
        for name, cls in REGISTRIES[group].items()
        if name != "formula"  # its identity is that of the noises in it: test_settings.py
        for setting in settings_of(cls)
    }
    assert found  # every group has settings
    assert {key for key, kind in found.items() if kind == "content"} == CONTENT[group]
    assert {key for key, kind in found.items() if kind == "nothing"} == NOTHING[group]


@pytest.mark.parametrize("name", [name for name, cls in DENOISERS.items() if cls.learned])
def test_the_content_of_a_networks_weights_counts_and_not_their_name(name, files):
    first, copy, other = (
        recorded_settings(spec_of("model", "mine", OmegaConf.create({"of": name, "weights": path})))
        for path in files.values()
    )
    assert first == copy
    assert first["weights"] != other["weights"]
