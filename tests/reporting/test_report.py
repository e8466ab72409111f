"""The leaderboard, from small tables whose means are worked out by hand, to the files written."""

import io
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawing import leave_undrawn
from rich.console import Console

from benchmark.cells import Cell
from benchmark.cells.pictures import keep
from benchmark.cells.scores import Scale, Scores
from benchmark.protocol import PROTOCOLS
from benchmark.reporting.board import Board
from benchmark.reporting.report import markdown, print_leaderboard, write
from benchmark.reporting.statistics.bootstrap import Bootstrap
from benchmark.scoring.evaluate import Evaluated

CELLS = [("gaussian", 15.0), ("gaussian", 25.0), ("gaussian", 50.0), ("spots", 0.1), ("spots", 0.2)]
# PSNR of each cell; images lie up to 1 dB below and above it
PSNR = {
    "identity": [25, 20, 15, 22, 20],
    "bm3d": [31, 28, 24, 25, 23],
    "baseline": [34, 26, 20, 24, 20],
    "masked": [32, 27, 23, 28, 26],
}


SCALES = {
    "psnr": Scale("psnr", True, "dB", 2),
    "ssim": Scale("ssim", True),
    "lpips": Scale("lpips", False),
}


@pytest.fixture
def table() -> pd.DataFrame:
    return toy(PSNR)


@pytest.fixture
def small(table) -> pd.DataFrame:
    """One noise and one metric: quickly drawn."""
    return table[table["noise"] == "spots"].drop(columns=["ssim", "lpips"])


@pytest.fixture
def undrawn(monkeypatch) -> None:
    """Figures are left out."""
    leave_undrawn(monkeypatch)


def labelled(rows: pd.DataFrame, **labels: object) -> Scores:
    """The rows with what cells say of them."""
    given = {
        "units": {"gaussian": "sigma, in 8-bit steps", "spots": "share of the pixels"},
        "notes": {"gaussian": "", "spots": "an estimate of something"},
        "partners": {"masked": "baseline"},
    }
    return Scores(rows, SCALES, **{**given, **labels})


def leaderboard(table: Scores | pd.DataFrame, metric: str | None = None) -> pd.DataFrame:
    return Board.of(table).leaderboard(metric)


def toy(psnr: dict[str, list[float]], dataset: str = "toy", seeds: int = 1) -> pd.DataFrame:
    lines = [
        {"model": model, "dataset": dataset, "noise": noise, "level": level, "seed": seed}
        | {"image": f"0{place}", "psnr": mean + shift, "ssim": (mean + shift) / 50}
        | {"lpips": 1 - (mean + shift) / 50, "seconds": 0.5}
        for model, means in psnr.items()
        for (noise, level), mean in zip(CELLS, means, strict=True)
        for seed in range(seeds)
        for place, shift in enumerate(np.linspace(-1, 1, 9))
    ]
    return pd.DataFrame(lines)


@pytest.fixture
def printed(monkeypatch) -> Callable[..., str]:
    """What is printed of a table on a console of some width."""

    def show(table: Scores | pd.DataFrame, width: int = 100) -> str:
        console = Console(file=io.StringIO(), width=width)
        monkeypatch.setattr("benchmark.console.log.console", lambda: console)
        print_leaderboard(table)
        return console.file.getvalue()

    return show


