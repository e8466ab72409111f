"""Protocols: written as text, recorded in cells, read back; none is mistaken for another."""

from dataclasses import fields, replace

import pytest

from benchmark.noise import NOISE_MODELS
from benchmark.protocol import MASKED, PROTOCOLS, Protocol, in_words, name_of, protocol_of

CHANGED = {  # of the field's default, what cannot be mistaken for it
    "noisy_clipped": {"noisy_clipped": False, "noisy_rounded": False},
    "noisy_rounded": {"noisy_rounded": False},
    "unclipped": {"noisy_rounded": False, "unclipped": ("gaussian",)},
    "restored_clipped": {"restored_clipped": False, "restored_rounded": False},
    "restored_rounded": {"restored_rounded": False},
    "border": {"border": 4},
    "colour": {"colour": "y"},
    "draw": {"draw": "seed0"},
    "grey": {"grey": True},
    "bits": {"bits": 16},
}


def test_cells_of_before_protocols_had_names_are_of_the_default():
    assert MASKED.facts == {"noisy": "clipped, 8 bits", "restored": "clipped, 8 bits"}
    assert name_of(MASKED.facts) == "masked"


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_preset_is_read_back_from_its_name_and_from_what_a_cell_records(name):
    preset = PROTOCOLS[name]
    assert protocol_of(name) == preset == Protocol.of(preset.facts)
    assert PROTOCOLS[preset.name] == preset


@pytest.mark.parametrize("field", [field.name for field in fields(Protocol)])
def test_every_setting_is_part_of_what_a_cell_records(field):
    changed = replace(MASKED, **CHANGED[field])
    assert changed.facts != MASKED.facts
    assert Protocol.of(changed.facts) == changed
    assert protocol_of(changed.name) == changed


def test_a_preset_is_changed_in_parentheses():
    assert protocol_of("kair(border=2, colour=y)") == replace(
        PROTOCOLS["kair"], border=2, colour="y"
    )
    listed = protocol_of("float(noisy_clipped=true, unclipped=[gaussian, correlated])")
    assert not listed.clips("gaussian") and listed.clips("poisson")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kiar", "did you mean 'kair'"),
        ("kair(", "is no protocol"),
        ("kair(2)", "is no protocol"),
        ("", "is no protocol"),
        ("kair(border=2, border=3)", "is no protocol"),
        ("kair(**border)", "is no protocol"),
        ("kair(boarder=2)", "did you mean 'border'"),
        ("kair(border=-1)", "border >= 0"),
        ("kair(border=two)", "border is a whole number"),
        ("kair(border=true)", "border is a whole number"),
        ("kair(colour=lab)", "take one of rgb, y, y_full"),
        ("kair(noisy_rounded=true)", "set noisy_rounded=false"),
        ("masked(unclipped=[gaussian])", "noisy_rounded=false"),
        ("masked(unclipped=gaussian)", "a list of noises"),
        ("masked(bits=12)", "take one of 8, 16"),
        ("masked(grey=true,colour=y)", "has no colour=y"),
        ("masked(grey=1)", "grey is true or false"),
    ],
)
def test_what_is_no_protocol_is_said_in_a_sentence(text, said):
    with pytest.raises(ValueError, match="protocol") as caught:
        protocol_of(text)
    assert said in str(caught.value)


def test_16_bits_are_said_wherever_an_image_is_rounded_to_them():
    deep = protocol_of("masked(bits=16)")
    assert deep.facts["noisy"] == deep.facts["restored"] == "clipped, 16 bits"
    assert "rounded to 16 bits" in deep.sentence and "8 bits" not in deep.sentence
    unrounded = protocol_of("float(bits=16)")
    assert unrounded.facts != protocol_of("float").facts
    assert "of 16 bits" in unrounded.sentence


def test_an_unknown_setting_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"Known in .*kair\(color=y\): bits, border, colour, "):
        protocol_of("kair(color=y)")


@pytest.mark.parametrize("facts", [{}, {"noisy": "warm", "restored": "cold"}, {"later": 1}])
def test_a_protocol_of_another_version_is_shown_as_it_is(facts):
    assert name_of(facts).startswith("unknown")
    assert all(str(value) in in_words(facts) for value in facts.values())


def test_protocols_name_registered_noises():
    for preset in PROTOCOLS.values():
        assert set(preset.unclipped) <= set(NOISE_MODELS)
