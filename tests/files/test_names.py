"""Names: what may be a part of a path, and what would mean something else."""

import pytest

from benchmark.cells import Cell
from benchmark.files.names import check_name

PATHS = [
    *("../../x", "..", ".", "/etc/x", "a/b", "a\\b", "C:x", "~/x", "a\0b", "a\nb", "", " ", "a b"),
    *(".x", "-x", "x.", "con", "NUL", "com1.txt", "a*", "a?", "a|b", "a<b", 'a"b', "a'b", "a:b"),
    *("é", "e\u0301", "\u202ex", "\ud800", "x" * 101, "a@b@c", "a%2fb", "$x", "a;b", "a\tb", "[a]"),
    *("@a", "a@"),
]
GOOD = ["masked", "tv5", "SwinIR-M", "a.b", "a+b", "gaussian(25)", "f(1,2)", "x" * 100, "_x", "5"]


@pytest.mark.parametrize("group", ["model", "data", "metric", "ablation"])
@pytest.mark.parametrize("name", [*PATHS, None, 5, ["a"]], ids=ascii)
def test_what_is_no_plain_file_name_is_refused_in_a_sentence_of_one_line(group, name):
    with pytest.raises(ValueError, match="cannot have this name") as caught:
        check_name(group, name)
    assert str(caught.value).isascii() and str(caught.value).isprintable()


@pytest.mark.parametrize("group", ["model", "noise", "data", "metric", "ablation"])
@pytest.mark.parametrize("name", GOOD)
def test_letters_digits_and_a_few_signs_are_names(group, name):
    check_name(group, name)


def test_a_training_is_the_name_of_a_model_and_of_nothing_else():
    check_name("model", "masked@1")
    with pytest.raises(ValueError, match="it has '@' in it"):
        check_name("data", "masked@1")


@pytest.mark.parametrize(
    ("group", "name"),
    [
        *(("model", name) for name in ("clean", "noisy", "Clean", "NOISY", "all")),
        *(("metric", name) for name in ("image", "seconds", "model", "level", "source", "all")),
        *(("noise", "all"), ("data", "all"), ("data", "All")),
    ],
)
def test_reserved_words_are_refused(group, name):
    with pytest.raises(ValueError, match="means something else here"):
        check_name(group, name)


@pytest.mark.parametrize(
    "name", ["gaussian(25)+poisson(2)>>jpeg(50)", 'eld(5,camera="a/b c")', "x(1,list=[1,2])"]
)
def test_a_formula_is_the_name_of_a_noise(name):
    check_name("noise", name)


@pytest.mark.parametrize("name", ["../x", "a/b", ".x", "a b", "con", "a>b", "a\\b", 'a(1)"', ""])
def test_a_noise_which_is_no_formula_is_held_to_the_same(name):
    with pytest.raises(ValueError, match="cannot have this name"):
        check_name("noise", name)


@pytest.mark.parametrize("place", ["model", "dataset", "noise"])
def test_a_cell_has_no_name_which_leaves_its_folder(place):
    names = {"model": "m", "dataset": "d", "noise": "n", place: "../../x"}
    with pytest.raises(ValueError, match="cannot have this name"):
        Cell(**names, level=1.0, seed=0)
