"""What an object is identified by: its class's word, never a setting's name."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from omegaconf import OmegaConf

from benchmark.cli.objects.specs import spec_of
from benchmark.datasets.clean import Folder
from benchmark.datasets.dataset import Dataset
from benchmark.denoiser import Denoiser
from benchmark.metrics import METRICS, Metric
from benchmark.noise import NOISE_MODELS, NoiseModel
from benchmark.noise.formula import Formula
from benchmark.objects.building import build_one, recorded_settings
from benchmark.objects.registries import REGISTRIES
from benchmark.settings import declared, differences, identity_of, joined, plain
from benchmark.signature import settings_of
from benchmark.studies.noise_sheet.measures import measure

ROOT = Path(__file__).parents[1]
GROUPS = ("noise", "model", "data", "metric")
DECLARED = ("undeclared", "located", "files", "later")
OBJECTS = {"model": "model", "noise": "noise", "data": "dataset"}
FACTS = {"data": ("images", "sha256"), "model": ("tile", "precision", "runtime")}  # not settings
PLACES = ("path", "weights")  # names which sound like a place, or a file


@pytest.fixture(autouse=True)
def no_plugin_stays(monkeypatch) -> None:
    for registry in REGISTRIES.values():
        monkeypatch.setattr(registry, "data", dict(registry.data))


@pytest.fixture
def files(tmp_path) -> tuple[str, str, str]:
    """Two files of different content, and a copy of the first."""
    paths = [tmp_path / name for name in ("a.npz", "b.npz", "copy.npz")]
    for path, content in zip(paths, (b"first", b"second", b"first"), strict=True):
        path.write_bytes(content)
    return tuple(map(str, paths))


def plugin(group: str, setting: str, kind: str, **more: object) -> type:
    """A registered class of a group with one text setting, declared as one kind."""
    body = {
        "__module__": __name__,
        "__annotations__": {setting: str},
        setting: "",
        "source": "write some images",
        "higher_is_better": True,
        **more,
    }
    if kind != "undeclared":
        body[kind] = (setting,)
    if group == "noise":
        body |= {"unit": "nothing", "sample": lambda self, clean, level, rng: clean}
        body |= {"levels": (1.0,), "__annotations__": {"levels": tuple[float, ...], setting: str}}
        cls = dataclass(frozen=True)(type("Plugin", (NoiseModel,), body))
    elif group == "model":
        code = f"def constructor(self, *, {setting}: str = ''): Denoiser.__init__(self)"
        scope: dict[str, object] = {"Denoiser": Denoiser}
        exec(code, scope)  # a signature with a keyword of any name
        del body["__annotations__"], body[setting]
        body |= {"__init__": scope["constructor"], "forward": lambda self, noisy: noisy}
        cls = type("Plugin", (Denoiser,), body)
    else:
        base = Dataset if group == "data" else Metric
        cls = dataclass(frozen=True)(type("Plugin", (base,), body))
    REGISTRIES[group].register("plugin")(cls)
    return cls


def recorded(group: str, **settings: object) -> dict[str, object]:
    """What is recorded of the plugin, without what every dataset has."""
    node = OmegaConf.create({"of": "plugin", **settings})
    found = recorded_settings(spec_of(group, "mine", node))
    return {key: value for key, value in found.items() if key not in ("limit", "crop")}


@pytest.mark.parametrize("kind", DECLARED)
@pytest.mark.parametrize("setting", PLACES)
@pytest.mark.parametrize("group", GROUPS)
def test_what_a_setting_is_to_a_cell_is_its_classs_word_and_not_its_name(
    group, setting, kind, files
):
    plugin(group, setting, kind)
    first, other, copy = (recorded(group, **{setting: path}) for path in files)
    nothing = recorded(group)
    if kind == "located":
        assert first == other == nothing == {"of": "plugin"}
    elif kind == "files":
        digest = hashlib.sha256(b"first").hexdigest()
        assert first == copy == {"of": "plugin", setting: f"sha256:{digest}"}
        assert other != first
        assert nothing == {"of": "plugin", setting: ""}
    elif kind == "later":
        assert nothing == {"of": "plugin"}  # as stored before the setting was there
        assert first[setting] == files[0]
    else:
        assert len({json.dumps(found) for found in (first, other, copy, nothing)}) == 4
        assert first[setting] == files[0]


def test_a_constructor_that_hands_settings_on_has_those_of_its_base_first():
    class Base(Denoiser):
        def __init__(self, *, width: int = 8, depth: int = 2, file: str = ""):
            super().__init__()

    class Middle(Base):
        files = ("file",)

    class Heir(Middle):
        def __init__(self, *, rate: float = 0.5, depth: "int | None" = 4, **base):
            super().__init__(depth=depth, **base)

    class Alone(Heir):
        def __init__(self, *, rate: float = 0.1):
            super().__init__(rate=rate)

    assert settings_of(Heir) == {
        "width": (int, 8),
        "depth": (int | None, 4),
        "file": (str, ""),
        "rate": (float, 0.5),
    }
    assert list(settings_of(Heir)) == ["width", "depth", "file", "rate"]
    assert settings_of(Alone) == {"rate": (float, 0.1)}
    assert declared(Heir) == {"file": "files"}


def test_a_setting_of_the_base_that_no_config_can_hold_is_named_with_its_class():
    class Base(Denoiser):
        def __init__(self, *, width=8):
            super().__init__()

    class Heir(Base):
        def __init__(self, *, rate: float = 0.5, **base: object):
            super().__init__(**base)

    with pytest.raises(ValueError, match=r"Heir: keyword 'width' needs an annotation"):
        settings_of(Heir)


def test_a_subclass_keeps_what_its_base_declared_and_adds_its_own(files):
    @dataclass(frozen=True)
    class Calibrated(NOISE_MODELS["isp"]):
        files = ("curve",)
        curve: str = ""

    @dataclass(frozen=True)
    class Atlas(Folder):
        located = ("mirror",)
        mirror: str = ""
        taken: str = ""

    @dataclass(frozen=True)
    class Read(Folder):
        files = ("path",)

    assert declared(Calibrated)["camera"] == declared(Calibrated)["curve"] == "files"
    assert identity_of(Atlas, {"path": "a", "mirror": "b", "taken": "c"}) == {"taken": "c"}
    assert identity_of(Read, {"path": files[0]})["path"].startswith("sha256:")


def test_a_subclass_without_its_bases_setting_is_no_mistake():
    class Plain(Denoiser):
        files = ("lut",)

        def __init__(self, *, lut: str = ""):
            super().__init__()

    class Simple(Plain):
        def __init__(self, *, width: int = 1):
            super().__init__()

    assert identity_of(Simple, {"width": 2}) == {"width": 2}


@pytest.mark.parametrize("kind", ["located", "files"])
@pytest.mark.parametrize("group", GROUPS)
def test_a_declaration_of_a_setting_that_is_not_there_names_class_and_setting(group, kind):
    cls = plugin(group, "path", "undeclared", **{kind: ("pth",)})
    with pytest.raises(ValueError, match=rf"Plugin declares {kind} = \('pth',\).* no setting"):
        recorded(group)
    assert "levels" not in declared(Folder) and cls.name == "plugin"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"files": "path"}, r"files = 'path', which should be a tuple"),
        ({"located": ("path", 3)}, r"which should be a tuple"),
        ({"located": ("path",), "files": ("path",)}, "as located and as files"),
    ],
)
def test_a_wrong_declaration_is_a_sentence(wrong, sentence):
    plugin("metric", "path", "undeclared", **wrong)
    with pytest.raises(ValueError, match=sentence):
        recorded("metric", path="a")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("{}/none.npz", "there is no file"),
        ("{}", "is a folder"),
        ("~nobody-of-that-name/x", "cannot be read"),
        ("{}/a.npz/inside", "there is no file|cannot be read"),
        ("{}/fifo", "is no regular file"),
        ("{}/" + "x" * 5000, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_hashed_is_one_sentence(value, sentence, files, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    plugin("noise", "table", "files")
    with pytest.raises(ValueError, match=sentence) as error:
        recorded("noise", table=value.format(tmp_path))
    assert "'plugin' was given table=" in str(error.value)
    assert "name a file" in str(error.value)


def test_a_setting_that_names_several_files_is_the_content_of_each(files):
    @METRICS.register("plugin")
    @dataclass(frozen=True)
    class Several(Metric):
        files = ("tables",)
        higher_is_better = True
        tables: tuple[str, ...] = ()

    first, second = recorded("metric", tables=list(files[:2]))["tables"]
    assert first.startswith("sha256:") and first != second
    assert recorded("metric")["tables"] == []


def test_a_plugin_that_opens_its_file_at_once_is_the_same_sentence(tmp_path):
    @NOISE_MODELS.register("plugin")
    @dataclass(frozen=True)
    class Eager(NoiseModel):
        unit = "nothing"
        files = ("table",)
        levels: tuple[float, ...] = (1,)
        table: str = "none.npy"

        def __post_init__(self) -> None:
            np.load(self.table)

        def sample(self, clean, level, rng):
            return clean

    with pytest.raises(ValueError, match=r"table=none.npy, but there is no file"):
        build_one(spec_of("noise", "mine", OmegaConf.create({"of": "plugin"})))


def test_no_setting_and_no_fact_share_a_name():
    assert joined("model 'm'", {"width": 3}, {"tile": 64}) == {"width": 3, "tile": 64}
    with pytest.raises(ValueError, match="model 'm' has a setting 'tile' of its own"):
        joined("model 'm'", {"tile": 3}, {"tile": 64})


# formulas


@pytest.fixture
def with_table() -> type:
    return plugin("noise", "table", "files")


def formula(text: str) -> str:
    return identity_of(Formula, {"formula": Formula(formula=text).formula})["formula"]


@pytest.mark.parametrize(
    "shape",
    [
        'plugin(1,table="{}")',
        'gaussian(15)+plugin(1,table="{}")',
        'plugin(1,table="{}")>>jpeg(50)',
        'gaussian(15)+(poisson(2)>>plugin(1,table="{}"))',
    ],
)
def test_a_formula_records_the_content_of_its_files_and_not_their_names(shape, with_table, files):
    first, other, copy = (formula(shape.format(path)) for path in files)
    assert first == copy != other
    assert "a.npz" not in first and hashlib.sha256(b"first").hexdigest() in first
    node = OmegaConf.create({"of": "formula", "formula": shape.format(files[0])})
    assert recorded_settings(spec_of("noise", "mine", node)) == {"of": "formula", "formula": first}


def test_a_file_in_a_formula_that_is_gone_is_a_sentence(with_table):
    with pytest.raises(ValueError, match="'plugin' was given table=gone.npz, but there is no"):
        formula('gaussian(15)+plugin(1,table="gone.npz")')


def test_the_file_which_a_formula_names_by_default_counts_too(files):
    plugin("noise", "table", "files", table=files[0])
    before = formula("plugin(1)>>jpeg(50)")
    Path(files[0]).write_bytes(b"changed")
    assert formula("plugin(1)>>jpeg(50)") != before


def test_a_place_in_a_formula_is_no_part_of_what_it_records(files):
    plugin("noise", "root", "located")
    assert formula(f'plugin(1,root="{files[0]}")') == "plugin(1)"


@pytest.mark.parametrize(
    "text",
    [
        "gaussian(15)+poisson(2)>>jpeg(50)",
        "(gaussian(15)>>jpeg(50))+poisson(2)",
        'isp(1,protocol="A")>>jpeg(50)',
        "isp(1)+gaussian(15)",
    ],
)
def test_a_formula_without_files_is_recorded_as_it_was(text):
    assert formula(text) == Formula(formula=text).formula


# the noise sheets, which are the cells' twin


@pytest.mark.parametrize("kind", DECLARED)
@pytest.mark.parametrize("setting", PLACES)
def test_a_noise_sheet_shows_what_a_cell_records(setting, kind, files, tmp_path):
    cls = plugin("noise", setting, kind)
    images = tmp_path / "images"
    images.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    cv2.imwrite(str(images / "one.png"), pixels)
    sheet = measure("plugin", cls(**{setting: files[0]}), Folder(path=str(images)))
    expected = recorded("noise", **{setting: files[0]})
    assert {"of": "plugin", **sheet.settings} == expected


# the cells that are there


def committed() -> dict[str, tuple[str, dict[str, object]]]:
    """Every object that some committed cell records, once: its group, and what is recorded."""
    found = {}
    packed = [path.read_text() for path in ROOT.glob("results/**/cells.jsonl")]
    for line in "".join(packed).splitlines():
        settings = json.loads(line)["settings"]
        objects = [(name, settings[key]) for name, key in OBJECTS.items()]
        objects += [("metric", metric) for metric in settings["metrics"].values()]
        found |= {f"{group} {stored}": (group, stored) for group, stored in objects}
    return {key: it for key, it in found.items() if it[1]["of"] != "recorded"}


def test_the_committed_cells_are_identified_as_they_were(tmp_path):
    weights = tmp_path / "weights"  # those of the ablations are not in the repository
    weights.write_bytes(b"")
    objects = committed()
    for group, stored in objects.values():
        facts = FACTS.get(group, ())
        own = {key: value for key, value in stored.items() if key not in facts}
        hashed = {key for key, value in own.items() if str(value).startswith("sha256:")}
        node = OmegaConf.create({**own, **dict.fromkeys(hashed, str(weights))})
        found = recorded_settings(spec_of(group, "mine", node))
        assert {**found, **{key: own[key] for key in hashed}} == own
        assert all(found[key].startswith("sha256:") for key in hashed)
    assert len(objects) > 60


def test_plain_values_are_what_json_gives_back():
    settings = {"ratio": (80, 90.5), "of": {"levels": ((1, None),), "mask": True}}
    assert plain(settings) == json.loads(json.dumps(settings))


def test_differences_are_named_by_their_path_and_lists_compared_whole():
    before = {"seed": 0, "model": {"ratio": [80, 90], "depth": 3}}
    assert differences(before, before) == []
    after = {"seed": 0, "model": {"ratio": [75, 75], "width": 8}}
    assert differences(before, after) == [
        "model.ratio [80, 90] (now [75, 75])",
        "model.depth 3 (now absent)",
        "model.width absent (now 8)",
    ]
