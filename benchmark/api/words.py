"""What is wrong with a call, in the words of Python where it was said in those of the command."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

GROUP = "(model|noise|data|metric)"
VALUE = r"(\[[^\]]*\]|[^\s;,)]+)"  # of a setting, as a command line has it
WORDS = {
    rf"'\+{GROUP}\.NAME=\{{of: \.\.\.\}}'": r"\1={'NAME': ...}",
    rf"\b{GROUP}\.([\w-]+)\.(\w+)={VALUE}": r"\1={'\2': {'\3': \4}}",
    r"\bout=": "store=",
    r"\bgive the same command again": "make the same call again",
}


def in_python(sentence: str) -> str:
    """A sentence with the arguments of `benchmark.score` in place of the command's."""
    for command, python in WORDS.items():
        sentence = re.sub(command, python, sentence)
    return sentence


@contextmanager
def speaking_python() -> Iterator[None]:
    """Let a ``ValueError`` or ``OSError`` which is a sentence say what to do in Python."""
    try:
        yield
    except (ValueError, OSError) as error:
        if len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (in_python(error.args[0]),)
        raise
