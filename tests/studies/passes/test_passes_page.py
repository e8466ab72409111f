"""The page of stochastic inference: verdicts on the two claims, and a table for each level."""

import csv
from functools import partial

import numpy as np
import pytest

from benchmark.studies.passes import gain, stability, summarize, write_pages
from benchmark.studies.passes.page import page


def record_of(psnr: np.ndarray, gained: float, level: float = 15.0) -> dict:
    """A cell of (images, runs) PSNRs whose means of 2 are better by so many dB.

    Its two variants lose 1 and 2 dB.
    """
    rows = []
    for number, runs in enumerate(psnr):
        pairs = [float(runs.mean()) + gained] * (len(runs) // 2)
        means = {"1": list(runs), "2": pairs}
        means = {k: {"psnr": list(v), "ssim": [0.5] * len(v)} for k, v in means.items()}
        noisy = {"psnr": 20.0, "ssim": 0.3}
        variants = {
            name: {"psnr": float(runs.mean()) - loss, "ssim": 0.4, "seconds": 1.0}
            for name, loss in (("half off", 1), ("all off", 2))
        }
        row = {"image": str(number), "means": means, "noisy": noisy, "variants": variants}
        rows.append({**row, "seconds": 2.0})
    return {
        "cell": {"model": "m", "dataset": "d", "noise": "n", "level": level, "seed": 0},
        "settings": {"model": {"of": "m"}, "draws": {"passes": psnr.shape[1]}},
        "labels": {"unit": "steps"},
        "environment": {"device": "cpu", "threads": 1},
        "images": rows,
    }


@pytest.mark.parametrize(
    ("spread", "word"), [(0.001, "holds"), (0.0105, "stays open"), (0.05, "does not hold")]
)
def test_the_claim_of_stability_is_judged_by_the_interval_of_the_spread(spread, word):
    runs = np.tile([-1.0, 1.0], 16)
    found = stability(summarize(record_of(30 + spread * np.array([runs, runs]), 0.3)))
    assert found.word == word
    assert f"claim of stability {word} here" in found.sentence
    assert found.number == f"{spread * np.sqrt(32 / 31):.5f} dB"


@pytest.mark.parametrize(
    ("gained", "word"),
    [(0.2, "does not hold"), (0.26, "holds"), (0.34, "holds"), (0.36, "is exceeded")],
)
def test_the_claim_of_a_gain_is_judged_by_what_rounds_to_it(gained, word):
    found = gain(summarize(record_of(np.full((2, 4), 30.0), gained)))
    assert found.word == word
    assert f"claim of a gain {word} here: +{gained:.3f} dB by the mean of 2" in found.sentence


@pytest.mark.slow
def test_the_page_has_the_command_the_verdicts_and_a_table_for_each_level(tmp_path):
    records = [record_of(np.full((2, 4), 30.0), 0.5, level) for level in (5.0, 15.0)]
    for path in write_pages(records, tmp_path, "bench passes model=m"):
        assert path.is_file()
    text = (tmp_path / "passes.md").read_text()
    assert text.index("`bench passes model=m`") < text.index("\n## m on d\n")
    verdicts = "**is exceeded** at n 5 (+0.500 dB by the mean of 2), n 15 (+0.500 dB by"
    assert f"- Averaging gains about 0.3 dB: {verdicts}" in text
    assert "0.00971" in text
    for level in (5, 15):
        section = text.split(f"### n {level} (steps)")[1].split("###")[0]
        for way in ("noisy input", "one pass", "mean of 2", "half off", "all off"):
            assert section.count(f"| {way} ") == 1
        assert "claim of stability" in section and "claim of a gain" in section
    with (tmp_path / "passes.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 5
    assert {line["level"] for line in lines} == {"5.0", "15.0"}


def test_the_page_says_what_each_variant_changes_at_each_level():
    summaries = [summarize(record_of(np.full((2, 4), 30.0), 0.5, level)) for level in (5, 15)]
    text = page(summaries, "bench")
    assert "\n- Half off, compared with one pass: -1.000 dB at n 5, -1.000 dB at n 15.\n" in text
    assert "\n- All off, compared with one pass: -2.000 dB at n 5, -2.000 dB at n 15.\n" in text


def test_a_network_without_variants_has_no_word_of_them():
    record = record_of(np.full((2, 4), 30.0), 0.5)
    for row in record["images"]:
        row["variants"] = {}
    assert "compared with one pass:" not in page([summarize(record)], "bench")


@pytest.mark.parametrize(("noisy", "said"), [(20.0, False), (31.0, True)])
def test_the_page_says_where_a_pass_is_worse_than_its_input(noisy, said):
    record = record_of(np.full((2, 4), 30.0), 0.3)
    for row in record["images"]:
        row["noisy"]["psnr"] = noisy
    sentence = "- At n 15 one pass is 1.000 dB below its noisy input"
    assert (sentence in page([summarize(record)], "bench")) == said


# the command


@pytest.fixture
def bench(bench):
    return partial(bench, "passes")


SMALL = ["data.photos.limit=1", "data.photos.crop=48", "noise.gaussian.levels=[15]", "out=o"]


def test_bench_passes_measures_a_network_and_its_variants(bench, tmp_path):
    status, out, err = bench(*SMALL, "passes=4", "averaged=[1,2]")
    assert status == 0, err
    assert "claim of stability" in out and "written to o: passes.md, passes.csv" in out
    text = (tmp_path / "o" / "passes.md").read_text()
    assert all(f"| {way} " in text for way in ("one pass", "mean of 2", "mask off"))
    readme = (tmp_path / "o" / "README.md").read_text()
    assert f"```sh\nbench passes {' '.join(SMALL[:2])}" in readme
    assert "| masked | masked | " in readme and "| torch " in readme and "[draws](draws)" in readme
    first = (tmp_path / "o" / "passes.csv").read_bytes()
    status, _, err = bench(*SMALL, "passes=4", "averaged=[1,2]")
    assert (status, err) == (0, "")
    assert (tmp_path / "o" / "passes.csv").read_bytes() == first


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["model=identity"], "'identity' gives the same output under two seeds"),
        (["model.masked.mask=false"], "'masked' gives the same output under two seeds"),
        (["model.masked.passes=2"], "leave out model.masked.passes"),
        (["passes=8", "averaged=[1,16]"], "larger numbers up to passes=8"),
        (["passes=1"], "a spread needs two outputs or more, got passes=1"),
        (["threads=0"], "threads must be 1 or more"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(bench, tmp_path, words, sentence):
    status, out, err = bench(*SMALL, *words)
    assert (status, out) == (2, "")
    assert err.startswith("bench: ") and sentence in err and err.count("\n") == 1
    assert not list(tmp_path.rglob("*.md"))
