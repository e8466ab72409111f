"""Training curves: which file becomes which line, and what the page says of a run."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from doubles import Small
from drawing import assert_whole

from benchmark.denoiser.weights.load import save_weights
from benchmark.reporting.figures.style import Style
from benchmark.reporting.trainings.curves import readme, write_curves
from benchmark.reporting.trainings.figure import training_curves
from benchmark.reporting.trainings.page import page, read_runs

# PSNR at steps 100, 200 and 300; masked is best out of distribution in its last step
PSNR = {
    "baseline": {("gaussian", 15.0): [29, 30, 31], ("correlated", 55.0): [24, 23, 22]},
    "masked": {("gaussian", 15.0): [26, 28, 27], ("correlated", 55.0): [21, 22, 23.456]},
}


@pytest.fixture
def runs(tmp_path) -> Path:
    """A folder with two runs of three validations each."""
    for name, scores in PSNR.items():
        write_validation(tmp_path, name, scores)
        log = {
            "step": [150, 300],
            "loss": [0.05, 0.0251],
            "learning_rate": [1e-3, 5e-4],
            "images_per_second": [90.0, 110.0],
            "data_wait": [0.01, 0.03],
            "seconds": [900.0, 1800.0],
        }
        pd.DataFrame(log).to_csv(tmp_path / name / "log.csv", index=False)
    return tmp_path


def write_validation(out: Path, name: str, scores: dict[tuple[str, float], list[float]]) -> None:
    lines = [
        (step, noise, level, psnr)
        for (noise, level), values in scores.items()
        for step, psnr in zip((100, 200, 300), values, strict=True)
    ]
    (out / name).mkdir()
    table = pd.DataFrame(lines, columns=["step", "noise", "level", "psnr"])
    table.to_csv(out / name / "validation.csv", index=False)


def panels(figure) -> dict[str, object]:
    return {panel.get_title(): panel for panel in figure.axes if panel.get_title()}


def curve(panel, name: str):
    return next(line for line in panel.get_lines() if line.get_label() == name)


def cells(text: str, heading: str, name: str) -> list[str]:
    """The cells of a run's line in the table under a heading of the page."""
    table = text.split(f"## {heading}\n")[1]
    line = next(line for line in table.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_every_validation_becomes_a_run_by_the_name_of_its_folder(runs):
    found = read_runs(runs)
    assert list(found) == ["baseline", "masked"]
    masked = found["masked"]
    assert list(masked.validation.columns) == ["step", "noise", "level", "psnr"]
    assert masked.validation["psnr"].tolist() == [21, 22, 23.456, 26, 28, 27]
    assert masked.trained_on == ("gaussian", 15)


def test_a_folder_without_runs_has_none_and_no_curves(tmp_path):
    assert read_runs(tmp_path) == {}
    with pytest.raises(ValueError, match="no NAME/validation.csv, .* bench train model=NAME out="):
        write_curves(tmp_path)
    with pytest.raises(ValueError, match="at least one run, got none"):
        training_curves({})


def test_a_panel_per_noise_and_level_with_the_noise_of_training_first(runs):
    assert list(panels(training_curves(read_runs(runs)))) == [
        "gaussian 15, trained on",
        "correlated 55",
        "training loss (L1)",
    ]


def test_a_run_trained_on_another_noise_is_not_said_to_be_trained_on_gaussian(runs):
    write_validation(
        runs, "oracle", {("poisson", 5.0): [26, 27, 28], ("gaussian", 15.0): [20, 21, 22]}
    )
    assert list(panels(training_curves(read_runs(runs)))) == [
        "gaussian 15, trained on by 2",
        "poisson 5, trained on by 1",
        "correlated 55",
        "training loss (L1)",
    ]


def test_without_logs_no_panel_of_losses(runs):
    for name in PSNR:
        (runs / name / "log.csv").unlink()
    figure = training_curves(read_runs(runs))
    assert "training loss (L1)" not in panels(figure)


def test_a_run_is_a_line_of_its_psnr_against_its_steps_and_looks_as_in_figure_11(runs):
    panel = panels(training_curves(read_runs(runs)))["correlated 55"]
    styles = Style().lines(["identity", "bm3d", *PSNR])
    for name in PSNR:
        line = curve(panel, name)
        assert line.get_xdata().tolist() == [100, 200, 300]
        assert line.get_ydata().tolist() == PSNR[name]["correlated", 55.0]
        assert line.get_color() == styles[name]["color"]
        assert line.get_marker() == styles[name]["marker"]


def test_a_ring_stands_at_the_best_step_of_each_curve(runs):
    figure = training_curves(read_runs(runs))
    found = {
        title: {
            (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
            for line in panel.get_lines()
            if line.get_markerfacecolor() == "none"
        }
        for title, panel in panels(figure).items()
        if not title.startswith("training loss")
    }
    assert found == {
        "gaussian 15, trained on": {(300, 31), (200, 28)},
        "correlated 55": {(100, 24), (300, 23.456)},
    }


def test_a_run_which_was_not_validated_at_a_noise_is_absent_there_alone(runs):
    write_validation(runs, "other", {("gaussian", 15.0): [1, 2, 3], ("poisson", 5.0): [20, 21, 22]})
    found = panels(training_curves(read_runs(runs)))
    assert found["poisson 5"].get_legend_handles_labels()[1] == ["other"]
    assert found["correlated 55"].get_legend_handles_labels()[1] == ["baseline", "masked"]
    assert cells(page(read_runs(runs), ""), "After the last step", "other") == [
        "3.00",
        "–",
        "22.00",
    ]


def test_the_page_has_the_last_and_the_best_psnr_of_each_run(runs):
    text = page(read_runs(runs), "bench report")
    assert cells(text, "After the last step", "baseline") == ["**31.00**", "22.00"]
    assert cells(text, "After the last step", "masked") == ["27.00", "**23.46**"]
    assert cells(text, "At the best step", "baseline") == ["**31.00 (300)**", "**24.00 (100)**"]
    assert cells(text, "At the best step", "masked") == ["28.00 (200)", "23.46 (300)"]


def test_the_page_says_what_a_run_cost_and_leaves_empty_what_no_log_says(runs):
    (runs / "masked" / "log.csv").unlink()
    text = page(read_runs(runs), "bench report")
    assert cells(text, "Cost", "baseline") == ["300", "0.50", "100.0", "2.0 %", "0.0251"]
    assert cells(text, "Cost", "masked") == ["300", "–", "–", "–", "–"]


@pytest.mark.slow
def test_the_same_runs_write_the_same_bytes_and_the_command_which_makes_them(runs):
    written = write_curves(runs)
    assert [path.name for path in written] == ["training_curves.svg", "training.md"]
    before = [path.read_bytes() for path in written]
    validation = runs / "masked" / "validation.csv"
    head, first, *lines = validation.read_text().splitlines(keepends=True)
    validation.write_text("".join([head, first, *reversed(lines)]))
    assert [path.read_bytes() for path in write_curves(runs)] == before
    assert f"`bench report out={runs}`" in written[1].read_text()
    assert "](training_curves.svg)" in written[1].read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read as CSV"),
        ("step,noise,level,psnr\n", "has no line yet"),
        ("step,noise,level\n1,gaussian,15\n", "has no column psnr"),
        ("step,noise,level,psnr\n1,gaussian,15,30\n2,gaussian,15,\n", "damaged in line 3"),
        ("step,noise,level,psnr\n1,gaussian,15,3O\n", "damaged in line 2"),
        ("step,noise,level,psnr\n1,a,1,1,1\n2,a,1,1,1,1\n", "cannot be read as CSV"),
        ("step,noise,level,psnr\n1,a,1,1\n1,a,1,2\n", "step=1.0 more than once"),
    ],
)
def test_a_damaged_file_is_named_in_one_sentence(tmp_path, text, said):
    (tmp_path / "masked").mkdir()
    (tmp_path / "masked" / "validation.csv").write_text(text)
    with pytest.raises(ValueError, match=f"masked.validation.csv .*{said}"):
        read_runs(tmp_path)


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("count", [1, 5, 9])
def test_nothing_of_the_curves_is_cut_off(tmp_path, count):
    for name in ("a_model_with_a_long_name", *map(str, range(count))):
        scores = {(f"noise_{n}", 5.0): [20, 22, 21] for n in range(count)}
        write_validation(tmp_path, name, scores)
    figure = training_curves(read_runs(tmp_path))
    assert_whole(figure)


