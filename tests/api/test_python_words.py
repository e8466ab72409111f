"""What the command's sentences say in Python."""

from pathlib import Path

import pytest

from benchmark.api.words import in_python, speaking_python


@pytest.mark.parametrize(
    ("command", "python"),
    [
        ("choose another folder (out=FOLDER)", "choose another folder (store=FOLDER)"),
        ("own ('+data.NAME={of: ...}'), or", "own (data={'NAME': ...}), or"),
        ("pass model.masked.weights=FILE", "pass model={'masked': {'weights': FILE}}"),
        (
            "made with noise.g.levels=[10,20] noise.g.clip=True (TypeError",
            "made with noise={'g': {'levels': [10,20]}} noise={'g': {'clip': True}} (TypeError",
        ),
        ("bring them with: bench fetch masked", "bring them with: bench fetch masked"),
        ("tile=256, layout=x", "tile=256, layout=x"),
    ],
)
def test_a_sentence_has_the_arguments_of_python(command, python):
    assert in_python(command) == python


def test_an_error_stays_of_its_kind_and_others_are_left_alone():
    with pytest.raises(OSError, match="No such file") as raised, speaking_python():
        Path("out=/nowhere").read_bytes()
    assert raised.value.filename == "out=/nowhere"
    with pytest.raises(KeyError, match="out="), speaking_python():
        raise KeyError("out=FOLDER")
