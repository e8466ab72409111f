"""The text of a formula: one meaning, one text; what is said of a wrong one; names of files."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_noises import Fussy

from benchmark.files.whole import LONGEST, file_name
from benchmark.noise import NOISE_MODELS
from benchmark.noise.expression import Chain, Sum, Term
from benchmark.noise.formula import Formula, as_choice
from benchmark.noise.grammar import is_formula, parse, split_choice

pytestmark = pytest.mark.usefixtures("doubles")
numbers = st.floats(0, 1e6).map(repr) | st.integers(0, 99).map(str)

texts = st.text(st.characters(codec="utf-8"), max_size=5).map(
    lambda text: "'" + text.replace("'", "''") + "'"
)

words = st.sampled_from(["mean", "Max", "a-b.c", "none", "true"])

values = {
    "flag": st.sampled_from(["true", "False"]),
    "count": st.integers(-5, 10**20).map(str) | st.just("3.0"),
    "share": st.floats(-9, 9).map(repr),
    "mode": words | texts,
    "path": words | texts,
    "limit": st.sampled_from(["none", "Null", "7", "1e3"]),
    "weights": st.lists(numbers, max_size=3).map(lambda found: f"[{', '.join(found)}]"),
}

fussy = st.tuples(numbers, st.fixed_dictionaries({}, optional=values)).map(
    lambda t: ("fussy", t[0], t[1])
)

plain = st.tuples(st.sampled_from(["gaussian", "poisson", "speckle"]), numbers, st.just({}))

trees = st.recursive(
    plain | fussy,
    lambda inner: st.tuples(st.sampled_from(["+", ">>"]), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=6,
)


def spelled(tree: tuple, random: Random, parent: str = ">>") -> str:
    """One of the ways to write a tree, with spaces, parentheses and orders as they come."""
    space = random.choice(["", " ", "\t"])
    if len(tree) == 3:
        name, level, chosen = tree
        pairs = [f"{key}{space}={space}{value}" for key, value in chosen.items()]
        random.shuffle(pairs)
        text = f"{name}{space}({f',{space}'.join([level, *pairs])}{space})"
        needed = False
    else:
        sign, parts = tree
        parts = random.sample(parts, len(parts)) if sign == "+" else parts
        text = f"{space}{sign}{space}".join(spelled(part, random, sign) for part in parts)
        needed = parent == "+" and sign == ">>"
    return f"({space}{text})" if needed or random.random() < 0.2 else text


@pytest.mark.slow
@settings(deadline=None)
@given(trees, st.randoms(use_true_random=False), st.randoms(use_true_random=False))
def test_every_spelling_of_a_tree_is_one_text_which_reads_as_the_same_tree(tree, one, other):
    first, second = parse(spelled(tree, one)), parse(spelled(tree, other))
    assert first == second
    assert parse(first.canonical) == first
    assert parse(first.canonical).canonical == first.canonical == second.canonical


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        (" gaussian( 25.0 ) ", "gaussian(25)"),
        ("poisson(2)+gaussian(.5)", "gaussian(0.5)+poisson(2)"),
        ("gaussian(25)+poisson(2)>>speckle(3e-2)", "gaussian(25)+poisson(2)>>speckle(0.03)"),
        ("(speckle(1)>>(gaussian(2)>>poisson(3)))", "speckle(1)>>gaussian(2)>>poisson(3)"),
        ("speckle(1)+(poisson(2)+gaussian(3))", "gaussian(3)+poisson(2)+speckle(1)"),
        ("poisson(2)+(speckle(1)>>gaussian(3))", "(speckle(1)>>gaussian(3))+poisson(2)"),
        ("gaussian(0.1000000000000000055)", "gaussian(0.1)"),
        ("gaussian(-0)", "gaussian(0)"),
        ("gaussian(007)>>speckle(1.e-3)", "gaussian(7)>>speckle(0.001)"),
        ("gaussian (1)\n+\n\tpoisson( 2 )", "gaussian(1)+poisson(2)"),
        ("fussy(1, limit=1E3, count=1e20)", f"fussy(1,count={10**20},limit=1000)"),
        ("fussy(1, weights=[-1,2e-3,.5])", "fussy(1,weights=[-1,0.002,0.5])"),
        ("fussy(1, flag=TRUE, path=NULL, mode=lambda)", "fussy(1,flag=true,mode=lambda)"),
        ("fussy(1, mode=a-b.c, path='a\nb')", 'fussy(1,mode=a-b.c,path="a\nb")'),
        ("fussy(1, mode='5')", 'fussy(1,mode="5")'),
        ("speckle(0.1, distribution=uniform)", "speckle(0.1)"),
        ("speckle(0.1, distribution='normal')", "speckle(0.1,distribution=normal)"),
        ("fussy(1, share=1.50, count=4, flag=True)", "fussy(1,count=4,flag=true,share=1.5)"),
        ("fussy(1, count=3.0, weights=[1.0, 2])", "fussy(1)"),
        ("fussy(1, weights=[])", "fussy(1,weights=[])"),
        (r"fussy(1, path='C:\a, b.csv')", r'fussy(1,path="C:\a, b.csv")'),
        ("""fussy(1, path='it''s "it"')""", '''fussy(1,path="it's ""it""")'''),
        ("fussy(1, path=none, mode=none)", 'fussy(1,mode="none")'),
        ("fussy(1, path='none')", 'fussy(1,path="none")'),
    ],
)
def test_the_canonical_text(typed, canonical):
    assert parse(typed).canonical == canonical
    assert Formula(formula=typed).formula == canonical


def test_plus_binds_tighter_than_the_arrow():
    noisy, dots, grain = Term("gaussian", 9.0), Term("salt_and_pepper", 0.5), Term("poisson", 2.0)
    assert parse("gaussian(9)>>poisson(2)+salt_and_pepper(.5)") == Chain(
        (noisy, Sum((dots, grain)))
    )
    assert parse("(gaussian(9)>>poisson(2))+salt_and_pepper(.5)") == Sum(
        (dots, Chain((noisy, grain)))
    )


@pytest.mark.parametrize("text", ["gaussian(25)+poisson(2)", "gaussian(25)", "a>>b", "a+b", "a)"])
def test_what_has_a_sign_is_a_formula(text):
    assert is_formula(text)


@pytest.mark.parametrize("text", ["all", "gaussian", "salt_and_pepper", "paper", ""])
def test_a_name_is_no_formula(text):
    assert not is_formula(text)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("[gaussian(15)+poisson(2),speckle]", ["gaussian(15)+poisson(2)", "speckle"]),
        ("gaussian(25, a=1)+b(2), poisson", ["gaussian(25, a=1)+b(2)", "poisson"]),
        ("gaussian", ["gaussian"]),
        ("[]", []),
        ("f(1,w=[1,2]),g", ["f(1,w=[1,2])", "g"]),
        ("f(1,p='a,)]'),g", ["f(1,p='a,)]')", "g"]),
        ('f(1,p="it\'s, ""it"""),g', ['f(1,p="it\'s, ""it""")', "g"]),
        ("a(1)),b", ["a(1))", "b"]),
        ("a(1,b", ["a(1,b"]),
    ],
)
def test_a_choice_is_split_at_commas_outside_parentheses_and_quotes(text, items):
    assert split_choice(text) == items


@pytest.mark.parametrize("text", ["gaussian(25)", "(gaussian(25.0))"])
def test_one_noise_without_settings_is_that_noise_at_that_level(text):
    assert as_choice(text) == ("gaussian", {"levels": [25.0]})
    assert as_choice("poisson(3, adaptive=false)") == ("poisson", {"levels": [3.0]})


@pytest.mark.parametrize("text", ["poisson(2)+gaussian(25)", "poisson(3, adaptive=true)"])
def test_anything_else_is_a_formula_named_by_its_canonical_text(text):
    canonical = parse(text).canonical
    assert as_choice(text) == (canonical, {"of": "formula", "formula": canonical})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'noise "⟨here⟩", character 1: expected a noise or a value'),
        (
            "gaussian(25)+",
            """noise "gaussian(25)+⟨here⟩", character 13: expected a noise or a value after '+'""",
        ),
        (
            "+gaussian(2)",
            """noise "⟨here⟩+gaussian(2)", character 1: expected a noise, got '+gau""",
        ),
        (
            "(gaussian(2)>>)",
            """>>⟨here⟩)", character 15: expected a noise or a value after '>>', got ')'""",
        ),
        ("gaussian(2)>>)", """noise "gaussian(2)>>⟨here⟩)", character 14: unmatched ')'"""),
        ("gaussian(1),poisson(2)", "expected a noise, got 'gaussian(1),poisson(2)'"),
        (
            "gaussian(1)(2)",
            """"gaussian(1)⟨here⟩(2)", character 12: expected '+', '>>' or ',', got '(""",
        ),
        ("gaussian(poisson(1))", "gaussian needs a level in parentheses, such as gaussian(15)"),
        ("5", "expected a noise, got '5'"),
        (
            "poisson(1)+gausian(2)",
            'noise "poisson(1)+⟨here⟩gausian(2)", character 12: unknown noise model '
            "'gausian'; did you mean 'gaussian'",
        ),
        ("polyu>>jpeg(50)", "; recorded noise has images of its own and is in no formula"),
        (
            "gaussian+poisson(1)",
            'noise "⟨here⟩gaussian+poisson(1)", character 1: gaussian needs a level in '
            "parentheses, such as gaussian(15)",
        ),
        ("poisson()", "poisson needs a level in parentheses, such as poisson(2)"),
        ("poisson(adaptive=true)", "poisson needs a level in parentheses, such as poisson(2)"),
        ("gaussian(nan)", "gaussian needs a level in parentheses"),
        ("gaussian(1e999)", "1e999 is too large"),
        ("gaussian(1.79769313486231570e308)", "is too large"),
        ("gaussian(-1)", "gaussian needs a finite level >= 0 (sigma, in 8-bit steps), got -1.0"),
        (
            "speckle(0.1, distribution=cauchy)",
            'noise "⟨here⟩speckle(0.1, distribution=cauchy)", character 1: speckle has no '
            "distribution 'cauchy'; take one of uniform, normal",
        ),
        (
            "speckle(0.1, distributoin=normal)",
            "speckle has no setting 'distributoin'; did you mean 'distribution'? Known: dist",
        ),
        ("gaussian(1, levels=2)", "gaussian has no setting 'levels'. It has none"),
        ("fussy(1, count=2, count=2)", 'count=2, ⟨here⟩count=2)", character 19: count is given tw'),
        ("fussy(1, flag=1)", "fussy's flag is true or false, got 1"),
        ("fussy(1, count=2.5)", "fussy's count is a whole number, got 2.5"),
        ("fussy(1, share=much)", "fussy's share is a number, got much"),
        ("fussy(1, mode=5)", "fussy's mode is a text, got 5"),
        ("fussy(1, path=5)", "fussy's path is a text or none, got 5"),
        ("fussy(1, weights=5)", "fussy's weights is a list such as [1,2], got 5"),
        ("fussy(1, weights=[a])", "expected a number, got 'a'"),
        ("fussy(1, count=2+3)", "fussy's count is a whole number, got 2+3"),
        ("fussy(1, weights=[1", "weights=⟨here⟩[1\", character 18: '[' was never closed"),
        (
            "fussy(1, share=)",
            "share=⟨here⟩)\", character 16: expected a noise or a value after '='",
        ),
        ("fussy(1, share)", "expected a setting as key=value, got 'share'"),
        ("fussy(1, 5=2)", "expected a setting as key=value, got '5'"),
        ("fussy(1, a(2)=3)", "a setting stands after a level: name(level, key=value)"),
        ("count=3", "a setting stands after a level: name(level, key=value)"),
        ("fussy(1, 2)", "expected a setting as key=value, got '2'"),
        ("gaussian(1", """noise "gaussian⟨here⟩(1", character 9: '(' was never closed"""),
        ("(gaussian(1)", """noise "⟨here⟩(gaussian(1)", character 1: '(' was never closed"""),
        ("gaussian(1))", """noise "gaussian(1)⟨here⟩)", character 12: unmatched ')'"""),
        ("fussy(1, weights=[1)", "closing parenthesis ')' does not match opening parenthesis '['"),
        ("gaussian(1)poisson(2)", "expected '+', '>>' or ',', got 'poisson'"),
        (
            "gaussian(1)>poisson(2)",
            "gaussian(1)⟨here⟩>poisson(2)\", character 12: one '>' means no",
        ),
        ("gaussian(1)$", "'$' has no meaning outside quotes"),
        ("fussy(1, path='a)", "this quote is never closed"),
        ("formula(1)", "a formula cannot name another one; write that in parentheses"),
    ],
)
def test_a_mistake_is_one_sentence_which_shows_its_place(text, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        Formula(formula=text)
    assert str(caught.value).startswith('noise "')
    assert "\n" not in str(caught.value)


@given(st.text("gausian(25)+>,= '\"[]\\$", max_size=20))
def test_nonsense_is_a_ValueError_and_never_another_one(text):
    try:
        parse(text)
    except ValueError as error:
        assert "⟨here⟩" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "gaussian(1)" + ")" * 5000,
        "gaussian(" * 5000,
        "fussy(1,weights=" + "[" * 5000,
        "gaussian(1)+" * 5000 + "gaussian(1)",
        "gaussian(1)>>" * 5000 + "gaussian(1)",
        "+" * 20000 + "gaussian(1)",
        "(gaussian(1)+" * 5000,
        "gaussian(1)" * 5000,
        "gaussian(1)," * 5000,
    ],
    ids=lambda text: f"{text[:16]}...",
)
def test_what_is_too_deep_or_too_long_is_one_short_sentence(text):
    with pytest.raises(ValueError, match="⟨here⟩") as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_sum_as_long_as_a_command_line_allows_is_read():
    assert len(parse("+".join(["gaussian(1)"] * 800)).terms) == 800


def test_parentheses_group_values_as_they_group_noises_and_a_last_comma_is_nothing():
    assert parse("gaussian((25),)") == parse("gaussian(25)")
    assert parse("fussy(1, count=(4), weights=[(3), 4,],)").canonical == (
        "fussy(1,count=4,weights=[3,4])"
    )


@pytest.mark.parametrize("name", ["my-noise.v2", "lambda", "None", "in", "_"])
def test_a_noise_may_have_a_name_that_python_has_another_use_for(name, monkeypatch):
    monkeypatch.setitem(NOISE_MODELS.data, name, Fussy)
    assert parse(f"gaussian(1)>>{name} ( 2 )").canonical == f"gaussian(1)>>{name}(2)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("salt_and_pepper", "salt_and_pepper"),
        ("my-noise.v2", "my-noise.v2"),
        (
            "gaussian(25)+poisson(2)>>jpeg(50,x=1e-05)",
            "gaussian(25)+poisson(2)~jpeg(50,x=1e-05)",
        ),
        ('f(1,p="a/b>>(c")', "f(1,p=@22a@2fb@3e@3e@28c@22)"),
        ("f(1,w=[1,2])", "f(1,w=@5b1,2@5d)"),
        ("~@%é", "@7e@40@25@c3@a9"),
    ],
)
def test_the_name_of_a_file(name, expected):
    assert file_name(name) == expected


@given(st.text("ab1()+,=.>~@%2e7/\\\"' é", max_size=30))
def test_a_file_name_is_portable_and_gives_the_noise_back(name):
    found = file_name(name)
    assert re.fullmatch(r"[\w.,=+()~@-]*", found, re.ASCII)
    pieces = re.findall(r"@[0-9a-f]{2}|~|.", found)
    decoded = [
        bytes.fromhex(p[1:]) if p[0] == "@" else b">>" if p == "~" else p.encode() for p in pieces
    ]
    assert b"".join(decoded).decode() == name


def test_long_names_are_cut_and_stay_different():
    long = "+".join(["gaussian(25)"] * 40)
    one, other = file_name(long), file_name(f"{long}+poisson(2)")
    assert one != other
    assert len(one) == len(other) == LONGEST
