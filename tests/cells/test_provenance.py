"""By which code and on which pixels cells were scored: said, refused where it differs, mended."""

import hashlib
import importlib
import json
import linecache
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawing import leave_undrawn

from benchmark import __version__
from benchmark.cells import Cell, ResultStore
from benchmark.cells.provenance import code_changes, code_of, made_of, pixels_hash
from benchmark.cells.scores import Scores, metric_names
from benchmark.objects.registries import REGISTRIES
from benchmark.reporting.board import Board
from benchmark.reporting.report import markdown
from benchmark.reporting.statistics import check_table
from benchmark.scoring import grid as run
from benchmark.scoring.evaluate import evaluate

ACME = """
from dataclasses import dataclass

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.metrics import METRICS, Metric
from benchmark.noise import NOISE_MODELS, NoiseModel


@NOISE_MODELS.register("acme")
@dataclass(frozen=True)
class Acme(NoiseModel):
    unit = "offset, in 8-bit steps"
    levels: tuple[float, ...] = (5,)

    def sample(self, clean, level, rng):
        return clean + level / 255 * STRENGTH


@DENOISERS.register("keep")
class Keep(Denoiser):
    def forward(self, noisy):
        return noisy


@METRICS.register("error")
@dataclass(frozen=True)
class Error(Metric):
    higher_is_better = False

    def score(self, restored, clean):
        return float((restored - clean).abs().mean())
"""
RUN = ["run", "noise=acme", "data.photos.limit=2", "data.photos.crop=32", "metric=psnr"]
CODE = {"class": "acme.Acme", "distribution": "acme", "version": "1.0", "source": "0" * 16}


@pytest.fixture
def acme(tmp_path_factory, monkeypatch) -> Callable[[float], None]:
    """A plugin's module, written and imported anew with another arithmetic at each call."""
    for registry in REGISTRIES.values():
        monkeypatch.setattr(registry, "data", dict(registry.data))
    leave_undrawn(monkeypatch)  # tables are what is looked at here
    folder = tmp_path_factory.mktemp("acme")
    monkeypatch.syspath_prepend(str(folder))

    def write(strength: float) -> None:
        (folder / "acme_for_test.py").write_text(ACME.replace("STRENGTH", str(strength)))
        importlib.invalidate_caches()
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        sys.modules.pop("acme_for_test", None)
        importlib.import_module("acme_for_test")
        sys.dont_write_bytecode = before

    yield write
    sys.modules.pop("acme_for_test", None)


def scores(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "scores.csv").drop(columns="seconds")


def records(out: Path) -> dict[str, dict]:
    found = sorted(out.glob("cells/*/*/*.json"))
    return {str(path.relative_to(out)): json.loads(path.read_text()) for path in found}


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


def test_a_finished_cell_says_what_made_it(bench, acme, tmp_path):
    acme(1)
    bench(*RUN, "model=keep", "out=o")
    code = records(tmp_path / "o")["cells/keep/photos/acme-5-0.json"]["code"]
    source = (Path(sys.modules["acme_for_test"].__file__)).read_bytes()
    here = {"distribution": None, "version": None}
    here["source"] = hashlib.sha256(source).hexdigest()[:16]
    assert code["noise"] == {"class": "acme_for_test.Acme", **here}
    assert code["model"] == {"class": "acme_for_test.Keep", **here}
    assert (
        code["dataset"]["distribution"] == code["metrics"]["psnr"]["distribution"] == "noisebench"
    )
    assert code["metrics"]["psnr"]["version"] == __version__


@pytest.mark.slow
def test_a_formula_is_made_by_the_code_of_its_noises(bench, acme, tmp_path):
    command = ["run", "model=identity", "noise=acme(5)+gaussian(15)", *RUN[2:], "out=o"]
    acme(1)
    assert bench(*command)[0] == 0
    acme(2)
    assert "scored by other code (source of noise acme)" in bench(*command)[1]


@pytest.mark.slow
def test_a_class_without_a_file_is_known_by_its_text_or_not_at_all(monkeypatch):
    found = []
    for number in (1, 2):
        text = f"class Typed:\n    def score(self):\n        return {number}\n"
        place = f"<cell {number}>"  # as a notebook keeps what is typed into it
        monkeypatch.setitem(linecache.cache, place, (len(text), None, text.splitlines(True), place))
        scope: dict[str, object] = {"__name__": "typed_into_a_notebook"}
        exec(compile(text, place, "exec"), scope)
        found.append(code_of(scope["Typed"])["source"])
    assert found[0] != found[1] and None not in found
    exec("class Typed:\n    def score(self): return 1", scope)
    assert code_of(scope["Typed"])["source"] is None
    assert code_of(int)["source"] is None
    assert code_of(np.ndarray)["distribution"] == "numpy"


def test_line_ends_are_no_difference_in_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    found = []
    for name, ends in (("unix_ends", b"\n"), ("dos_ends", b"\r\n")):
        (tmp_path / f"{name}.py").write_bytes(b"class Some:" + ends + b"    pass" + ends)
        importlib.invalidate_caches()
        found.append(code_of(importlib.import_module(name).Some)["source"])
    assert found[0] == found[1] is not None


# pixels


