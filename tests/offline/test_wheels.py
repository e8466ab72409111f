"""A plugin's wheel is made of what is installed; where that cannot be, a sentence says so."""

import json
from importlib import metadata
from pathlib import Path

import pytest

from benchmark.offline import wheels
from benchmark.offline.bundle import pack, place_of, unpack

SETUP = """
from setuptools import setup
setup(name="acme-noise", version="1.5", py_modules=["acme_noise"])
"""


@pytest.fixture
def source(tmp_path) -> Path:
    """The folder of a plugin's source."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "setup.py").write_text(SETUP)
    (folder / "acme_noise.py").write_text("")
    return folder


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Makes pip's record of an installation, of this version and from this address."""

    def install(version: str, url: str | None) -> None:
        info = tmp_path / "site" / "acme_noise.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: acme-noise\nVersion: {version}\n"
        )
        if url:
            (info / "direct_url.json").write_text(json.dumps({"url": url, "dir_info": {}}))
        monkeypatch.syspath_prepend(str(info.parent))
        monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # of pip: its way to say yes
        monkeypatch.setenv("PIP_NO_INDEX", "1")

    return install


@pytest.mark.slow
def test_the_wheel_is_of_the_source_and_the_lock_has_its_name_version_and_hash(
    source, installed, tmp_path, monkeypatch
):
    installed("1.5", source.as_uri())
    wheel, path = wheels.build_wheel("acme-noise", tmp_path / "built")
    assert (wheel.name, wheel.version) == ("acme-noise", "1.5")
    bundle = pack({wheel.file: path}, "bench run", tmp_path / "run.tar", [wheel])
    (entry,) = bundle.lock()["plugins"]
    assert entry.items() >= {"name": "acme-noise", "version": "1.5", "file": wheel.file}.items()
    assert len(entry["sha256"]) == 64
    monkeypatch.setattr("benchmark.files.places.user_cache_path", lambda app: tmp_path / app)
    assert unpack(tmp_path / "run.tar").plugins == [wheel]
    assert place_of(wheel.file).read_bytes() == path.read_bytes()
    (read,) = metadata.distributions(path=[str(place_of(wheel.file))])
    assert read.version == "1.5"


@pytest.mark.slow
def test_a_source_of_another_version_than_the_installed_one_is_refused(source, installed, tmp_path):
    installed("1.4", source.as_uri())
    with pytest.raises(ValueError, match=r"acme-noise 1\.4 is not in .* version 1\.5 .* by hand"):
        wheels.build_wheel("acme-noise", tmp_path / "built")


def test_a_plugin_which_cannot_be_fetched_is_to_be_brought_by_hand(installed, tmp_path):
    installed("1.5", None)
    with pytest.raises(ValueError, match=r"no wheel of acme-noise==1\.5 .*by hand: pip wheel"):
        wheels.build_wheel("acme-noise", tmp_path / "built")


def test_a_bundle_without_plugins_has_the_lock_it_had(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"a")
    lock = pack({"here/a.png": path}, "bench run", tmp_path / "run.tar").lock()
    assert lock.keys() == {"run", "files"}
