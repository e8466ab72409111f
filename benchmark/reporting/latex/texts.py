"""Any text as LaTeX sets it: its signs as commands, and how wide it is."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

GREEK = {
    **{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta"},
    **{"η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "µ": "mu", "μ": "mu", "ν": "nu"},
    **{"ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi"},
    **{"ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda"},
    **{"Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega"},
}
FORMULAS = {
    **GREEK,
    **{"±": "pm", "×": "times", "·": "cdot", "−": "-", "<": "<", ">": ">", "|": "|"},
    **{"↑": "uparrow", "↓": "downarrow", "→": "rightarrow", "←": "leftarrow", "∞": "infty"},
    **{sign: f"_{n}" for n, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    **{"★": "star", "⋆": "star", "′": "prime", "√": "surd", "∼": "sim"},
    **{"≤": "leq", "≥": "geq", "≠": "neq", "≈": "approx", "≪": "ll", "≫": "gg", "²": "^2"},
}
SIGNS = {
    **{sign: f"\\{sign}" for sign in "_&%#${}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"–": "--", "—": "---", "…": r"\ldots{}", "°": r"$^\circ$", '"': "''"},
    **{sign: f"$\\{name}$" if name.isalpha() else f"${name}$" for sign, name in FORMULAS.items()},
}
SIZE = 8  # of \footnotesize where a text has 10 points
STRETCH = {False: 1.07, True: 1.23}  # of cmr8, and of the bold cmbx8, over cmr10 at that size


def escaped(text: str) -> str:
    """The text for LaTeX: what is a command there is none, and no sign needs a package.

    Other letters than these stay as they are: pdflatex knows those of Latin alphabets, xelatex and
    lualatex all that the font has.
    """
    signs = text.replace(">>", "≫").replace("<<", "≪").translate(str.maketrans(SIGNS))
    return signs.replace(r" \%", r"~\%")  # a number and its sign stay on one line


@cache
def width(text: str, bold: bool = False) -> float:
    r"""How wide a text is in TeX's points, in LaTeX's own font at ``\footnotesize``.

    Times, which most conferences set, is narrower.
    """
    return _font().getlength(text) / 100 * SIZE * STRETCH[bold]


@cache
def _font() -> FreeTypeFont:
    from matplotlib.font_manager import FontProperties, findfont
    from PIL import ImageFont

    return ImageFont.truetype(findfont(FontProperties(family="cmr10")), 100)
