"""Stochastic inference, measured: single passes, means of several, variants; spread and cost."""

from benchmark.studies.passes.claims import gain, stability
from benchmark.studies.passes.draws import SCORES, Draws, is_drawn, measure
from benchmark.studies.passes.page import write_pages
from benchmark.studies.passes.statistics import summarize

__all__ = [
    "SCORES",
    "Draws",
    "gain",
    "is_drawn",
    "measure",
    "stability",
    "summarize",
    "write_pages",
]
