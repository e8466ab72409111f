"""One table in four languages: the same texts, marks and rules in each."""

import io

import pytest
from rich.console import Console

from benchmark.reporting.tables import Table

SCORES = Table(
    ["model", "a_noise ↑", "±"],
    [["noisy_input", "20.1", "–"], ["a&b", "31.5", "±0.2"], ["c|d", "9", "±1"]],
    {(0, 1): "italic", (1, 1): "bold"},
    rule=1,
    caption="a_set: 100 %",
)
UNDERLINED = "<ins>1</ins>", r"\underline{1}", "<u>1</u>"


def test_markdown_has_marks_escaped_pipes_and_an_empty_line_for_the_rule():
    assert SCORES.markdown().splitlines() == [
        "| model       | a_noise ↑ |    ± |",
        "| ----------- | --------: | ---: |",
        "| noisy_input |    *20.1* |    – |",
        "|             |           |      |",
        "| a&b         |  **31.5** | ±0.2 |",
        r"| c\|d        |         9 |   ±1 |",
    ]


def test_markdown_without_padding_says_in_three_dashes_where_a_column_stands():
    table = Table(["network", "image", "s"], [["a", "8x8", "1"]], left=("network", "image"))
    assert table.markdown(padded=False).splitlines() == [
        "| network | image | s |",
        "| --- | --- | ---: |",
        "| a | 8x8 | 1 |",
    ]


def test_a_label_has_no_tags_in_markdown():
    table = Table(["model", "s"], [["TV <b>x", "<0.01"]])
    assert table.markdown(padded=False).splitlines()[2] == r"| TV \<b>x | <0.01 |"


def test_latex_is_a_table_of_booktabs_with_its_rule_and_no_sign_which_fonts_lack():
    text = SCORES.latex("tab:a_set")
    assert r"\begin{tabular}{@{}lrr@{}}" in text
    assert "\\caption{a\\_set: 100~\\%}\n\\label{tab:a_set}" in text
    assert r"model & a\_noise $\uparrow$ & $\pm$ \\" in text
    assert "noisy\\_input & \\textit{20.1} & -- \\\\\n\\midrule\na\\&b & \\textbf{31.5}" in text
    assert text.isascii()


def test_latex_leaves_room_behind_a_number_so_that_the_points_of_a_column_are_aligned():
    table = Table(["", "s"], [["a", "1.25"], ["b", "-12"], ["c", "<0.5"], ["d", "–"]])
    numbers = [line.split(" & ")[1] for line in table.latex().splitlines() if " & " in line]
    assert numbers == [
        r"s \\",
        r"1.25 \\",
        r"$-$12\phantom{.00} \\",
        r"$<$0.5\phantom{0} \\",
        r"-- \\",
    ]


def test_a_wide_table_of_latex_may_take_both_columns_of_a_page():
    assert r"\begin{table*}" in SCORES.latex(wide=True)
    assert r"\begin{table}" in SCORES.latex()
    assert SCORES.latex_width < SCORES.only([0, 1, 1, 2]).latex_width


def test_html_escapes_its_texts_and_has_a_part_on_each_side_of_the_rule():
    text = SCORES.html()
    assert ">a&amp;b</td>" in text and "<b>31.5</b>" in text and "<i>20.1</i>" in text
    assert "<caption>a_set: 100 %</caption>" in text
    assert text.count("<tbody>") == 2


def test_every_language_can_underline():
    table = Table(["model", "score"], [["a", "1"]], {(0, 1): "underline"})
    texts = table.markdown(), table.latex(), table.html()
    assert [mark in text for mark, text in zip(UNDERLINED, texts, strict=True)] == [True] * 3


def test_columns_of_one_name_stay_apart_in_every_language():
    table = Table(["", "of an image", "of an image"], [["x", "1", "2"]])
    for text in (table.markdown(), table.latex(), table.html()):
        assert text.count("of an image") == 2


def test_a_terminal_shows_every_text_and_breaks_headings_at_underscores():
    console = Console(file=io.StringIO(), width=40)
    console.print(SCORES.terminal())
    text = console.file.getvalue()
    assert all(cell in text for row in SCORES.rows for cell in row)
    assert "a_noise" not in text and "noise" in text


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_on_a_narrow_terminal_names_fold_and_numbers_and_short_words_stay_whole(width):
    noise = "poisson(3.5)>>gaussian(20)>>jpeg(30) 25"
    numbers = ["24.1234", "+0.001234", "0.9012", "-0.000012"]
    header = ["verdict", "model", "noise", "PSNR (dB) ↑", "change of psnr", "SSIM ↑", "change"]
    table = Table(header, [["missing", "tv", noise, *numbers]], left=header[:3])
    console = Console(file=io.StringIO(), width=width)
    console.print(table.terminal(), crop=False)
    text = console.file.getvalue()
    assert "…" not in text
    assert all(whole in text for whole in ["verdict", "missing", *numbers])
    assert max(map(len, text.splitlines())) <= max(width, 66)  # what the numbers need
    folded = "".join(line[14:].rpartition(numbers[0])[0] or line[14:] for line in text.splitlines())
    assert "".join(noise.split()) in "".join(folded.split())


def test_a_transposed_table_has_its_marks_where_its_texts_went():
    table = SCORES.transposed
    assert list(table.header) == ["", "noisy_input", "a&b", "c|d"]
    assert list(table.rows[0]) == ["a_noise ↑", "20.1", "31.5", "9"]
    assert table.marks == {(0, 1): "italic", (0, 2): "bold"}


def test_some_columns_alone_keep_their_marks():
    table = SCORES.only([0, 1])
    assert table.header == ["model", "a_noise ↑"]
    assert table.marks == SCORES.marks
    assert SCORES.only([0, 2]).marks == {}


def test_a_table_without_rows_is_its_header():
    table = Table(["model", "score"], [])
    assert table.markdown().splitlines()[2:] == []
    assert "model" in table.latex() and "model" in table.html()
    assert table.transposed.rows == [["score"]]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 columns needs as many texts in a row, got 1: a"):
        Table(["model", "score"], [["a"]])
