"""The command as its users meet it: composition, mistakes, resumption, shards, training."""

import csv
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmark.cli.command import all_commands
from benchmark.scoring.evaluate import evaluate

ROOT = Path(__file__).parents[2]
SMALL = ["data.photos.limit=1", "data.photos.crop=64"]
ENTRY = [sys.executable, "-m", "benchmark.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}


def bench_process(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*ENTRY, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )


def without_seconds(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0][-1] == "seconds"
    return [line[:-1] for line in lines]


def cells(out: Path) -> dict[str, int]:
    """Every finished cell, and when it was written."""
    found = sorted((out / "cells").rglob("*.json"))
    return {path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in found}


def finished(out: Path) -> int:
    """How many images are scored, in whole cells and in half ones."""
    whole = sum(path.read_text().count('"seconds"') for path in out.rglob("cells/*/*/*.json"))
    for path in out.rglob("*.part"):
        with suppress(FileNotFoundError):  # finished since it was listed
            whole += path.read_text().count('"seconds"')
    return whole


# what loads fast


@pytest.mark.parametrize("arguments", [["--help"], [], ["--version"], ["rum"]])
def test_help_and_unknown_commands_need_neither_torch_nor_hydra(arguments):
    script = (
        "import sys, benchmark.cli as cli\n"
        "try: cli.main()\n"
        "finally: print('loaded', [name for name in ('torch', 'hydra') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert "loaded []" in done.stdout


# mistakes


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("rum", "unknown command 'rum'; did you mean 'run'? Known: run, report, train, ablate,"),
        ("run model=identiti", "unknown denoiser 'identiti'; did you mean 'identity' or"),
        ("run noise=gausian", "unknown noise model 'gausian'; did you mean 'gaussian' or"),
        ("run data=kodak", "unknown dataset 'kodak'; did you mean 'kodak24'?"),
        ("run metric=[psnr,sim]", "unknown metric 'sim'; did you mean 'ssim' or"),
        ("run reference=[identiy]", "unknown denoiser 'identiy'; did you mean 'identity' or"),
        ("run sede=[1]", "unknown setting 'sede'; did you mean 'seeds'?"),
        ("run noise.gaussian.levls=[1]", "unknown setting 'noise.gaussian.levls'; did you mean 'l"),
        ("run noise=poisson noise.gaussian.levels=[1]", "unknown setting 'noise.gaussian'."),
        (
            "run +model.tv5={of:tv,sgma:5}",
            "unknown setting 'sgma'; did you mean 'sigma'?",
        ),
        ("run +model.tv5={of:tw,sigma:5}", "unknown denoiser 'tw'; did you mean 'tv'?"),
        ("run noise.gaussian.levels=loud", "noise.gaussian.levels=loud"),
        ("run data.photos.limit=some", "data.photos.limit=some"),
        ("run +model.tv5={of:tv,sigma:much}", "'much'"),
        ("run noise.gaussian.levels=[-1]", "gaussian needs a finite level >= 0"),
        ("run shard=3/2", "shard=3/2 should be PART/PARTS"),
        ("run device=tpu", "device=tpu is not here"),
        ("run data=folder data.folder.path=nowhere", "there is no folder nowhere"),
        ("run +model.net={of:dncnn,weights:none.pt}", "no weights for 'dncnn' at none.pt"),
        ("run model=[identity", "a bracket is never closed; write 'model=[identity]'"),
        ("report out=nowhere", "no finished cells under nowhere"),
        ("train model=tv", "'tv' has nothing to train"),
        ("train model=dncnn steps=0", "steps must be above 0"),
        ("train model=dncnn stepps=5", "unknown setting 'stepps'; did you mean 'steps'?"),
        ("train model=dncnn noise=[gaussian,poisson]", "bench train takes one noise at a time"),
        (
            "train model=dncnn noise=mc_render",
            "'mc_render' is recorded noise, which comes with its",
        ),
        ("check-model onnx", "onnx needs a file: model.onnx.file=FILE"),
        ("list nose", "unknown kind 'nose'"),
        ("noise gausian", "unknown noise model 'gausian'; did you mean 'gaussian'"),
        ("noise gaussian data=[photos,kodak24]", "the images of one dataset at a time"),
        ("run noise=isp noise.isp.camera=none.dng", "cannot use the camera file 'none.dng'"),
        ("run noise=mc_render noise.mc_render.levels=[32]", "level 32 needs a picture of its own"),
        ("render scenes=[fogg]", "unknown scene 'fogg'; did you mean 'fog'?"),
        ("submit model=identity data=photos", "'photos' has its clean images here: score it with"),
        ("submit model=[identity,tv] data=dnd", "one model and one dataset at a time"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_status_2(bench, tmp_path, arguments, sentence):
    words = arguments.split()
    if words[0] == "run" and "model=" not in arguments:
        words.insert(1, "model=identity")
    if words[0] == "run" and "noise" not in arguments:
        words.append("noise=gaussian")
    status, out, err = bench(*words)
    assert status == 2, err
    assert err.startswith("bench: ")
    assert err.count("\n") == 1
    assert sentence in err
    assert not list(tmp_path.iterdir())


def test_a_defect_of_ours_is_not_dressed_up_as_a_mistake(bench, called):
    def broken(*_: object) -> None:
        raise RuntimeError("ours")

    called("list", broken)
    with pytest.raises(RuntimeError, match="ours"):
        bench("list")


# composition


def test_cfg_job_prints_the_composed_config_and_runs_nothing(bench, tmp_path):
    status, out, err = bench("run", "model=identity", "noise.gaussian.levels=[25]", "--cfg", "job")
    assert (status, err) == (0, "")
    assert "of: identity" in out
    assert "levels:\n    - 25.0" in out
    assert "salt_and_pepper" in out
    assert "limit: null" in out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", all_commands())
def test_help_of_a_command_says_what_it_is_for_and_its_settings(bench, command):
    status, out, _ = bench(command, "--help")
    assert status == 0
    assert f"bench {command} - " in out
    assert {"list": "kind=all", "check-model": "device=auto"}.get(command, "out=") in out
    assert "Powered by Hydra" not in out


def test_list_shows_every_registered_name(bench):
    from benchmark.cli.registered.registries import REGISTRIES

    _, out, _ = bench("list")
    first_words = {line.split()[0] for line in out.splitlines() if line.strip()}
    assert {name for registry in REGISTRIES.values() for name in registry} <= first_words


def test_list_takes_one_kind(bench):
    _, out, _ = bench("list", "noise")
    assert "sigma, in 8-bit steps" in out
    assert "kodak24" not in out


# runs


def test_the_command_itself_writes_only_the_folder_it_is_told(tmp_path):
    done = bench_process(tmp_path, "run", "model=identity", "noise=gaussian", *SMALL, "out=o")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3/3 cells" in done.stdout
    assert "noisy input" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["o"]
    written = {path.name for path in (tmp_path / "o").iterdir()}
    assert {"cells", "leaderboard.md", "leaderboard.csv", "figure11_photos.svg"} <= written
    assert not list(tmp_path.rglob("*.part"))


def test_models_are_a_list_and_variants_have_names_of_their_own(bench, tmp_path):
    gaussian = ["noise=gaussian", "noise.gaussian.levels=[25]", *SMALL, "out=o"]
    status, out, err = bench(
        "run", "model=[tv,wavelet]", "+model.tv5={of: tv, sigma: 5}", *gaussian
    )
    assert status == 0, err
    assert list(cells(tmp_path / "o")) == [
        f"cells/{model}/photos/gaussian-25-0.json"
        for model in ("identity", "tv", "tv5", "wavelet")  # the noisy input is always there
    ]
    psnr = {line[0]: line[6] for line in without_seconds(tmp_path / "o" / "scores.csv")}
    assert psnr["tv"] != psnr["tv5"]


def test_a_second_run_scores_nothing_again(bench, tmp_path, monkeypatch):
    command = ["run", "model=identity", "noise=gaussian", *SMALL, "out=o"]
    bench(*command)
    before = cells(tmp_path / "o")
    monkeypatch.setattr("benchmark.scoring.grid.evaluate", None)
    status, out, err = bench(*command)
    assert (status, err) == (0, "")
    assert cells(tmp_path / "o") == before
    assert "noisy input" in out


def test_more_levels_are_scored_beside_those_that_are_there(bench, tmp_path):
    command = ["run", "model=identity", "noise=gaussian", *SMALL, "out=o"]
    bench(*command, "noise.gaussian.levels=[25]")
    before = cells(tmp_path / "o")
    bench(*command, "noise.gaussian.levels=[15,25]")
    after = cells(tmp_path / "o")
    assert len(after) == 2
    assert before.items() <= after.items()


def test_a_changed_setting_is_refused_naming_it(bench, tmp_path):
    command = ["run", "noise=gaussian", "noise.gaussian.levels=[25]", *SMALL, "out=o"]
    bench(*command, "model=tv")
    before = cells(tmp_path / "o")
    status, _, err = bench(*command, "model=tv", "model.tv.strength=0.7")
    assert status == 2
    assert "model.strength 0.5 (now 0.7)" in err
    assert err.count("\n") == 1
    status, _, err = bench(*command, "model=tv", "data.photos.crop=48")
    assert status == 2
    assert "dataset.crop 64 (now 48)" in err
    assert cells(tmp_path / "o") == before


def test_more_images_are_scored_beside_those_that_are_there_and_fewer_are_taken_of_them(
    bench, tmp_path, monkeypatch
):
    command = ["run", "model=identity", "noise=gaussian", "noise.gaussian.levels=[25]", *SMALL]
    scored = []

    def count(*arguments):
        for one in evaluate(*arguments):
            scored.append(one.row["image"])
            yield one

    monkeypatch.setattr("benchmark.scoring.grid.evaluate", count)
    for limit, new in ((2, 2), (4, 2), (1, 0), (3, 0)):
        before = len(scored)
        status, _, err = bench(*command, "out=o", f"data.photos.limit={limit}")
        assert (status, err) == (0, "")
        assert len(scored) == before + new
        assert len(without_seconds(tmp_path / "o" / "scores.csv")) == 1 + limit
    assert len(set(scored)) == 4
    before = json.loads((tmp_path / "o/cells/identity/photos/gaussian-25-0.json").read_text())
    bench(*command, "out=whole", "data.photos.limit=4")
    whole = json.loads((tmp_path / "whole/cells/identity/photos/gaussian-25-0.json").read_text())
    for record in (before, whole):
        for row in record["images"]:
            del row["seconds"]
    assert before == whole


@pytest.mark.parametrize(
    "variant",
    [
        "+model={../../x: {of: identity}}",
        "+model={clean: {of: tv}}",
        "+model={noisy: {of: tv}}",
        "+model={all: {of: tv}}",
        "+model={.x: {of: tv}}",
        "+model={a/b: {of: tv}}",
        "+model={con: {of: tv}}",
        "model.identity.of=tv",
        "+data={../x: {of: photos}}",
        "+data={/x: {of: photos}}",
        "+noise={../../x: {of: gaussian}}",
        "+metric={../x: {of: psnr}}",
        "+metric={image: {of: psnr}}",
    ],
)
def test_a_name_which_leaves_the_folder_or_means_something_else_is_refused(
    bench, tmp_path, variant
):
    status, out, err = bench("run", "model=identity", "noise=gaussian", variant, *SMALL, "out=a/b")
    assert (status, out) == (2, "")
    assert err.startswith("bench: ") and err.count("\n") == 1
    assert "cannot " in err and "name" in err
    assert not list(tmp_path.iterdir())


def test_a_strangers_folder_writes_nothing_elsewhere_and_is_reported_without_the_false(
    bench, tmp_path
):
    few = ["model=identity", "noise=gaussian", "noise.gaussian.levels=[15,25]", *SMALL]
    bench("run", *few, "out=o")
    cell = tmp_path / "o/cells/identity/photos/gaussian-15-0.json"
    record = json.loads(cell.read_text())
    record["cell"]["dataset"] = "../../x"
    cell.write_text(json.dumps(record))
    cell.with_name("._gaussian-25-0.json").write_text("x")
    before = sorted(tmp_path.iterdir())
    status, _, err = bench("report", "out=o")
    assert status == 0
    assert "cannot have this name" in err and "hidden files" in err and err.count("\n") == 2
    assert sorted(tmp_path.iterdir()) == before
    status, _, err = bench("run", *few, "out=o")
    assert status == 0 and "it is kept as gaussian-15-0.json.damaged" in err
    assert json.loads(cell.read_text())["cell"]["dataset"] == "photos"


def test_a_metric_asked_for_later_joins_the_table(bench, tmp_path):
    command = ["run", "model=identity", "noise=gaussian", *SMALL, "out=o"]
    bench(*command, "metric=psnr")
    first = [line[:7] for line in without_seconds(tmp_path / "o" / "scores.csv")]
    status, _, err = bench(*command, "metric=ssim")
    assert status == 0, err
    second = without_seconds(tmp_path / "o" / "scores.csv")
    assert second[0][6:] == ["psnr", "ssim"]
    assert [line[:7] for line in second] == first
    assert all(line[7] for line in second)


def test_multirun_runs_one_after_the_other_into_one_folder(bench, tmp_path):
    levels = ["noise=gaussian", "noise.gaussian.levels=[25]"]
    status, _, err = bench("run", "-m", "model=tv,wavelet", *levels, *SMALL, "out=o")
    assert (status, err) == (0, "")
    models = [path.name for path in sorted((tmp_path / "o" / "cells").iterdir())]
    assert models == ["identity", "tv", "wavelet"]
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


def test_shards_together_are_the_whole(bench, tmp_path):
    command = ["run", "model=[wavelet,tv]", "noise=gaussian", *SMALL]
    bench(*command, "out=whole")
    status, out, err = bench(*command, "out=o", "shard=1/2")
    assert (status, err) == (0, "")
    assert "shard=1/2 is done, 5 of 9 cells are left to other shards" in out
    first = cells(tmp_path / "o")
    assert {name.split("/")[1] for name in first} == {"wavelet", "tv", "identity"}
    bench(*command, "out=o", "shard=2/2")
    assert first.items() <= cells(tmp_path / "o").items()
    assert cells(tmp_path / "o").keys() == cells(tmp_path / "whole").keys()
    whole, both = (without_seconds(tmp_path / out / "scores.csv") for out in ("whole", "o"))
    assert both == whole


def test_a_shard_without_cells_is_no_crash(bench):
    few = ["model=identity", "noise=gaussian", "noise.gaussian.levels=[25]", *SMALL]
    status, out, err = bench("run", *few, "out=o", "shard=1/2")
    assert (status, err) == (0, "")
    assert "shard=1/2 is done, 1 of 1 cells are left to other shards" in out


def test_a_report_compares_only_the_models_it_is_told(bench, tmp_path):
    bench("run", "model=tv", "noise=gaussian", "out=o", *SMALL)
    for told, rows, folder in (
        ("model=tv", {"tv"}, "o/report-tv"),
        ("model=[identity,tv]", {"identity", "tv"}, "o"),
    ):
        assert bench("report", "out=o", told)[0] == 0
        with (tmp_path / folder / "scores.csv").open(newline="") as file:
            assert {row["model"] for row in csv.DictReader(file)} == rows
    status, _, err = bench("report", "out=o", "model=vt")
    assert (status, err) == (2, "bench: no cells of model 'vt' under o; there are: identity, tv\n")


def test_the_number_of_threads_is_a_setting_which_the_cell_records(bench, tmp_path):
    few = ["model=identity", "noise=gaussian", "noise.gaussian.levels=[25]", *SMALL]
    before = torch.get_num_threads()
    try:
        assert bench("run", *few, "out=o", "threads=3")[0] == 0
    finally:
        torch.set_num_threads(before)
    cell = json.loads((tmp_path / "o/cells/identity/photos/gaussian-25-0.json").read_text())
    assert cell["environment"]["threads"] == 3
    status, _, err = bench("run", *few, "out=o", "threads=0")
    assert (status, err) == (2, "bench: threads must be 1 or more, got 0\n")


def test_seeds_are_further_noisy_versions(bench, tmp_path):
    levels = ["noise=gaussian", "noise.gaussian.levels=[25]", "seeds=[0,1]"]
    bench("run", "model=identity", *levels, *SMALL, "out=o")
    scores = without_seconds(tmp_path / "o" / "scores.csv")
    assert [line[4] for line in scores[1:]] == ["0", "1"]
    assert scores[1][6] != scores[2][6]


def test_a_run_killed_three_times_ends_as_one_that_was_not(bench, tmp_path):
    command = ["run", "model=nlm", "noise=gaussian", "data.photos.crop=192"]
    bench(*command, "out=undisturbed")
    out, total = tmp_path / "killed", finished(tmp_path / "undisturbed")
    for _ in range(3):
        before = finished(out)
        process = subprocess.Popen(
            [*ENTRY, *command, "out=killed"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
        )
        give_up = time.monotonic() + 300
        while finished(out) < before + 2 and process.poll() is None:
            assert time.monotonic() < give_up
            time.sleep(0.005)
        process.kill()
        assert process.wait() != 0, "it was over before it was killed: make the run longer"
        assert before < finished(out) < total
    done_before_the_end = cells(out)
    status, _, err = bench(*command, "out=killed")
    assert status == 0, err
    assert done_before_the_end.items() <= cells(out).items()
    expected = without_seconds(tmp_path / "undisturbed" / "scores.csv")
    assert without_seconds(out / "scores.csv") == expected
    assert len(expected) == 1 + total
    assert not list(out.rglob("*.part"))


# noises typed as formulas, recorded noises, suites, matched levels


def test_a_formula_is_a_noise_and_every_spelling_of_it_the_same_cell(bench, tmp_path):
    command = ["run", "model=identity", *SMALL, "out=o"]
    status, out, err = bench(*command, "noise=poisson(2)+gaussian(25) >> jpeg(50)")
    assert (status, err) == (0, "")
    assert "gaussian(25)+poisson(2)>>jpeg(50)" in out
    before = cells(tmp_path / "o")
    assert list(before) == ["cells/identity/photos/gaussian(25)+poisson(2)~jpeg(50)-1-0.json"]
    status, _, err = bench(*command, "noise=[gaussian(25.0)+(poisson(2.0))>>jpeg(50)]")
    assert (status, err) == (0, "")
    assert cells(tmp_path / "o") == before
    page = (tmp_path / "o" / "leaderboard.md").read_text()
    assert "gaussian(25)+poisson(2)>>jpeg(50)" in page


def test_a_single_noise_with_a_level_is_that_noise_at_that_level(bench, tmp_path):
    command = ["run", "model=identity", *SMALL, "out=o"]
    bench(*command, "noise=gaussian(25)")
    before = cells(tmp_path / "o")
    bench(*command, "noise=gaussian", "noise.gaussian.levels=[25]")
    assert list(cells(tmp_path / "o").items()) == list(before.items())
    bench(*command, "noise=[gaussian(7),gaussian,poisson(2)]")
    names = [path.rpartition("/")[2] for path in cells(tmp_path / "o")]
    levels = sorted(["gaussian-7", "gaussian-15", "gaussian-25", "gaussian-50", "poisson-2"])
    assert sorted(names) == sorted(f"{level}-0.json" for level in levels)


@pytest.mark.parametrize(
    "choice", ["gaussian(25)+", "gaussian(25", "gausian(3)>>jpeg(50)", "jpeg()"]
)
def test_a_wrong_formula_is_one_line(bench, tmp_path, choice):
    status, _, err = bench("run", "model=identity", f"noise={choice}")
    assert status == 2
    assert err.startswith("bench: ")
    assert err.count("\n") == 1
    assert "character" in err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def pairs(tmp_path) -> list[str]:
    """The settings which name a folder of two noisy and clean images."""
    rng = np.random.default_rng(0)
    for side in ("clean", "noisy"):
        (tmp_path / "real" / side).mkdir(parents=True)
        for name in ("one", "two"):
            pixels = rng.integers(0, 256, (32, 40, 3), np.uint8)
            cv2.imwrite(str(tmp_path / "real" / side / f"{name}.png"), pixels)
    return [f"noise.pairs.path={tmp_path / 'real'}"]


def test_recorded_noise_is_chosen_like_any_other_and_brings_its_own_images(bench, tmp_path, pairs):
    command = ["run", "model=identity", "noise=[gaussian,pairs]", *pairs, *SMALL, "out=o"]
    status, out, err = bench(*command)
    assert (status, err) == (0, "")
    gaussian = [f"cells/identity/photos/gaussian-{level}-0.json" for level in (15, 25, 50)]
    assert set(cells(tmp_path / "o")) == {"cells/identity/pairs/pairs-0-0.json", *gaussian}
    record = json.loads((tmp_path / "o/cells/identity/pairs/pairs-0-0.json").read_text())
    assert [row["image"] for row in record["images"]] == ["one", "two"]
    assert "pairs: PSNR" in out
    before = cells(tmp_path / "o")
    data = [word.replace("noise.", "data.") for word in pairs]
    status, _, err = bench("run", "model=identity", "noise=gaussian", "data=pairs", *data, "out=o")
    assert (status, err) == (0, "")
    assert cells(tmp_path / "o") == before  # by either name it is the same cell


def test_levels_of_recorded_noise_are_scored_beside_those_that_are_there(bench, tmp_path):
    command = ["run", "model=identity", "noise=mc_render", "noise.mc_render.limit=1", "out=o"]
    status, _, err = bench(*command, "noise.mc_render.levels=[64]")
    assert (status, err) == (0, "")
    before = cells(tmp_path / "o")
    assert list(before) == ["cells/identity/mc_render/mc_render-64-0.json"]
    status, _, err = bench(*command)
    assert (status, err) == (0, "")
    assert len(cells(tmp_path / "o")) == 2
    assert before.items() <= cells(tmp_path / "o").items()


def test_recorded_noise_alone_needs_no_clean_images(bench, tmp_path, pairs):
    command = ["run", "model=identity", "noise=pairs", *pairs, "data=folder", "out=o"]
    status, _, err = bench(*command)
    assert (status, err) == (0, "")
    assert list(cells(tmp_path / "o")) == ["cells/identity/pairs/pairs-0-0.json"]


def test_all_leaves_out_recorded_noise_without_data_and_says_so_in_one_line(
    bench, tmp_path, monkeypatch
):
    monkeypatch.delenv("NOISEBENCH_DATA", raising=False)
    monkeypatch.setattr(
        "benchmark.datasets.dataset.user_cache_path", lambda name: tmp_path / "cache"
    )
    monkeypatch.setattr("benchmark.scoring.grid.fill", lambda *_: None)
    _, out, _ = bench("run", "model=identity", "noise=all", "out=o")
    line = next(line for line in out.splitlines() if line.startswith("noise=all leaves out"))
    for name in ("sidd", "polyu", "cc"):
        assert f"{name} (no data" in line
    assert "pairs (needs a path)" in line
    assert "mc_render" not in line


def test_a_suite_chooses_the_noises_which_belong_to_it(bench):
    status, out, err = bench("run", "model=identity", "noise=paper", "--cfg", "job")
    assert (status, err) == (0, "")
    assert "salt_and_pepper:" in out
    assert "mixture:" in out
    assert "rician:" not in out


def test_matched_levels_are_stored_and_scored_and_training_stands_beside_them(bench, tmp_path):
    command = ["run", "model=identity", "noise=[gaussian,speckle]", *SMALL, "out=o"]
    status, out, err = bench(*command, "levels=matched")
    assert (status, err) == (0, "")
    kept = json.loads((tmp_path / "o/matched/photos/gaussian.json").read_text())
    assert len(kept["facts"]["dataset"]["sha256"]) == 64
    levels = {match["level"] for match in kept["matches"]} | {15}
    found = [path.rpartition("/")[2] for path in cells(tmp_path / "o")]
    wanted = {f"gaussian-{level:.15g}-0.json" for level in levels}
    assert {name for name in found if name.startswith("gaussian")} == wanted
    assert "matched on photos: gaussian" in out
    status, _, err = bench(*command, "levels=machted")
    assert status == 2
    assert "levels=machted is unknown; take levels=matched" in err


# data sheets


def test_bench_noise_writes_the_page_of_a_noise_and_of_a_formula(bench, tmp_path):
    status, out, err = bench("noise", "gaussian", "noise.gaussian.levels=[25]", *SMALL, "out=o")
    assert (status, err) == (0, "")
    assert "written: gaussian.md in o" in out
    assert (
        "bench noise gaussian 'noise.gaussian.levels=[25]'"
        in (tmp_path / "o/gaussian.md").read_text()
    )
    status, out, err = bench("noise", "gaussian(5)>>jpeg(50)", *SMALL, "out=o")
    assert (status, err) == (0, "")
    names = {path.name for path in (tmp_path / "o").iterdir()}
    pages = ["gaussian", "gaussian(5)~jpeg(50)"]
    assert names == {f"{page}.{kind}" for page in pages for kind in ("md", "png")}


def test_several_noises_get_a_table_of_their_own(bench, tmp_path):
    levels = ["noise.gaussian.levels=[25]", "noise.poisson.levels=[2]"]
    status, out, err = bench("noise", "[gaussian,poisson]", *levels, *SMALL, "out=o")
    assert (status, err) == (0, "")
    assert "written: README.md and 2 pages in o" in out
    table = (tmp_path / "o" / "README.md").read_text()
    assert "[gaussian](gaussian.md)" in table
    assert "[poisson](poisson.md)" in table


# training


@pytest.fixture
def photographs(tmp_path) -> Path:
    """A folder of two smooth pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        coarse = rng.integers(0, 256, (6, 8, 3), np.uint8)
        cv2.imwrite(str(folder / f"{name}.png"), cv2.resize(coarse, (64, 48)))
    return folder


def test_a_network_trained_on_a_folder_can_be_run_from_its_file(bench, tmp_path, photographs):
    from benchmark.denoiser.weights.load import read_header

    tiny = ["model.dncnn.depth=3", "model.dncnn.width=8", "model.dncnn.batch_norm=false"]
    tiny += ["steps=4", "batch=2", "patch=16"]
    data = ["data=folder", f"data.folder.path={photographs}"]
    status, out, err = bench("train", "model=dncnn", *tiny, *data, "log_every=2", "out=runs")
    assert (status, err) == (0, "")
    assert "step 2/4" in out
    weights = tmp_path / "runs" / "dncnn" / "dncnn.safetensors"
    header = read_header(weights)
    assert header["arguments"] == {"depth": 3, "width": 8, "batch_norm": False, "channels": 3}
    assert header["training"]["recipe"]["steps"] == 4
    assert header["training"]["data"]["folder"]["images"] == 2
    assert header["training"]["torch"]

    levels = ["noise=gaussian", "noise.gaussian.levels=[25]", *SMALL, "out=o"]
    status, _, err = bench("run", "model=dncnn", f"model.dncnn.weights={weights}", *levels)
    assert status == 0, err
    assert "cells/dncnn/photos/gaussian-25-0.json" in cells(tmp_path / "o")
    moved = tmp_path / "elsewhere.safetensors"
    weights.rename(moved)
    before = cells(tmp_path / "o")
    status, _, err = bench("run", "model=dncnn", f"model.dncnn.weights={moved}", *levels)
    assert status == 0, err
    assert cells(tmp_path / "o") == before  # the hash counts, not the place

    bench("train", "model=dncnn", *tiny, *data, "steps=5", "out=other")
    other = tmp_path / "other" / "dncnn" / "dncnn.safetensors"
    status, _, err = bench("run", "model=dncnn", f"model.dncnn.weights={other}", *levels)
    assert status == 2
    assert "model.weights 'sha256:" in err


def test_training_with_another_recipe_in_the_same_folder_is_refused(bench, photographs):
    tiny = ["model.dncnn.depth=3", "model.dncnn.width=8", "batch=2", "patch=16", "out=runs"]
    command = ["train", "model=dncnn", *tiny, "data=folder", f"data.folder.path={photographs}"]
    bench(*command, "steps=2")
    status, _, err = bench(*command, "steps=3")
    assert status == 2
    assert "recipe.steps 2 (now 3)" in err
    assert err.count("\n") == 1
