"""Scores of other code: said, refused beside those of now, and scored again."""

import json
from pathlib import Path

import pandas as pd
import pytest
from changing_code import RUN, records

import benchmark
from benchmark.scoring import grid as run
from benchmark.scoring.evaluate import evaluate


def scores(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "scores.csv").drop(columns="seconds")


def test_changed_code_is_said_refused_to_be_compared_and_scored_again(bench, acme, tmp_path):
    acme(1)
    assert bench(*RUN, "model=identity", "out=o")[0] == 0
    old = records(tmp_path / "o")
    acme(2)
    status, out, err = bench(*RUN, "model=[identity,keep]", "out=o")
    line = "1 of 1 finished cells were scored by other code (source of noise acme) and stay"
    assert line in out and "rescore=changed" in out
    assert out.count("other code") == 1
    assert status == 2 and "were scored on different noisy pixels" in err
    assert "identity on photos, acme 5, seed 0" in err and "keep on photos, acme 5, seed 0" in err
    assert "bench run 'model=[identity,keep]' 'noise=acme(5)' data=photos 'seeds=[0]'" in err
    assert {key: found for key, found in records(tmp_path / "o").items() if key in old} == old
    assert bench("report", "out=o")[0] == 2

    status, out, _ = bench(*RUN, "model=[identity,keep]", "out=o", "rescore=changed")
    assert status == 0
    assert "1 of 2 finished cells were scored by other code" in out and "scored again" in out
    assert bench(*RUN, "model=[identity,keep]", "out=fresh")[0] == 0
    pd.testing.assert_frame_equal(scores(tmp_path / "o"), scores(tmp_path / "fresh"))
    again = records(tmp_path / "o")
    assert bench(*RUN, "model=[identity,keep]", "out=o", "rescore=changed")[0] == 0
    assert records(tmp_path / "o") == again, "nothing has changed since"
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_the_command_of_the_refusal_mends_what_it_names(bench, acme, tmp_path):
    acme(1)
    bench(*RUN, "model=identity", "out=o")
    acme(2)
    _, _, err = bench(*RUN, "model=[identity,keep]", "out=o")
    assert "rescore=all" in err
    few = ["data.photos.limit=2", "data.photos.crop=32", "metric=psnr"]
    named = ["model=[identity,keep]", "noise=acme(5)", "data=photos", "seeds=[0]", "rescore=all"]
    status, out, err = bench("run", *named, *few, "out=o")
    assert status == 0, err


@pytest.mark.slow
def test_all_scores_every_finished_cell_again_and_changed_only_those_which_differ(
    bench, acme, tmp_path
):
    acme(1)
    bench(*RUN, "model=identity", "out=o")
    first = records(tmp_path / "o")
    written = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("cells/*/*/*.json")}
    bench(*RUN, "model=identity", "out=o", "rescore=changed")
    assert {p: p.stat().st_mtime_ns for p in written} == written
    bench(*RUN, "model=identity", "out=o", "rescore=all")
    assert all(p.stat().st_mtime_ns > before for p, before in written.items())
    for key, record in records(tmp_path / "o").items():
        for new, old in zip(record["images"], first[key]["images"], strict=True):
            assert new | {"seconds": 0} == old | {"seconds": 0}


def test_images_which_other_code_made_are_said_and_scored_again(bench, acme, tmp_path):
    few = "data.photos.limit=1"
    acme(1)
    bench(*RUN, "model=identity", "out=o")
    acme(2)
    bench(*RUN, "model=identity", few, "out=o", "rescore=changed")
    (old,) = next(iter(records(tmp_path / "o").values()))["earlier"]
    assert len(old["images"]) == 1
    _, out, _ = bench(*RUN, "model=identity", "out=o")
    assert "1 of 1 finished cells were scored by other code (source of noise acme) and stay" in out
    page = (tmp_path / "o/leaderboard.md").read_text()
    assert "Not all made alike: source of noise acme " in page
    status, _, err = bench(*RUN, "model=identity", "out=o", "rescore=changed")
    assert (status, err) == (0, "")
    assert bench(*RUN, "model=identity", "out=fresh")[0] == 0
    pd.testing.assert_frame_equal(scores(tmp_path / "o"), scores(tmp_path / "fresh"))
    assert all("earlier" not in record for record in records(tmp_path / "o").values())


@pytest.mark.slow
def test_a_cell_by_other_code_that_lacks_images_is_said_to_be_scored_again(bench, acme, tmp_path):
    acme(1)
    bench(*RUN, "model=identity", "out=o", "data.photos.limit=1")
    acme(2)
    _, out, _ = bench(*RUN, "model=identity", "out=o")
    assert "(source of noise acme) and are scored again, as images or metrics are lacking" in out
    assert bench(*RUN, "model=identity", "out=fresh")[0] == 0
    pd.testing.assert_frame_equal(scores(tmp_path / "o"), scores(tmp_path / "fresh"))


@pytest.mark.slow
def test_what_rescore_cannot_be_is_a_sentence(bench, acme):
    acme(1)
    status, _, err = bench(*RUN, "model=identity", "rescore=yes_please")
    assert status == 2 and "rescore=yes_please is unknown; take rescore=changed" in err


