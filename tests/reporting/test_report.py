"""The report: the files which are written and the table which is printed."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from toy_scores import (
    PSNR,
    SCALES,
    labelled,
    leaderboard,
    line_of,
    many_noises,
    toy,
    with_trainings,
)

from benchmark.cells import Cell
from benchmark.cells.pictures import keep
from benchmark.reporting.board import Board
from benchmark.reporting.report import markdown, write
from benchmark.reporting.statistics.bootstrap import Bootstrap
from benchmark.scoring.evaluate import Evaluated


@pytest.mark.slow
def test_cells_left_out_are_counted_and_explained(table, printed):
    whole = "5 of 5 cells shared by all 4 models"
    assert whole in printed(table)
    part = table[~((table["model"] == "masked") & (table["noise"] == "spots"))]
    for text in (" ".join(printed(part).split()), markdown(labelled(part))):
        assert "3 of 5 cells shared by all 4 models" in text
        assert "2 cells of others are left out: masked lacks 2" in text


def test_labels_are_what_pages_show_and_files_of_numbers_keep_the_names(table, tmp_path, undrawn):
    labels = {"masked": "Ours", "baseline": "SwinIR", "spots": "Dead pixels"}
    write(labelled(table, labels=labels), tmp_path)
    page = (tmp_path / "leaderboard.md").read_text()
    assert line_of(page, "Ours")[1:3] == ["32.00", "**26.00**"] and "Paired with SwinIR" in page
    assert "Dead pixels: an estimate" in page and "noisy input" in page
    assert not {"masked", "baseline", "spots"} & set(re.findall(r"\w+", page))
    assert "Ours" not in (tmp_path / "ranking.csv").read_text()


def test_a_direction_nobody_stated_is_asked_for_not_guessed(table, tmp_path):
    assert leaderboard(table).equals(leaderboard(labelled(table)))
    for use in (lambda: leaderboard(table, "lpips"), lambda: write(table, tmp_path)):
        with pytest.raises(ValueError, match="pass higher_is_better={'lpips': True}, or False"):
            use()
    assert not list(tmp_path.iterdir())
    said = Board.of(table, {"lpips": False}).leaderboard("lpips")
    assert said.index[2][1] == "masked"


def test_a_single_model_at_a_single_level_is_a_leaderboard(table, printed):
    one = table[(table["model"] == "masked") & (table["noise"] == "spots") & (table["level"] < 0.2)]
    text = markdown(labelled(one))
    assert line_of(text, "masked")[1] == "28.00" and "gaussian 15" not in text
    assert "1 of 1 cells shared by 1 model." in text
    assert Board.of(one).comparison().empty
    assert "28.00" in printed(one)


def test_only_the_training_level_has_no_column_of_other_levels(table, printed):
    text = markdown(labelled(table[table["level"] == 15]))
    assert line_of(text, "baseline")[1:3] == ["**34.00**", "0.50"]
    assert "OOD" not in text and "95 %" not in text
    assert text.index("| baseline ") < text.index("| masked ")
    assert "34.00" in printed(table[table["level"] == 15])


@pytest.mark.slow
def test_each_dataset_has_its_own_table(table, tmp_path):
    both = pd.concat([table, toy({"masked": PSNR["masked"]}, "second")])
    text = markdown(labelled(both))
    write(both[both["noise"] == "spots"].drop(columns=["ssim", "lpips"]), tmp_path)
    assert text.index("## second") < text.index("## toy")
    assert "5 of 5 cells shared by 1 model." in text
    assert {path.name for path in tmp_path.glob("*.svg")} == {
        "figure11_second.svg",
        "figure11_toy.svg",
        "ranks_toy.svg",  # a single model has no rank
    }


def test_seeds_are_averaged_and_counted_as_cells(table, printed):
    two = toy(PSNR, seeds=2)
    assert "10 of 10 cells" in printed(two)
    later = two["seed"] == 1
    two.loc[later, "psnr"] += 2
    pd.testing.assert_series_equal(leaderboard(two)["ood"], leaderboard(table)["ood"] + 1)


@pytest.mark.slow
def test_an_estimated_noise_says_so_under_the_table(table, printed):
    scores = labelled(table)
    assert "spots: an estimate of something." in markdown(scores)
    assert "spots: an estimate of something." in " ".join(printed(scores).split())


@pytest.mark.slow
def test_many_caveats_are_in_the_page_and_in_the_terminal_their_noises(table, printed):
    many = many_noises(table)
    assert all(f"spots{n}: guess number {n}." in markdown(many) for n in range(8))
    said = " ".join(printed(many).split())
    assert "spots, spots0, spots1, spots2" in said and "spots7 are guesses or" in said
    assert "guess number" not in said


def test_a_caveat_is_said_once_whatever_the_number_of_tables(table, printed):
    two = pd.concat([table, table.assign(dataset="toy2")], ignore_index=True)
    scores = labelled(two)
    assert markdown(scores).count("spots: an estimate of something.") == 1
    assert printed(scores).count("an estimate of something.") == 1


@pytest.mark.slow
def test_recorded_noise_stands_after_the_clean_images(table, printed):
    real = table[table["noise"] == "spots"].assign(dataset="a_camera", noise="a_camera")
    both = labelled(pd.concat([table, real]))
    text = markdown(both)
    assert text.index("## toy") < text.index("## a_camera")
    text = printed(both)
    assert text.index("toy: PSNR") < text.index("a_camera: PSNR")


@pytest.mark.slow
def test_many_noises_have_a_figure_for_each_metric(table, tmp_path):
    many = many_noises(table.drop(columns="lpips"))
    names = {path.name for path in write(many, tmp_path)}
    assert {"figure11_toy.svg", "figure11_toy_ssim.svg"} <= names


def test_a_single_level_is_no_curve(small, tmp_path):
    one = small[(small["level"] == 0.1) & small["model"].isin(["identity", "masked"])]
    names = [path.name for path in write(one, tmp_path)]
    tables = ["leaderboard.csv", "scores.csv", "ranking.csv", "pairs.csv"]
    assert names == ["leaderboard.md", *tables]
    assert "Quality against level" not in (tmp_path / "leaderboard.md").read_text()


def test_the_csv_has_a_line_per_model_and_level_unrounded_with_timings_last(small, tmp_path):
    small["psnr"] += 1 / 3
    write(small, tmp_path)
    found = pd.read_csv(tmp_path / "leaderboard.csv")
    assert len(found) == 4 * 2
    assert list(found.columns[-2:]) == ["n_images", "seconds"]
    masked = found[(found["model"] == "masked") & (found["level"] == 0.2)].iloc[0]
    assert masked["psnr"] == pytest.approx(26 + 1 / 3, rel=1e-14)
    assert masked["n_images"] == 9


def test_trainings_of_a_network_are_one_line_whose_interval_covers_them(table, tmp_path, printed):
    scores = labelled(with_trainings(table), partners={"masked@2": "baseline"})
    text = markdown(scores).split("### SSIM")[0]
    assert "masked@" not in text
    line, heading = line_of(text, "masked"), line_of(text, "model")
    assert line[2].strip("*") == "26.00" and line[heading.index("trainings")] == "3"
    low, high = map(float, line[3].split(" to "))
    alone = leaderboard(table).loc[("toy", "masked")]
    assert high - low > 2 * (alone["ood_high"] - alone["ood_low"])
    assert "bootstrap over 9 images and 3 trainings of masked, 10000 resamples" in text
    assert "Where a model has one training, the interval leaves others of it out." in text
    assert "Paired with baseline" in text
    assert line_of(text.split("Image noise and run noise")[1], "masked")[2] == "1.000"
    assert "over 9 images and 3 trainings of masked" in " ".join(printed(scores).split())
    write(labelled(with_trainings(table[table["level"].isin([15, 0.2])])), tmp_path)
    for name in ("scores.csv", "leaderboard.csv"):
        assert {f"masked@{n}" for n in (1, 2, 3)} <= set(pd.read_csv(tmp_path / name)["model"])
    curves = (tmp_path / "ranks_toy.svg").read_text()
    assert "masked" in curves and "masked@" not in curves


def test_noises_on_images_of_their_own_have_means_and_no_test(table, tmp_path):
    spots = (table["noise"] == "spots") & (table["level"] == 0.1)
    table = table[spots | ((table["noise"] == "gaussian") & (table["level"] == 50))].copy()
    table.loc[spots, "image"] = "s" + table["image"]
    two = pd.concat([table, table.assign(seed=1)])
    names = [path.name for path in write(labelled(two), tmp_path)]
    assert "ranks_toy.svg" not in names
    assert line_of((tmp_path / "leaderboard.md").read_text(), "masked")[1] == "25.50"


def test_the_ranking_and_its_pairs_are_csv_in_full_precision(table, tmp_path):
    write(labelled(table[table["level"].isin([15, 0.2])]), tmp_path)
    ranking = pd.read_csv(tmp_path / "ranking.csv").query("metric == 'psnr'").set_index("model")
    assert list(ranking.index) == ["identity", "bm3d", "masked", "baseline"]
    assert list(ranking["rank_low"].dropna()) == [1, 2]
    assert list(ranking["group"]) == ["c", "b", "a", "c"]  # baseline is at 20 dB as the input is
    pairs = pd.read_csv(tmp_path / "pairs.csv").query("metric == 'psnr'")
    assert len(pairs) == 6
    line = pairs.query("model == 'bm3d' and other == 'masked'").iloc[0]
    assert line["difference"] == pytest.approx(-3)
    assert line["p_holm"] == pytest.approx(5 * 2 / 2**9)  # of the pairs with a reference


def test_the_scores_come_back_from_their_csv(small, tmp_path):
    write(small, tmp_path)
    for back in (tmp_path / "scores.csv", pd.read_csv(tmp_path / "scores.csv")):
        pd.testing.assert_frame_equal(leaderboard(back), leaderboard(small))


@pytest.mark.slow
def test_the_same_lines_in_any_order_write_the_same_bytes(small, tmp_path):
    first = write(small, tmp_path / "first")
    second = write(small.sample(frac=1, random_state=0), tmp_path / "second")
    assert [path.name for path in first] == [path.name for path in second]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


@pytest.mark.slow
def test_pictures_become_a_strip_at_the_third_level_or_the_last(table, tmp_path):
    table = labelled(table[table["model"].isin(["masked", "identity"])])
    image = table.rows["image"].iloc[0]
    for noise, level in (("gaussian", 25), ("gaussian", 50), ("spots", 0.2)):
        cell = Cell("masked", "toy", noise, level, 0)
        folder, picture = tmp_path / "pictures" / cell.pictures(image), np.zeros((8, 8, 3), "uint8")
        keep(folder, "masked", Evaluated({}, picture, picture + 1, picture + 2))
    third = Cell("masked", "toy", "gaussian", 25, 0)  # needed by no strip
    (tmp_path / "pictures" / third.pictures(image) / "clean.png").unlink()
    written = write(table, tmp_path / "out", tmp_path / "pictures")
    strips = [path.name for path in written if path.name.startswith("strip")]
    assert strips == ["strip_gaussian_toy.png", "strip_spots_toy.png"]
    page = (tmp_path / "out/leaderboard.md").read_text("utf-8")
    links = set(re.findall(r"\]\(([^)]+)\)", page))
    assert {*strips, "figure11_toy.svg"} <= links
    assert all((tmp_path / "out" / name).is_file() for name in links if ":" not in name)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_the_terminal_table_fits_and_cuts_no_number(table, width, printed):
    wide = pd.concat(
        [
            table,
            *(table.assign(noise=f"a_noise_{n}", level=1.0 * n + table["level"]) for n in range(6)),
        ]
    )
    text = printed(wide, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert all(number in text for number in ("32.00", "34.00", "±"))


def test_an_empty_table_is_one_sentence(table, tmp_path, printed):
    for use in (leaderboard, markdown, lambda empty: write(empty, tmp_path), printed):
        with pytest.raises(ValueError, match="no line, so there is nothing to report"):
            use(table.iloc[:0])


@pytest.mark.slow
def test_importing_the_report_loads_neither_torch_nor_matplotlib_nor_scipy():
    code = (
        "import sys, benchmark.reporting.report; "
        "sys.exit(str({'torch', 'matplotlib', 'scipy', 'rich', 'jinja2'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_everything_written_and_printed_is_computed_once(table, tmp_path, printed, monkeypatch):
    drawn, bounds = [], Bootstrap.bounds

    def counted(bootstrap: Bootstrap, contrasts: np.ndarray) -> object:
        drawn.append(contrasts.shape[1])
        return bounds(bootstrap, contrasts)

    monkeypatch.setattr(Bootstrap, "bounds", counted)
    board = Board(labelled(table[table["level"].isin([15, 0.2])]))
    write(board, tmp_path)
    printed(board)
    models, pairs = len(PSNR), len(PSNR) * (len(PSNR) - 1) // 2
    intervals = pd.read_csv(tmp_path / "ranking.csv").filter(regex="^(gap|gain|area|ood_f).*_low$")
    of_indices = int(intervals.notna().to_numpy().sum())
    assert sorted(drawn) == sorted([models, pairs] * len(SCALES) + [1] * of_indices)


def test_the_leaderboard_is_written_for_latex_and_html_where_it_is_asked_for(table, tmp_path):
    one = labelled(table[table["level"] == 0.2])
    names = [path.name for path in write(one, tmp_path, formats=["tex", "html"])]
    assert {"leaderboard.tex", "leaderboard.html"} <= {*names} and "leaderboard.md" not in names
    text = (tmp_path / "leaderboard.tex").read_text()
    assert r"\caption{PSNR (dB) $\uparrow$ on toy: 1 noise at 1 level, 9 images;" in text
    assert "<caption>LPIPS ↓ on toy: 1 noise" in (tmp_path / "leaderboard.html").read_text()
    with pytest.raises(ValueError, match="not written as 'svgz'; did you mean 'svg'. Take md, csv"):
        write(one, tmp_path / "other", formats=["svgz"])
