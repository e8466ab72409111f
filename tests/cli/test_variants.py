"""An ablation from its command to its page."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_results import bench_in

from benchmark.cli.commands.ablate import _noises
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import read_header, shipped

QUICK = [
    *("preset=tiny", "size=tiny", "steps=2", "batch=2", "watch=[]", "threads=1", "data=folder"),
    *("test_data=photos", "test_crop=32", "test_limit=1", "test_noise=[gaussian,mixture]"),
    *("runs=runs", "out=o"),
]


def quick_in(folder: Path) -> list[str]:
    """Settings of a training of two steps on one image, which is written, and of a test on one."""
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    (folder / "images").mkdir(exist_ok=True)
    cv2.imwrite(str(folder / "images" / "0.png"), image)
    return [*QUICK, f"data.folder.path={folder / 'images'}"]


@pytest.fixture
def quick(tmp_path) -> list[str]:
    return quick_in(tmp_path)


@pytest.fixture(scope="module")
def ablated(tmp_path_factory) -> Path:
    """Where an ablation has been made."""
    folder = tmp_path_factory.mktemp("ablated")
    assert bench_in(folder, "ablate", "attention_ratio", *quick_in(folder)) == ""
    return folder


def cells(out) -> set[str]:
    return {path.parts[-3] for path in out.rglob("cells/*/*/*.json")}


@pytest.mark.slow
def test_an_ablation_trains_scores_and_compares_its_variants(ablated):
    names = ["attention_65", "masked", "attention_85"]
    assert cells(ablated / "o/attention_ratio") == {"identity", *names}
    for name, ratio in zip(names, (65, 75, 85), strict=True):
        header = read_header(ablated / "runs" / name / f"{name}.safetensors")
        assert header["arguments"]["attention_ratio"] == [ratio, ratio]
        assert header["arguments"]["embed_dim"] == 32
    page = (ablated / "o/attention_ratio/README.md").read_text()
    lines = re.findall(r"^\| (\w+) ", page, re.MULTILINE)
    assert [line for line in lines if line in names][:3] == names
    assert "`bench ablate attention_ratio preset=tiny size=tiny steps=2" in page
    assert "Table 2, 65 |               29.57" in page
    assert (ablated / "o/attention_ratio/trade_off.svg").is_file()


@pytest.mark.slow
def test_what_two_ablations_share_is_trained_once(bench, tmp_path, ablated):
    shutil.copytree(ablated, tmp_path, dirs_exist_ok=True)
    (state,) = (tmp_path / "runs/masked").glob("state-*")
    before = state.stat().st_mtime_ns
    status, out, err = bench("ablate", "masks", *quick_in(ablated))
    assert (status, err) == (0, "")
    assert state.stat().st_mtime_ns == before
    found = {
        n: read_header(tmp_path / f"runs/{n}/{n}.safetensors")["arguments"]
        for n in ("attention_only", "input_only", "masked")
    }
    assert found["attention_only"]["input_ratio"] == [0, 0]
    assert found["input_only"]["attention_ratio"] == [0, 0]
    assert read_header(tmp_path / "runs/baseline/baseline.safetensors")["model"] == "baseline"
    page = (tmp_path / "o/masks/README.md").read_text()
    assert "## Brightness" in page
    assert (tmp_path / "o/masks/brightness.svg").is_file()
    lines = (tmp_path / "o/masks/brightness.csv").read_text().splitlines()
    assert lines[0].startswith("luma,clean,") and len(lines) == 257
    cell = next((tmp_path / "o/masks/cells/input_only").rglob("gaussian-15-0.json"))
    assert json.loads(cell.read_text())["settings"]["model"]["of"] == "masked"


@pytest.mark.slow
def test_scores_of_other_images_or_weights_are_said_before_a_training(
    bench, tmp_path, ablated, monkeypatch
):
    shutil.copytree(ablated, tmp_path, dirs_exist_ok=True)
    words = ["ablate", "attention_ratio", *quick_in(ablated)]
    monkeypatch.setattr("benchmark.studies.comparison.train_variants", lambda *_: 15)  # SIGTERM
    status, _, err = bench(*words, "test_crop=24")
    assert status == 2 and "was scored with dataset.crop 32 (now 24); choose another folder" in err
    for runs, is_other in (("runs", False), ("elsewhere", True)):
        status, out, _ = bench(*words, f"runs={runs}")
        said = "has scores of attention_65, attention_85, masked by other weights than elsewhere"
        assert status == 128 + 15 and (said in out) == is_other


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ablate mask", "ablation/mask"),
        (
            "ablate masks size=huge",
            "'baseline' has no size 'huge'; choose one of: tiny, small, or null",
        ),
        ("ablate masks test_data=kodak42", "unknown dataset 'kodak42'; did you mean 'kodak24'?"),
        (
            "ablate masks test_noise=[poisson]",
            "draws what its variants do on gaussian(15), which is not among the noises of "
            "test_noise; add it",
        ),
        (
            "ablate input_ratio test_noise=[gaussian(15)]",
            "draws other noises against gaussian(15), and test_noise has no other; add some",
        ),
        ("ablate masks start={start}", "variant 'baseline': "),
        ("ablate masks start={start}", "holds weights of 'dncnn', not of 'baseline'"),
        ("ablate masks watch=[gaussia(5)]", "gaussia"),
        ("ablate masks precision=fp8", "unknown precision=fp8"),
        ("zoo weights=[none.safetensors]", "none.safetensors"),
        ("report out=nowhere", "no finished cells under nowhere/cells, and no trainings"),
    ],
)
def test_a_mistake_is_one_sentence(bench, quick, words, said):
    given = quick if words.startswith("ablate") else []
    words = words.format(start=shipped(DENOISERS["dncnn"]))
    status, _, err = bench(*words.split()[:2], *given, *words.split()[2:])
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("chosen", "levels"),
    [
        (["gaussian(50)", "gaussian(15)"], {"gaussian": [15, 50]}),
        (["gaussian(35)", "gaussian"], {"gaussian": [15, 25, 35, 50]}),
        (["poisson", "gaussian(5)"], {"poisson": [2, 2.5, 3, 3.5], "gaussian": [5]}),
    ],
)
def test_levels_of_one_noise_are_tested_together(chosen, levels):
    found = {name: spec.settings.get("levels") for name, spec in _noises(tuple(chosen)).items()}
    assert {name: sorted(of) for name, of in found.items()} == levels


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("model: {of: maskd}", "unknown denoiser 'maskd'; did you mean 'masked'"),
        ("model: {of: masked, maskk: 1}", "unknown setting 'maskk'; did you mean 'mask'?"),
        ("model: {of: masked, input_ratio: [200, 300]}", "got (200, 300)"),
        ("model: {of: tv}", "'tv' has no size 'tiny'"),
        ("model: {of: masked}, data: [bsds40]", "unknown dataset 'bsds40'; did you mean 'bsds400'"),
        ("model: {of: masked}, noise: gaussia", "unknown noise model 'gaussia'; did you mean"),
        ("model: {of: masked}, level: -3", "gaussian needs a finite level >= 0"),
        ("model: {of: masked}, levell: 3", "unknown setting 'levell'; did you mean 'level'?"),
    ],
)
def test_a_mistake_in_the_last_variant_costs_no_training(
    bench, tmp_path, quick, monkeypatch, variant, said
):
    monkeypatch.setattr("benchmark.studies.comparison.train_variants", lambda *_: 1 / 0)
    status, _, err = bench("ablate", "masks", *quick, f"+ablation.variants.new={{{variant}}}")
    assert status == 2 and said in err, err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_trainings_of_a_folder_become_curves_and_a_page_of_the_zoo(bench, tmp_path, quick):
    settings = [
        word for word in quick if not word.startswith(("size", "test", "runs", "out", "watch"))
    ]
    bench("train", "model=dncnn_tiny", "out=runs", "held_out=0", *settings)
    status, _, err = bench("report", "out=runs")
    assert (status, "no finished cells" in err) == (2, True)  # nothing was held out to validate on
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3), np.uint8)
    for place, image in enumerate(images, start=1):
        cv2.imwrite(str(tmp_path / "images" / f"{place}.png"), image)
    bench("train", "model=dncnn_tiny", "out=more", "held_out=1", *settings)
    status, out, err = bench("report", "out=more")
    assert (status, err) == (0, "")
    assert "training_curves.svg" in out
    assert (tmp_path / "more/training.md").is_file()
    readme = (tmp_path / "more/README.md").read_text()
    assert "bench report out=more" in readme and "\n| dncnn_tiny | dncnn | " in readme
    assert "No such weights" not in readme
    assert "\n| steps " in readme and "| protocol " not in readme
    weights = tmp_path / "more/dncnn_tiny/dncnn_tiny.safetensors"
    status, out, err = bench("zoo", f"weights=[{weights}]", "out=zoo.md")
    assert (status, err) == (0, "")
    assert re.search(
        r"^\| dncnn_tiny +\| dncnn +\| +tiny \|", (tmp_path / "zoo.md").read_text(), re.MULTILINE
    )
