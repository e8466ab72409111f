"""A drawn figure as LaTeX takes it, with its caption."""

from __future__ import annotations

import re
import textwrap

from benchmark.reporting.latex.texts import escaped


def latex_figure(name: str, caption: str = "", columns: int = 0) -> str:
    r"""The figure of a PDF with this name, to ``\input`` where graphicx is loaded.

    Parameters
    ----------
    columns
        Of a page with two, how many it fills: 1, or both.
    """
    kind = "figure" if columns == 1 else "figure*"
    label = re.sub("[^A-Za-z0-9]+", "-", name)
    size = r"width=\linewidth,height=0.8\textheight,keepaspectratio"
    told = textwrap.wrap(
        rf"\caption{{{escaped(caption)}}}", 100, break_long_words=False, break_on_hyphens=False
    )
    lines = [
        r"% needs \usepackage{graphicx}, and from another folder \graphicspath{{FOLDER/}}",
        rf"\begin{{{kind}}}",
        r"\centering",
        rf"\includegraphics[{size}]{{{name}.pdf}}",
        *(told if caption else []),
        rf"\label{{fig:{label}}}",
        rf"\end{{{kind}}}",
    ]
    return "\n".join(lines) + "\n"