def weights_of(path: Path, loss: float) -> Path:
    """Weights whose training ended with a loss."""
    training = {
        "recipe": {"steps": 300, "seed": 7},
        "model": {"of": "small", "width": 4},
        "noise": {"of": "gaussian"},
        "level": 15.0,
        "data": {"bsds400": {"images": 400, "sha256": "abcdefabcdef0000"}},
        "final_loss": loss,
        "torch": "2.4",
    }
    save_weights(path, Small(), {"width": 4}, training)
    return path


def test_a_readme_says_of_trainings_what_their_weights_say(runs):
    weights_of(runs / "masked" / "masked.safetensors", 0.0251)
    text = readme(runs, ["bench report out=runs"], {})
    assert "```sh\nbench report out=runs\n```" in text
    rows = [[part.strip() for part in line.strip("| ").split(" | ")] for line in text.splitlines()]
    assert ["bsds400", "400", "–", "abcdefabcdef"] in rows
    assert ["steps", "300"] in rows and ["torch", "2.4"] in rows
    (line,) = (row for row in rows if row[0] == "masked")
    assert line[1] == "small" and len(line[2]) == 12 and line[3] == "width=4"
    assert "No such weights are there of baseline." in text


def test_shipped_weights_tell_of_a_training_only_if_it_ended_with_their_loss(runs, tmp_path):
    for loss, unknown in ((0.0251, "of baseline."), (0.0252, "of baseline, masked.")):
        shipped = {"masked": weights_of(tmp_path / f"{loss}.safetensors", loss)}
        text = readme(runs, [], shipped)
        assert f"No such weights are there {unknown}" in text
        assert ("## Data" in text) == (loss == 0.0251)


@pytest.mark.slow
def test_importing_curves_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys, benchmark.reporting.trainings.curves; "
        "sys.exit(str({'torch', 'matplotlib', 'scipy', 'rich'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
