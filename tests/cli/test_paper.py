"""``bench paper``: its plan from what is typed, commands which compose, a page from the disk."""

import csv
import sys
from pathlib import Path

import pytest

from benchmark.cli.objects.studies.paper import architecture_of, networks_of, plan_of
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import all_shipped
from benchmark.files.output import is_ours
from benchmark.studies.paper import making
from benchmark.studies.paper.plan import NETWORKS, PRESETS, Plan

SMALL = ["data.photos.limit=2", "data.photos.crop=64"]
FEW_CROPS = """
from benchmark.cli import main
from benchmark.studies.analyses import features

features.CROPS, features.SIDE = 4, 32
main()
"""


@pytest.fixture
def planned(bench, called):
    """What a command line plans."""
    given = called("paper")

    def plan(*words: str) -> Plan:
        status, _, err = bench("paper", *words)
        assert (status, err) == (0, "")
        return plan_of(*given[-1])

    return plan


def test_tiny_networks_ship_and_others_are_trained_first(planned):
    assert planned().to_train == ()
    assert planned().variants == {"masked_80_90": "masked_80_90_tiny"}
    small = planned("size=small", "training=mine")
    shipped = {name for name in NETWORKS if f"{name}_small" in all_shipped(DENOISERS[name])}
    assert {"masked", "baseline"} <= shipped
    assert small.to_train == tuple(name for name in NETWORKS if name not in shipped)
    assert small.weights["rnan"] == "mine/rnan_small/rnan_small.safetensors"
    assert small.runs["rnan_small"].words[:3] == ("train", "preset=fast", "model=rnan_small")
    assert planned("size=published").runs["rnan"].words[:3] == (
        "train",
        "preset=paper",
        "model=rnan",
    )


def test_settings_of_trainings_and_images_go_on_to_the_commands_which_read_them(planned):
    words = ["data=kodak24", "data.kodak24.crop=128", "steps=70", "precision=bf16", "threads=1"]
    runs = planned(*words, "preset=fast", "out=o").runs
    trained = {"preset=fast", "steps=70", "precision=bf16", "threads=1"}
    assert trained <= {*runs["masked_tiny"].words} and trained <= {*runs["masks"].words}
    assert {"test_data=kodak24", "test_crop=128", "test_limit=null"} <= {*runs["masks"].words}
    tested = {"data=kodak24", "data.kodak24.crop=128", "threads=1"}
    for name in ("scores", "cka"):
        assert tested <= {*runs[name].words}
        assert not any(word.startswith(("steps=", "precision=")) for word in runs[name].words)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["size=large"], "size=large is unknown; choose one of: tiny, small, published"),
        (["figure_16"], "the paper has no 'figure_16'; did you mean"),
        (["make=some"], "make=some is unknown; choose one of: missing, all, none"),
        (["data=[photos,kodak24]"], "tests on one set of images, got data=[photos,kodak24]"),
        (["stepz=3"], "stepz"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(bench, tmp_path, words, sentence):
    status, _, err = bench("paper", *words)
    assert status == 2
    assert sentence in err and len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_size_which_a_network_does_not_name_is_said_with_those_there_are(bench, monkeypatch):
    monkeypatch.setattr(DENOISERS["rnan"], "sizes", {"tiny": {}})
    _, _, err = bench("paper", "size=small")
    assert "rnan names no size 'small'; choose published or tiny" in err


def test_a_page_of_somebody_else_is_not_replaced(bench, tmp_path):
    (tmp_path / "o").mkdir()
    (tmp_path / "o/README.md").write_text("mine")
    status, _, err = bench("paper", "make=none", "out=o")
    assert status == 2
    assert "was not written by bench" in err


RUNS = [
    "scores",
    *(f"figure_{number}" for number in (1, 2, 6, 8, 9, 10, 11)),
    *("cka", "srga", "features", "completion"),
    *("baseline_{}", "masked_{}", "curves"),
    *("masks", "attention_ratio", "input_ratio", "ihc"),
]


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    """What was planned of each size, for all of its commands."""
    return {}


@pytest.mark.sampled(every=12)
@pytest.mark.parametrize("size", PRESETS)
@pytest.mark.parametrize("name", RUNS)
def test_every_command_composes(bench, planned, plans, tmp_path, name, size):
    plan = plans.get(size) or plans.setdefault(size, planned(f"size={size}", "steps=7"))
    found = name.format(size) if size != "published" else name.removesuffix("_{}")
    status, out, err = bench(*plan.runs[found].words, "--cfg", "job")
    assert (status, err) == (0, "")
    assert out
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_architecture_and_the_networks_are_those_of_the_size(planned):
    plan = planned()
    drawn = architecture_of(plan)
    assert (drawn.embed_dim, drawn.depths, drawn.num_heads) == (32, (4, 4), 2)
    assert drawn.input_ratio == (0, 90)  # as the weights that ship say
    table, budget = networks_of(plan)
    lines = {name: line for name, *line in table.rows}
    assert [*lines] == plan.models
    assert lines["masked"][:2] == [f"{drawn.parameters:,}", "824,118"]  # as its published code
    assert lines["masked"][3] == "shipped"
    assert "0 to 90 %" in budget
    published = planned("size=published")
    assert architecture_of(published).input_ratio == (80, 90)
    assert {line[-1] for line in networks_of(published)[0].rows} == {"missing"}


@pytest.mark.slow
def test_a_page_alone_gives_no_command(bench, tmp_path):
    status, out, err = bench("paper", "make=none", "out=o")
    assert (status, err) == (0, "")
    assert out == "written to o: README.md, explanations.csv\n"
    files = sorted(path.name for path in (tmp_path / "o").iterdir())
    assert files == ["README.md", "explanations.csv", "figure_4.svg"]
    assert "Here is 1 of its 20 figures and tables" in (tmp_path / "o/README.md").read_text()


@pytest.mark.slow
def test_a_part_is_made_by_its_command_and_what_was_measured_is_found_again(
    bench, tmp_path, monkeypatch
):
    monkeypatch.setattr(making, "ENTRY", (sys.executable, "-c", FEW_CROPS))
    words = ["figure_4", "figure_15", *SMALL, "threads=1", "out=o"]
    status, _, err = bench("paper", *words)
    assert status == 0, err
    page = (tmp_path / "o/README.md").read_text()
    assert is_ours(tmp_path / "o/README.md", "paper")
    assert "Here are 2 of its" in page
    assert "![Figure 15](analyses/features/features_photos.svg)" in page
    before = kept(tmp_path)
    assert before and bench("paper", *words)[0] == 0
    assert kept(tmp_path) == before
    with (tmp_path / "o/explanations.csv").open(newline="") as file:
        lines = [*csv.DictReader(file)]
    assert {line["network"] for line in lines if line["part"] == "figure_15"} == {
        *("masked", "masked_80_90"),
    }


def kept(folder: Path) -> dict[str, int]:
    """What was measured, and when."""
    found = folder.rglob("measured/*.json")
    return {path.name: path.stat().st_mtime_ns for path in found}


@pytest.mark.slow
def test_a_part_that_fails_is_named_with_its_reason_and_the_exit_status_says_it(bench, tmp_path):
    words = ["figure_15", "data=folder", "data.folder.path=nowhere", "out=o"]
    status, _, err = bench("paper", *words)
    assert status == 1
    assert "1 of 1 parts are not there: Figure 15 (failed)" in err
    assert "nowhere" in (tmp_path / "o/README.md").read_text().split("## Figure 15")[1]
