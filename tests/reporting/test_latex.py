"""Leaderboards for LaTeX: they compile as they stand, fit the page, and say what they mean."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.cells.scores import Scale, Scores
from benchmark.protocol import PROTOCOLS
from benchmark.reporting.board import Board
from benchmark.reporting.figures.style import Style
from benchmark.reporting.latex.leaderboards import WIDTHS, html, latex
from benchmark.reporting.latex.texts import SIGNS, escaped

HARD = [
    "a_set&more #1 50 % of $x^2$ {~}",
    "gaussian(25)+poisson(2)>>jpeg(50)",
    r"C:\weights|\"best\" <1 σ≥2 ± é – … °",
    "[first] *",
]
PAGE = r"""\documentclass[twocolumn]{article}
\usepackage[letterpaper,textwidth=6.875in,columnsep=0.375in]{geometry}
\usepackage{booktabs}
\begin{document}
\input{leaderboard}
\end{document}
"""


def board(
    means: dict[str, list[float]], noises: list[str], images: int = 9, **labels: object
) -> Board:
    """A mean for each noise; images lie evenly within a decibel of it, the same for all models."""
    lines = [
        {"model": model, "dataset": "a_set", "noise": noise, "level": 1.0, "seed": 0}
        | {"image": f"{place:02}", "psnr": mean + shift, "seconds": 0.5}
        for model, of_noises in means.items()
        for noise, mean in zip(noises, of_noises, strict=True)
        for place, shift in enumerate(np.linspace(-1, 1, images))
    ]
    return Board(Scores(pd.DataFrame(lines), {"psnr": Scale("psnr", True, "dB", 2)}, **labels))


def compiled(text: str, folder: Path) -> str:
    """What pdflatex says of a page with the leaderboards."""
    if not (program := shutil.which("pdflatex")):
        pytest.skip("no pdflatex on PATH")
    (folder / "leaderboard.tex").write_text(text, encoding="utf-8")
    (folder / "page.tex").write_text(PAGE)
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


def line_of(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"{name} & "))
    return line.removesuffix(r" \\").split(" & ")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [0, 1])
def test_hard_names_compile_and_no_table_is_wider_than_the_page(columns, tmp_path):
    noises = [*HARD, *(f"noise_{n}" for n in range(9))]
    names = [*HARD, "swinir"] if columns == 0 else ["swinir", "baseline", "masked", "restormer"]
    models = {name: [20.0 + n] * len(noises) for n, name in enumerate(names)}
    notes = {noise: f"a guess: 5 % of {noise}" for noise in noises}
    text = latex(board(models, noises, notes=notes, model_notes=notes), Style(columns=columns))
    assert "Overfull" not in compiled(text, tmp_path)


def test_a_table_of_one_column_takes_both_before_it_is_split():
    narrow = latex(board({"a": [30.0], "b": [29.0]}, ["gaussian"]), Style(columns=1))
    assert "table*" not in narrow
    names = ["bm3d", "SwinIR without any masks", "a transformer", "masked, which is ours"]
    text = latex(board({n: [30.0] * 7 for n in names}, list("abcdefg")), Style(columns=1))
    assert "table*" in text
    assert "continued" not in text


@pytest.mark.slow
def test_every_sign_is_one_that_latex_sets_without_a_package(tmp_path):
    text = "".join(f"\\par {escaped(sign)} {escaped(sign * 2)}\n" for sign in SIGNS)
    assert text.isascii()
    assert "Missing character" not in compiled(text, tmp_path)


def test_the_best_group_is_bold_and_the_best_group_of_the_others_underlined():
    means = {"a": [30, 20], "b": [29, 20], "c": [29, 20], "d": [28, 20]}
    text = latex(board(means, ["rain", "snow"]), Style())
    column = line_of(text, r"PSNR (dB) $\uparrow$").index("rain")
    marked = {model: line_of(text, model)[column] for model in means}
    assert marked["a"] == r"\textbf{30.00}"
    assert marked["b"] == marked["c"] == r"\underline{29.00}"
    assert marked["d"] == "28.00"


def test_where_no_two_can_be_told_apart_the_first_and_second_value_are_marked_and_it_is_said():
    means = {"identity": [33], "a": [30], "b": [29], "c": [28]}
    text = latex(board(means, ["rain"], images=3), Style())
    marks = [line_of(text, model)[1] for model in ("noisy input", *"abc")]
    assert marks == [r"\textit{33.00}", r"\textbf{30.00}", r"\underline{29.00}", "28.00"]
    said = " ".join(text.split())
    assert "No two models can be told apart over 3 images" in said
    assert "Here, bold and underlined are the first and the second value alone." in said


def test_a_caption_says_dataset_metric_protocol_and_counts():
    shown = board({"a": [30.0], "b": [29.0]}, ["rain"], protocols=[PROTOCOLS["masked"].facts])
    text = " ".join(latex(shown, Style()).split())
    assert (
        r"\caption{PSNR (dB) $\uparrow$ on a\_set: 1 noise at 1 level, 9 images; 1 of 1 cells"
        in text
    )
    assert "Protocol masked: noisy and restored images are clipped and rounded to 8 bits" in text
    assert r"$\pm$ is half its 95~\% bootstrap interval over 9 images" in text
    assert r"\label{tab:a_set-psnr}" in text
    assert "PSNR (dB) ↑ on a_set: 1 noise at 1 level, 9 images; 1 of 1 cells" in html(shown)


def test_many_noises_are_lines_and_many_models_as_well_are_parts_with_labels_of_their_own():
    noises = [f"noise_{n}" for n in range(20)]
    turned = latex(board({"a": [30.0] * 20, "b": [29.0] * 20}, noises), Style(columns=1))
    assert line_of(turned, r"noise\_7")[1:] == [r"\textbf{30.00}", r"\underline{29.00}"]
    models = {f"a_long_name_{n}": [20.0 + n] * 20 for n in range(12)}
    parts = latex(board(models, noises), Style())
    assert re.findall(r"\\label{(.*)}", parts) == ["tab:a_set-psnr", "tab:a_set-psnr-2"]
    assert all(escaped(name) in parts for name in [*models, *noises])
    assert "continued: part 2 of 2" in parts


def test_a_caveat_of_a_model_or_noise_stands_beside_the_table_as_a_comment():
    shown = board({"a": [30.0]}, ["rain"], model_notes={"a": "of mine"}, notes={"rain": "a guess"})
    text = latex(shown, Style())
    assert "% a: of mine.\n" in text and "% rain: a guess.\n" in text


def test_a_caveat_of_several_models_is_said_once():
    notes = {"a": "of mine", "b": "of theirs", "c": "of mine"}
    shown = board({name: [30.0] for name in "abc"}, ["rain"], model_notes=notes)
    text = latex(shown, Style())
    assert "% a, c: of mine.\n" in text and "% b: of theirs.\n" in text


def test_models_and_noises_have_the_labels_of_their_reader():
    labels = {"a": "Ours (50 %)", "rain": "Heavy rain"}
    text = latex(board({"a": [30.0], "b": [29.0]}, ["rain"], labels=labels), Style())
    assert line_of(text, r"Ours (50~\%)")
    assert "Heavy rain" in line_of(text, r"PSNR (dB) $\uparrow$")


def test_a_column_of_a_page_is_narrower_than_half_of_it():
    assert 2 * WIDTHS[1] < WIDTHS[2]