@pytest.mark.slow
def test_cells_that_do_not_say_their_code_are_unknown_and_not_changed(bench, acme, tmp_path):
    acme(1)
    bench(*RUN, "model=identity", "out=o")
    for path in tmp_path.rglob("cells/*/*/*.json"):
        record = json.loads(path.read_text())
        del record["code"]
        for row in record["images"]:
            del row["noisy"], row["clean"]
        path.write_text(json.dumps(record))
    old = records(tmp_path / "o")
    acme(2)
    status, out, _ = bench(*RUN, "model=identity", "out=o")
    assert status == 0 and "code" not in out
    _, out, _ = bench(*RUN, "model=identity", "out=o", "rescore=changed")
    assert "1 do not say by which code, and only rescore=all scores those again" in out
    assert records(tmp_path / "o") == old
    status, out, err = bench(*RUN, "model=[identity,keep]", "out=o")
    assert status == 0, err
    assert "1 of 2 cells do not say by what code" in " ".join(out.split())


@pytest.mark.slow
def test_rows_of_a_half_done_cell_by_other_code_are_scored_again(bench, acme, tmp_path):
    acme(1)
    bench(*RUN, "model=identity", "out=o")
    (path,) = tmp_path.rglob("cells/*/*/*.json")
    record = json.loads(path.read_text())
    bench(*RUN, "model=identity", "out=fresh")
    for made_by in ("another", None):
        row = {**record["images"][0], "psnr": 99.0}
        row |= {"made_by": made_by} if made_by else {}
        part = path.with_name(f"{path.name}.part")
        part.write_text("".join(json.dumps(line) + "\n" for line in (record["settings"], row)))
        path.unlink()
        assert bench(*RUN, "model=identity", "out=o")[0] == 0
        pd.testing.assert_frame_equal(scores(tmp_path / "o"), scores(tmp_path / "fresh"))


@pytest.mark.slow
def test_rows_of_a_half_done_cell_by_the_same_code_go_on(bench, acme, tmp_path, monkeypatch):
    acme(1)
    seen = []

    def stopping(*arguments: object) -> object:
        for done in evaluate(*arguments):
            seen.append(done.row["image"])
            yield done
            raise KeyboardInterrupt

    monkeypatch.setattr(run, "evaluate", stopping)
    command = [*RUN, "model=identity", "out=o"]
    for _ in range(2):
        status, _, err = bench(*command)
        assert status, err
    monkeypatch.setattr(run, "evaluate", evaluate)
    assert bench(*command)[0] == 0
    assert len(seen) == len(set(seen)) == 2
    (record,) = records(tmp_path / "o").values()
    assert all("made_by" not in row for row in record["images"])


@pytest.mark.slow
def test_a_metric_does_not_join_scores_of_other_code(bench, acme, tmp_path):
    acme(1)
    bench(*RUN, "model=identity", "out=o")
    old = records(tmp_path / "o")
    acme(2)
    other = [*RUN[:-1], "metric=error", "model=identity", "out=o"]
    status, _, err = bench(*other)
    assert status == 2
    assert "also has psnr, scored by other code (source of noise acme)" in err
    assert "metric=[error,psnr] rescore=changed" in err
    assert records(tmp_path / "o") == old
    assert bench(*RUN[:-1], "metric=[error,psnr]", "model=identity", "out=o")[0] == 0
    assert len({row["noisy"] for r in records(tmp_path / "o").values() for row in r["images"]}) == 2


@pytest.mark.slow
def test_rescoring_never_drops_a_metric_which_is_not_asked_for(bench, acme, tmp_path):
    acme(1)
    bench(*RUN[:-1], "metric=[psnr,error]", "model=identity", "out=o")
    old = records(tmp_path / "o")
    status, _, err = bench(*RUN, "model=identity", "out=o", "rescore=all")
    assert status == 2 and "metric=[psnr,error] rescore=all" in err
    assert records(tmp_path / "o") == old


@pytest.mark.slow
def test_all_that_was_stopped_goes_on_and_scores_no_cell_twice(bench, acme, tmp_path, monkeypatch):
    acme(1)
    words = [*RUN, "model=[identity,keep]", "out=o"]
    bench(*words)
    scored = []

    def noted(cell, *arguments, **more):
        if len(scored) == 1:
            raise KeyboardInterrupt
        scored.append(cell)
        return evaluate(cell, *arguments, **more)

    monkeypatch.setattr(run, "evaluate", noted)
    assert bench(*words, "rescore=all")[0] == 130
    (first,) = scored
    monkeypatch.setattr(
        run, "evaluate", lambda cell, *a, **k: scored.append(cell) or evaluate(cell, *a, **k)
    )
    status, out, _ = bench(*words, "rescore=all")
    assert status == 0 and "goes on with what a stopped run has begun" in out
    assert len(scored) == len(set(scored)) == 2
    status, out, _ = bench(*words, "rescore=all")
    assert status == 0 and "goes on" not in out and len(scored) == 4
    assert not (tmp_path / "o/plans").exists()


def test_python_warns_of_cells_which_other_code_scored_and_keeps_them(acme, tmp_path):
    def scored():
        few = {"photos": {"limit": 1, "crop": 32}}
        return benchmark.score("identity", "acme(5)", few, metric="psnr", store=tmp_path / "s").rows

    acme(1)
    first = scored()
    acme(2)
    with pytest.warns(UserWarning, match=r"1 of 1 cells in .* other code \(source of noise acme\)"):
        assert scored().psnr.tolist() == first.psnr.tolist()
