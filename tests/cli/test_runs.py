"""Runs: what is scored, resumed, shared and reported, and where it goes."""

import csv
import json
import subprocess
import time

import pytest
import torch
from command_results import (
    ENTRY,
    ENVIRONMENT,
    SMALL,
    bench_process,
    cells,
    finished,
    without_seconds,
)

from benchmark.scoring.evaluate import evaluate


@pytest.mark.slow
def test_the_command_itself_writes_only_the_folder_it_is_told(tmp_path):
    done = bench_process(tmp_path, "run", "model=identity", "noise=gaussian", *SMALL, "out=o")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3/3 cells" in done.stdout
    assert "noisy input" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["o"]
    written = {path.name for path in (tmp_path / "o").iterdir()}
    assert {"cells", "leaderboard.md", "leaderboard.csv", "figure11_photos.svg"} <= written
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
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


@pytest.mark.slow
def test_several_trainings_of_a_network_are_scored_apart_and_ranked_as_one(bench, tmp_path):
    settings = ["noise=gaussian", "noise.gaussian.levels=[25]", *SMALL, "out=o"]
    trainings = ["+model.tv@1={of: tv}", "+model.tv@2={of: tv, strength: 0.3}"]
    status, out, err = bench(
        "run", "model=identity", *trainings, "model.tv@2.strength=0.4", *settings
    )
    assert (status, err) == (0, "")
    assert list(cells(tmp_path / "o")) == [
        f"cells/{model}/photos/gaussian-25-0.json" for model in ("identity", "tv@1", "tv@2")
    ]
    cell = json.loads((tmp_path / "o/cells/tv@2/photos/gaussian-25-0.json").read_text())
    assert cell["settings"]["model"]["strength"] == 0.4
    with (tmp_path / "o/ranking.csv").open() as lines:
        found = {line["model"]: line["trainings"] for line in csv.DictReader(lines)}
    assert found == {"identity": "1", "tv": "2"}
    assert "tv@" not in out
    assert "'+model.tv@1={of: tv}'" in (tmp_path / "o/README.md").read_text()
    status, out, err = bench("report", "out=o", "model=[tv@1,tv@2]")
    assert (status, err) == (0, "")


def test_a_second_run_scores_nothing_again(bench, tmp_path, monkeypatch):
    command = ["run", "model=identity", "noise=gaussian", *SMALL, "out=o"]
    bench(*command)
    before = cells(tmp_path / "o")
    monkeypatch.setattr("benchmark.scoring.grid.evaluate", None)
    status, out, err = bench(*command)
    assert (status, err) == (0, "")
    assert cells(tmp_path / "o") == before
    assert "noisy input" in out


@pytest.mark.slow
def test_more_levels_are_scored_beside_those_that_are_there(bench, tmp_path):
    command = ["run", "model=identity", "noise=gaussian", *SMALL, "out=o"]
    bench(*command, "noise.gaussian.levels=[25]")
    before = cells(tmp_path / "o")
    bench(*command, "noise.gaussian.levels=[15,25]")
    after = cells(tmp_path / "o")
    assert len(after) == 2
    assert before.items() <= after.items()


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.sampled(every=5)
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_multirun_runs_one_after_the_other_into_one_folder(bench, tmp_path):
    levels = ["noise=gaussian", "noise.gaussian.levels=[25]"]
    status, _, err = bench("run", "-m", "model=tv,wavelet", *levels, *SMALL, "out=o")
    assert (status, err) == (0, "")
    models = [path.name for path in sorted((tmp_path / "o" / "cells").iterdir())]
    assert models == ["identity", "tv", "wavelet"]
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_shard_without_cells_is_no_crash(bench):
    few = ["model=identity", "noise=gaussian", "noise.gaussian.levels=[25]", *SMALL]
    status, out, err = bench("run", *few, "out=o", "shard=1/2")
    assert (status, err) == (0, "")
    assert "shard=1/2 is done, 1 of 1 cells are left to other shards" in out


@pytest.mark.slow
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
    assert (status, err) == (2, "bench: no scores of model 'vt'. There are: identity, tv\n")


@pytest.mark.slow
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


@pytest.mark.slow
def test_seeds_are_further_noisy_versions(bench, tmp_path):
    levels = ["noise=gaussian", "noise.gaussian.levels=[25]", "seeds=[0,1]"]
    bench("run", "model=identity", *levels, *SMALL, "out=o")
    scores = without_seconds(tmp_path / "o" / "scores.csv")
    assert [line[4] for line in scores[1:]] == ["0", "1"]
    assert scores[1][6] != scores[2][6]


@pytest.mark.slow
def test_a_killed_run_ends_as_one_that_was_not(bench, tmp_path):
    command = ["run", "model=nlm", "noise=gaussian", "noise.gaussian.levels=[15,25]"]
    command += ["data.photos.crop=144"]
    bench(*command, "out=undisturbed")
    out, total = tmp_path / "killed", finished(tmp_path / "undisturbed")
    process = subprocess.Popen(
        [*ENTRY, *command, "out=killed"], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL
    )
    give_up = time.monotonic() + 300
    while finished(out) < 3 and process.poll() is None:
        assert time.monotonic() < give_up
        time.sleep(0.005)
    process.kill()
    assert process.wait() != 0, "it was over before it was killed: make the run longer"
    assert 0 < finished(out) < total
    done_before_the_end = cells(out)
    status, _, err = bench(*command, "out=killed")
    assert status == 0, err
    assert done_before_the_end.items() <= cells(out).items()
    expected = without_seconds(tmp_path / "undisturbed" / "scores.csv")
    assert without_seconds(out / "scores.csv") == expected
    assert len(expected) == 1 + total
    assert not list(out.rglob("*.part"))
