"""The data sheet of a noise: its docstring as HTML, in which nothing of it is markup."""

import re

from benchmark.noise import NOISE_MODELS
from benchmark.reporting.explorer.sheets import sheet


class Hostile:
    """A <b>bold</b> "noise" & ``x < y`` [1]_, `</script><script>alert(1)</script>`.

    Made by::

        bench <render>
          indented

    Parameters
    ----------
    <img src=x onerror=alert(1)>
        Of `javascript:alert(1)`.

    References
    ----------
    .. [1] Someone, https://example.org/a?b="><script>, github.com/them/theirs.
    """


def test_what_stands_in_a_docstring_is_text():
    tags = re.findall(r"<[^>]*>", sheet(Hostile))
    names = {re.match(r"</?(\w+)", tag)[1] for tag in tags}
    assert names <= {"p", "code", "pre", "h4", "dl", "dt", "dd", "ol", "li", "a"}
    assert not any("onerror" in tag or "javascript" in tag for tag in tags)


def test_code_citations_parameters_and_references_are_read():
    text = sheet(Hostile)
    assert "<code>x &lt; y</code> [1]," in text
    assert "<pre>bench &lt;render&gt;\n  indented</pre>" in text
    assert "<p>Made by:</p>" in text
    assert '<a href="https://github.com/them/theirs" rel="noreferrer">' in text


def test_every_noise_has_a_sheet():
    for noise in NOISE_MODELS.values():
        assert sheet(noise).startswith("<p>")


def test_a_class_without_a_docstring_has_an_empty_sheet():
    assert sheet(type("Silent", (), {})) == ""