def test_a_hash_of_pixels_tells_values_shapes_and_types_apart_and_not_memory_orders():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    others = [image + 1, image.reshape(4, 2, 3), image.astype(np.int8), image[:1], image[::-1]]
    hashes = [pixels_hash(one) for one in (image, *others)]
    assert len(set(hashes)) == len(hashes)
    assert pixels_hash(np.asfortranarray(image)) == pixels_hash(image)
    assert all(len(found) == 16 and int(found, 16) >= 0 for found in hashes)


def table(**pixels: list[str | None]) -> pd.DataFrame:
    """Two models on one image; with the hashes of each."""
    lines = {"model": ["a", "b"], "dataset": "d", "noise": "n", "level": 5.0, "seed": 0}
    return pd.DataFrame({**lines, "image": "one", "psnr": [30.0, 31.0], **pixels, "seconds": 0.5})


@pytest.mark.parametrize("kind", ["noisy", "clean"])
def test_a_table_of_different_pixels_is_refused_naming_both_cells(kind):
    for look in (check_table, lambda found: Board.of(found).leaderboard(), markdown):
        with pytest.raises(ValueError, match=f"a on d, n 5, seed 0 and b .* different {kind}"):
            look(table(**{kind: ["x", "y"]}))


@pytest.mark.parametrize("pixels", [["x", "x"], ["x", None], [None, None]])
def test_equal_or_unknown_pixels_are_compared_and_are_no_metrics(pixels):
    found = table(noisy=pixels, clean=pixels)
    assert metric_names(found) == ["psnr"]
    assert "noisy" not in check_table(found)
    assert len(Board.of(found).leaderboard()) == 2


def test_recorded_noise_and_formulas_are_named_as_a_command_takes_them():
    for noise, word in (("d", "noise=d rescore=all"), ("g(5)+p(2)", "'noise=g(5)+p(2)' data=d")):
        with pytest.raises(ValueError) as error:
            check_table(table(noisy=["x", "y"]).assign(noise=noise))
        assert word in str(error.value)


# what a table mixes


def record(model: str, level: float = 5.0, **changes: object) -> dict[str, object]:
    made = {
        "torch": "2.4.0",
        "noisebench": "0.1.0",
        "noisy": "8 bits",
        "source": "0" * 16,
        **changes,
    }
    noise = {**CODE, "source": made["source"], "version": made.get("version", "1.0")}
    ours = {**CODE, "class": "x.X", "distribution": "noisebench", "version": made["noisebench"]}
    found = {
        "cell": {"model": model, "dataset": "d", "noise": "n", "level": level, "seed": 0},
        "environment": {name: made[name] for name in ("torch", "noisebench")},
        "settings": {
            **{"model": {"of": model}, "noise": {"of": "n"}, "dataset": {"of": "d"}},
            **{"protocol": {"noisy": made["noisy"]}, "metrics": {"psnr": {}}},
        },
        "labels": {"higher_is_better": {"psnr": True}, "unit": "", "note": ""},
        "code": {"model": ours, "noise": noise, "dataset": ours, "metrics": {"psnr": ours}},
        "images": [{"image": "one", "psnr": 30.0, "seconds": 1.0}],
    }
    return {key: value for key, value in found.items() if key not in made.get("without", ())}


def stored(root: Path, *found: dict[str, object]) -> Scores:
    for one in found:
        path = root / "cells" / Cell(**one["cell"]).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(one))
    return ResultStore(root).scores()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"torch": "2.5.1"}, "torch 2.4.0 in 2 cells, 2.5.1 in 1."),
        ({"noisebench": "0.2.0"}, "noisebench 0.1.0 in 2 cells, 0.2.0 in 1."),
        ({"version": "1.1"}, "acme 1.0 in 2 cells, 1.1 in 1."),
        ({"source": "f" * 16}, f"source of noise n {'0' * 16} in 2 cells, {'f' * 16} in 1."),
        ({"without": ["code"]}, "1 of 3 cells do not say by what code."),
    ],
)
def test_a_report_says_below_its_table_what_the_table_mixes(tmp_path, changes, sentence):
    found = stored(tmp_path, record("a"), record("b"), record("c", **changes))
    assert f"Not all made alike: {sentence}" in markdown(found)
    rest = found.of(models=["a", "b"])
    assert "made alike" not in markdown(rest), "the table that is shown mixes nothing"


def test_a_table_of_one_make_or_of_unknown_make_says_nothing(tmp_path):
    alike = stored(tmp_path / "a", record("a"), record("b"))
    assert alike.made is None
    silent = ["code", "environment"]
    unknown = stored(tmp_path / "b", record("a", without=silent), record("b", without=silent))
    assert unknown.made is None
    assert made_of([]) is None


def test_only_what_both_sides_know_is_a_change_of_code():
    before = record("a")
    ours = before["code"]["model"]
    assert code_changes(before, before["code"]) == []
    moved = {**before["code"], "noise": {**CODE, "class": "elsewhere.Acme"}}
    assert code_changes(before, moved) == [], "a class that moved unchanged"
    assert code_changes(record("a", without=["code"]), before["code"]) is None
    unknown = {**before["code"], "noise": {**CODE, "source": None, "distribution": None}}
    assert code_changes(before, unknown) == []
    more = {**before["code"], "metrics": {"ssim": {**ours, "source": "f" * 16}}}
    assert code_changes(before, more) == []
    newer = {**before["code"], "noise": {**CODE, "version": "1.1"}}
    assert code_changes(before, newer) == ["acme 1.0, now 1.1"]