def line_of(text: str, model: str) -> list[str]:
    """The cells of a model's first line in a Markdown text."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {model} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_columns_are_the_means_they_claim_to_be(table):
    masked = leaderboard(table).loc[("toy", "masked")]
    assert masked["in_distribution"] == pytest.approx(32)
    assert masked["gaussian"] == pytest.approx(25)  # of 27 and 23; 15 was trained on
    assert masked["spots"] == pytest.approx(27)
    assert masked["ood"] == pytest.approx(26)
    assert masked["ood_low"] < 26 < masked["ood_high"]
    assert masked["seconds"] == 0.5


def test_references_stand_first_and_models_are_ranked_by_their_mean_over_noises(table):
    assert list(leaderboard(table).index.get_level_values("model")) == [
        *("identity", "bm3d"),
        *("masked", "baseline"),
    ]


def test_the_order_of_lines_changes_nothing(table):
    pd.testing.assert_frame_equal(leaderboard(table), leaderboard(table[::-1]))


def test_a_model_does_not_gain_by_missing_a_noise(table):
    hard = (table["noise"] == "gaussian") & (table["level"] > 15)
    table = table[~((table["model"] == "baseline") & hard)]
    board = leaderboard(table)
    assert "gaussian" not in board  # for nobody
    assert board.loc[("toy", "masked"), "ood"] == pytest.approx(27)
    assert board.loc[("toy", "baseline"), "ood"] == pytest.approx(22)


@pytest.mark.slow
def test_cells_left_out_are_counted_and_explained(table, printed):
    whole = "5 of 5 cells shared by all 4 models"
    assert whole in printed(table)
    part = table[~((table["model"] == "masked") & (table["noise"] == "spots"))]
    for text in (" ".join(printed(part).split()), markdown(labelled(part))):
        assert "3 of 5 cells shared by all 4 models" in text
        assert "2 cells of others are left out: masked lacks 2" in text


def test_the_best_model_is_bold_and_references_never_are(table):
    text = markdown(labelled(table))
    assert line_of(text, "masked")[1:3] == ["32.00", "**26.00**"]
    assert line_of(text, "baseline")[1:3] == ["**34.00**", "22.50"]
    assert line_of(text, "bm3d")[1:7:5] == ["31.00", "*26.00*"]  # gaussian: no model reaches it
    assert "**" not in "".join(line_of(text, "bm3d") + line_of(text, "noisy input"))


def test_labels_are_what_pages_show_and_files_of_numbers_keep_the_names(table, tmp_path, undrawn):
    labels = {"masked": "Ours", "baseline": "SwinIR", "spots": "Dead pixels"}
    write(labelled(table, labels=labels), tmp_path)
    page = (tmp_path / "leaderboard.md").read_text()
    assert line_of(page, "Ours")[1:3] == ["32.00", "**26.00**"] and "Paired with SwinIR" in page
    assert "Dead pixels: an estimate" in page and "noisy input" in page
    assert not {"masked", "baseline", "spots"} & set(re.findall(r"\w+", page))
    assert "Ours" not in (tmp_path / "ranking.csv").read_text()


def test_the_label_of_a_network_is_that_of_its_trainings(table):
    scores = labelled(table, labels={"masked": "Ours", "masked@1": "Ours, first"})
    found = [scores.label(name) for name in ("masked@2", "masked@1", "identity", "tv@1", "tv")]
    assert found == ["Ours@2", "Ours, first", "noisy input", "tv@1", "tv"]


def test_where_lower_is_better_the_lowest_is_bold_and_first(table):
    table["psnr"] = np.nan
    rows = table[["model", *table.columns[1:6], "lpips", "seconds"]]
    text = markdown(rows, higher_is_better={"lpips": False})
    assert "### LPIPS ↓" in text
    assert line_of(text, "masked")[2] == "**0.4800**"
    assert line_of(text, "baseline")[1:3] == ["**0.3200**", "0.5500"]
    assert text.index("| masked ") < text.index("| baseline ")
    assert "below zero is better" in text


def test_bold_is_the_best_group_and_not_the_best_number(table):
    twin = table[table["model"] == "masked"].assign(model="twin")
    twin["psnr"] += np.where(twin["image"].astype(int) % 2, -0.4, 0.2)
    text = markdown(labelled(pd.concat([table, twin])))
    assert line_of(text, "masked")[2] == "**26.00**"
    assert line_of(text, "twin")[2] == "**25.93**"
    assert line_of(text, "baseline")[2] == "22.50"


def test_tied_models_share_a_letter_and_ranks(table):
    twin = table[table["model"] == "masked"].assign(model="twin")
    twin["psnr"] += np.where(twin["image"].astype(int) % 2, -0.4, 0.2)
    scores = labelled(pd.concat([table, twin]))
    text = markdown(scores)
    rank = [line_of(text, model)[4] for model in ("masked", "twin", "baseline", "bm3d")]
    assert rank == ["1 to 2", "1 to 2", "3", "–"]
    group = [line_of(text, model)[5] for model in ("masked", "twin", "bm3d", "baseline")]
    assert group == ["a", "a", "b", "c"]
    tested = (
        "of 3 pairs of ranked models and 7 with a reference, corrected by Holm to 5 % for all of"
    )
    assert f"over 9 images {tested} a kind together" in text


def test_images_too_few_to_tell_any_two_models_apart_are_said_to_be(table):
    few = table[table["image"].isin(["00", "01", "02"])]
    text = markdown(labelled(few))
    assert "No two models can be told apart over 3 images: the least p there can" in text
    assert "**" not in text and "Bold" not in text
    assert "group" not in text.partition("Paired with")[0]


def test_a_metric_without_values_is_left_out_in_words(table):
    text = markdown(labelled(table.assign(lpips=np.nan)))
    assert "LPIPS is left out: no image has a value." in text
    assert "### LPIPS" not in text


@pytest.mark.slow
def test_a_model_without_a_metric_is_named_and_does_not_spoil_it_for_others(table):
    table.loc[table["model"] == "bm3d", "ssim"] = np.nan
    text = markdown(labelled(table)).split("### SSIM")[1].split("###")[0]
    assert "Without a value of SSIM, so not shown: bm3d." in text
    assert "5 of 5 cells shared by all 3 models" in text


def test_a_direction_nobody_stated_is_asked_for_not_guessed(table, tmp_path):
    assert leaderboard(table).equals(leaderboard(labelled(table)))
    for use in (lambda: leaderboard(table, "lpips"), lambda: write(table, tmp_path)):
        with pytest.raises(ValueError, match="pass higher_is_better={'lpips': True}, or False"):
            use()
    assert not list(tmp_path.iterdir())
    said = Board.of(table, {"lpips": False}).leaderboard("lpips")
    assert said.index[2][1] == "masked"


def test_models_are_compared_with_the_one_which_a_class_names(table):
    found = Board(labelled(table)).comparison()
    assert set(found["against"]) == {"baseline"}
    assert found.loc[("toy", "masked"), "difference"] == pytest.approx(3.5)
    assert found.loc[("toy", "masked"), "low"] == pytest.approx(3.5)  # the same on every image


@pytest.mark.parametrize("partners", [{}, {"masked": "absent"}, {"masked": "masked"}])
def test_without_such_a_one_the_best_model_is_what_others_are_compared_with(table, partners):
    found = Board(labelled(table, partners=partners)).comparison()
    assert set(found["against"]) == {"masked"}
    assert found.loc[("toy", "bm3d"), "difference"] == pytest.approx(-1)


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


def test_a_dataset_without_a_shared_cell_is_said_to_have_none(table):
    apart = table[(table["model"] == "masked") == (table["noise"] == "spots")]
    with pytest.raises(ValueError, match="no cell with psnr is shared"):
        leaderboard(apart)
    assert "No cell is shared by all models" in markdown(labelled(apart))


@pytest.mark.slow
def test_an_estimated_noise_says_so_under_the_table(table, printed):
    scores = labelled(table)
    assert "spots: an estimate of something." in markdown(scores)
    assert "spots: an estimate of something." in " ".join(printed(scores).split())


def many_noises(table: pd.DataFrame) -> Scores:
    """The table with eight more noises, each as ``spots`` and with a caveat."""
    spots = table[table["noise"] == "spots"]
    more = [spots.assign(noise=f"spots{n}") for n in range(8)]
    notes = {f"spots{n}": f"guess number {n}" for n in range(8)}
    frame = pd.concat([table, *more], ignore_index=True)
    return labelled(frame, notes={"spots": "an estimate of something", **notes})


@pytest.mark.slow
def test_many_noises_stand_below_each_other_with_a_column_per_model(table):
    text = markdown(many_noises(table))
    headings = next(line for line in text.splitlines() if "noisy input" in line)
    assert [cell.strip(" *") for cell in headings.strip("|").split("|")] == [
        "",
        "noisy input",
        "bm3d",
        "masked",
        "baseline",
    ]
    assert line_of(text, "spots3")[1:] == ["21.00", "24.00", "**27.00**", "22.00"]
    assert line_of(text, "gaussian 15")[1:] == ["25.00", "31.00", "32.00", "**34.00**"]


def test_what_stands_under_every_table_of_a_dataset_is_written_once(table):
    text = markdown(many_noises(table))
    assert text.count("- spots3: guess number 3.") == text.count("- OOD mean: ") == 1
    assert text.count("As above: what stands behind") == len(SCALES) - 1
    fewer = table["ssim"].where(table["image"] != "00")
    ssim = markdown(labelled(table.assign(ssim=fewer))).split("### SSIM")[1].split("###")[0]
    assert "- 8 images;" in ssim and "As above: what stands behind" not in ssim


@pytest.mark.slow
def test_many_caveats_are_in_the_page_and_in_the_terminal_their_noises(table, printed):
    many = many_noises(table)
    assert all(f"spots{n}: guess number {n}." in markdown(many) for n in range(8))
    said = " ".join(printed(many).split())
    assert "leaderboard.md, spots, spots0, spots1, spots2" in said
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


def with_trainings(table: pd.DataFrame) -> pd.DataFrame:
    """The table with three trainings of masked, 1 dB apart, and ``masked`` itself not in it."""
    masked = table["model"] == "masked"
    trainings = []
    for number, shift in enumerate([-1, 0, 1], start=1):
        one = table[masked].assign(model=f"masked@{number}")
        one["psnr"] += shift
        trainings.append(one)
    return pd.concat([table[~masked], *trainings], ignore_index=True)


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


def test_a_network_and_its_trainings_of_the_same_weights_count_once_and_are_named(table):
    twice = pd.concat([table, table[table["model"] == "masked"].assign(model="masked@1")])
    text = markdown(labelled(twice))
    assert "The scores of another training, so counted once: masked@1." in text
    assert "trainings" not in line_of(text, "masked")
    assert line_of(text, "masked")[2:4] == line_of(markdown(labelled(table)), "masked")[2:4]


def test_noises_on_images_of_their_own_have_means_and_no_test(table, tmp_path):
    spots = (table["noise"] == "spots") & (table["level"] == 0.1)
    table = table[spots | ((table["noise"] == "gaussian") & (table["level"] == 50))].copy()
    table.loc[spots, "image"] = "s" + table["image"]
    two = pd.concat([table, table.assign(seed=1)])
    names = [path.name for path in write(labelled(two), tmp_path)]
    assert "ranks_toy.svg" not in names
    assert line_of((tmp_path / "leaderboard.md").read_text(), "masked")[1] == "25.50"


def test_intervals_say_over_how_many_seeds_they_are(table):
    two = toy(PSNR, seeds=2)
    assert "bootstrap over 9 images and 2 seeds of the noise" in markdown(labelled(two))
    assert "another seed" in markdown(labelled(two))
    assert "another seed" not in markdown(labelled(table))


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


def test_a_page_says_what_the_table_knows_of_its_protocol_and_no_more(table):
    assert "Protocol" not in markdown(labelled(table))
    treated = dict.fromkeys(["noisy", "restored"], "clipped, 8 bits")
    scores = labelled(table, protocols=[treated], border={"toy": {"psnr": 1}})
    said = "noisy and restored images are clipped and rounded to 8 bits"
    psnr, ssim = markdown(scores).split("### SSIM")
    assert f"Protocol masked: {said}, a 1-pixel border left out." in psnr
    assert f"Protocol masked: {said}." in ssim
    other = replace(scores, protocols=[{"noisy": "as they are", "restored": "clipped"}])
    assert "Protocol unknown (noisy: as they are, restored: clipped)" in markdown(other)


def test_scores_by_two_protocols_never_stand_in_one_table(table):
    protocols = [PROTOCOLS[name].facts for name in ("masked", "kair")]
    with pytest.raises(ValueError, match="protocols kair and masked"):
        markdown(labelled(table, protocols=protocols))


def test_a_metric_of_a_plugin_is_printed_with_its_own_unit_and_digits(table):
    scales = {**SCALES, "lpips": Scale("lpips", False, "JND", 1)}
    text = markdown(replace(labelled(table), scales=scales)).split("### LPIPS (JND) ↓")[1]
    assert line_of(text, "masked")[2] == "**0.5**"


def test_a_selection_keeps_what_is_known_and_names_what_is_not_there(table):
    some = labelled(table).of(models=["masked", "bm3d"], noises=["spots"])
    assert set(some.rows["model"]) == {"masked", "bm3d"}
    assert set(some.rows["noise"]) == {"spots"}
    assert some.notes["spots"] == "an estimate of something"
    with pytest.raises(ValueError, match="no scores of model 'dncnn'; there are: baseline, bm3d"):
        labelled(table).of(models=["dncnn"])


def test_the_leaderboard_is_written_for_latex_and_html_where_it_is_asked_for(table, tmp_path):
    one = labelled(table[table["level"] == 0.2])
    names = [path.name for path in write(one, tmp_path, formats=["tex", "html"])]
    assert {"leaderboard.tex", "leaderboard.html"} <= {*names} and "leaderboard.md" not in names
    text = (tmp_path / "leaderboard.tex").read_text()
    assert r"\caption{PSNR (dB) $\uparrow$ on toy: 1 noise at 1 level, 9 images;" in text
    assert "<caption>LPIPS ↓ on toy: 1 noise" in (tmp_path / "leaderboard.html").read_text()
    with pytest.raises(ValueError, match="not written as 'svgz'; did you mean 'svg'. Take md, csv"):
        write(one, tmp_path / "other", formats=["svgz"])


def test_a_single_image_has_differences_without_an_interval(table):
    page = markdown(labelled(table[table["image"] == "00"]))
    assert "nan" not in page
    assert line_of(page.partition("Paired with")[2], "masked")[2] == "–"


def test_an_infinite_score_is_none(table):
    image = (table["model"] == "masked") & (table["image"] == "00")
    infinite, lacking = (
        leaderboard(table.assign(psnr=table["psnr"].mask(image, value)))
        for value in (np.inf, np.nan)
    )
    pd.testing.assert_frame_equal(infinite, lacking)
