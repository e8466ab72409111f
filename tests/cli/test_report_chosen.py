"""``bench report`` told what to show, how to call it, in which formats and where."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

SMALL = ["data.photos.limit=1", "data.photos.crop=32"]
RUN = ["run", "model=[identity,tv,wavelet]", "noise=[gaussian,poisson]", "metric=[psnr,ssim]"]
RUN += [*SMALL, "noise.gaussian.levels=[15,50]", "noise.poisson.levels=[2]", "out=out"]


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def models_of(folder: Path) -> list[str]:
    """The models of a report, in the order of their lines."""
    return list(pd.read_csv(folder / "ranking.csv")["model"].unique())


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize(
    ("chosen", "folder"),
    [
        (["model=[wavelet,identity]"], "report-wavelet+identity"),
        (["noise=paper", "level=[50]"], "report-paper-50"),
        (["metric=ssim"], "report-ssim"),
        (["model=tv", "noise=poisson"], "report-tv-poisson"),
    ],
)
def test_a_part_goes_to_a_folder_that_says_what_it_is_of(bench, finished, chosen, folder):
    before = content(finished)
    status, said, _ = bench("report", "out=out", *chosen, "formats=[md,csv]")
    assert status == 0 and f"out/{folder}: leaderboard.md" in said
    after = content(finished)
    assert before.items() <= after.items()
    assert {name for name in after if name not in before} == {
        f"{folder}/{name}.csv" for name in ("leaderboard", "pairs", "ranking", "scores")
    } | {f"{folder}/leaderboard.md"}
    assert "A part: " in (finished / folder / "leaderboard.md").read_text()


def test_a_part_shows_its_models_in_the_order_asked_for_and_nothing_else(bench, finished):
    chosen = [
        "model=[wavelet,identity]",
        "noise=gaussian",
        "level=50",
        "metric=ssim",
        "data=photos",
    ]
    assert bench("report", "out=out", *chosen, "to=part", "formats=[md,csv]")[0] == 0
    assert models_of(Path("part")) == ["wavelet", "identity"]
    scores = pd.read_csv("part/scores.csv")
    assert {*scores["noise"]} == {"gaussian"} and {*scores["level"]} == {50.0}
    assert "psnr" not in scores and "A part: 2 of the 9 cells of out, by" in page_of("part")
    assert "gaussian 15" not in page_of("part")


def page_of(folder: str) -> str:
    return Path(folder, "leaderboard.md").read_text()


def test_a_part_never_goes_over_tables_of_all(bench, finished):
    before = content(finished)
    status, _, said = bench("report", "out=out", "model=tv", "to=out")
    assert (status, content(finished)) == (2, before)
    assert said == (
        "bench: to=out is a results folder, and a part of one is never written over its tables; "
        "leave to= out for out/report-tv, or name another folder\n"
    )


def test_a_report_never_goes_over_the_tables_of_another_results_folder(bench, finished):
    shutil.copytree(finished, "other")
    before = content(Path("other"))
    status, _, said = bench("report", "out=out", "to=other", "formats=csv")
    assert (status, content(Path("other"))) == (2, before)
    assert "to=other is a results folder, and what out holds is never written over its" in said


@pytest.mark.slow
def test_models_without_the_chosen_cells_are_named_on_the_page(bench, finished):
    few = ["model=nlm", "noise=gaussian", "noise.gaussian.levels=[50]", "metric=psnr", "out=out"]
    bench("run", *few, *SMALL)
    assert bench("report", "out=out", "noise=poisson", "to=part", "formats=md")[0] == 0
    assert "No such cells are of nlm." in page_of("part")


def test_labels_of_the_command_line_come_before_those_of_the_file(bench, finished):
    text = "models:\n  tv: {label: TV of the file}\n  wavelet: {label: Wavelets}\n"
    Path("style.yaml").write_text(text)
    labels = "labels=[tv: Total variation (TV), poisson: Photons]"
    told = ["style=style.yaml", labels, "to=page", "formats=[md,csv]"]
    assert bench("report", "out=out", *told)[0] == 0
    page = page_of("page")
    assert "Total variation (TV)" in page and "Wavelets" in page and "Photons" in page
    assert "TV of the file" not in page
    assert {*models_of(Path("page"))} == {"identity", "tv", "wavelet"}


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    ("formats", "ends"),
    [("md", {".md"}), ("[tex,html]", {".tex", ".html", ".pdf"}), ("[csv,svg]", {".csv", ".svg"})],
)
def test_only_the_formats_asked_for_are_written_and_written_again(bench, finished, formats, ends):
    for _ in range(2):
        part = ["noise=gaussian", "to=page"]
        assert bench("report", "out=out", *part, f"formats={formats}")[0] == 0
        found = {path.suffix for path in Path("page").iterdir() if "strip" not in path.name}
        assert found == ends


@pytest.mark.slow
def test_a_page_shows_its_figures_in_the_formats_that_there_are(bench, finished):
    bench("report", "out=out", "noise=gaussian", "to=page", "formats=[md,pdf]")
    assert "\n[Quality against level](figure11_photos.pdf)" in page_of("page")
    bench("report", "out=out", "noise=gaussian", "to=page", "formats=[md,png]")
    assert "![Quality against level](figure11_photos.png)" in page_of("page")


@pytest.mark.slow
def test_figures_which_a_report_no_longer_has_are_removed_if_they_are_ours(bench, finished):
    bench("report", "out=out", "noise=gaussian", "to=page")
    Path("page/figure11_mine.svg").write_text("<svg/>\n")
    assert Path("page/figure11_photos.svg").is_file()
    bench("report", "out=out", "noise=poisson", "to=page")  # a single level is no curve
    assert sorted(path.name for path in Path("page").glob("*.svg")) == ["figure11_mine.svg"]
    assert sorted(path.name for path in Path("page").glob("strip*")) == ["strip_poisson_photos.png"]


@pytest.mark.sampled(every=8)
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "model=wavlet",
            "no scores of model 'wavlet'; did you mean 'wavelet'? There are:",
        ),
        ("noise=papr", "no scores of noise 'papr'; did you mean 'paper'? There are: gaussian"),
        ("metric=psrn", "no scores of metric 'psrn'; did you mean 'psnr'? There are: psnr, ssim"),
        ("data=photo", "no scores of data 'photo'; did you mean 'photos'? There are: photos"),
        ("level=[16]", "no scores at level 16; there are: gaussian 15, 50; poisson 2"),
        ("noise=gaussian(50)", "noise=gaussian(50) is one level of a noise, and levels are chosen"),
        ("noise=gaussian(25)+poisson(2)", "no scores of noise 'gaussian(25)+poisson(2)'"),
        ("labels=[tv]", "labels has 'tv', which is no NAME: LABEL"),
        ("style=none.yaml", "style=none.yaml: the file cannot be read: No such file or directory"),
        ("formats=[pdff]", "a report is not written as 'pdff'; did you mean 'pdf'? Take md, csv"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_writes_nothing(bench, finished, words, sentence):
    before = content(finished)
    status, _, said = bench("report", "out=out", *words.split(maxsplit=1))
    assert status == 2 and said.startswith(f"bench: {sentence}") and said.count("\n") == 1
    assert content(finished) == before


def test_a_part_is_drawn_with_the_looks_of_the_whole_folder(bench, finished, monkeypatch):
    told = []
    monkeypatch.setattr(
        "benchmark.reporting.report.drawings", lambda *given: told.append(given[-1]) or iter(())
    )
    assert bench("report", "out=out", "model=tv")[0] == 0
    assert told[0].everyone == ["identity", "tv", "wavelet"]
