"""What tiles cost in quality: models and their variants, whole and in tiles, and the page of it."""

import csv

import pytest

SMALL = ["data.photos.limit=1", "data.photos.crop=96", "noise.gaussian.levels=[15]", "out=o"]


def test_bench_tiles_measures_networks_and_their_variants(bench, tmp_path):
    status, out, err = bench("tiles", "model=[masked,identity]", *SMALL, "tiles=[64,72]")
    assert status == 0, err
    assert "written to o: tiles.md, tiles.csv" in out
    text = (tmp_path / "o/tiles.md").read_text()
    assert "`bench tiles 'model=[masked,identity]' data.photos.limit=1" in text
    readme = (tmp_path / "o/README.md").read_text()
    assert "```sh\nbench tiles 'model=[masked,identity]' data.photos.limit=1" in readme
    assert all(f"| {name} " in readme for name in ("masked", "noisy input", "photos", "torch"))
    with (tmp_path / "o/tiles.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    found = {(line["model"], line["tile"]): line for line in lines}
    assert len(lines) == len(found) == 3 + 2 + 2
    assert {tile for model, tile in found if model == "masked"} == {"0", "64", "72"}
    assert [line["model"] for line in lines[3:5]] == ["masked, mask off"] * 2
    assert 0 < float(found["masked, mask off", "64"]["difference"]) < 20
    assert float(found["identity", "64"]["difference"]) == 0
    assert float(found["identity", "64"]["psnr_difference"]) == 0
    assert float(found["identity", "64"]["pixels"]) == pytest.approx((2 * 64 / 96) ** 2)


def test_a_variant_which_the_network_already_is_is_not_measured_twice(bench, tmp_path):
    status, _, err = bench("tiles", "model.masked.mask=false", *SMALL, "tiles=[64]")
    assert status == 0, err
    with (tmp_path / "o/tiles.csv").open(newline="") as file:
        lines = [(line["model"], line["tile"]) for line in csv.DictReader(file)]
    assert lines == [("masked", "64")]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tiles=[]"], "tiles=[] selects nothing"),
        (["tiles=[100]"], "take tile=96"),
        (["tiles=[96]"], "astronaut of photos is 96x96, no larger than tiles of 96"),
    ],
)
def test_tiles_which_cannot_be_compared_are_one_sentence(bench, tmp_path, words, sentence):
    status, _, err = bench("tiles", "model=identity", *SMALL, *words)
    assert status == 2
    assert sentence in err and err.count("\n") == 1
    assert not list(tmp_path.rglob("*.md"))
