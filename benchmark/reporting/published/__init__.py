"""What papers printed, beside what was measured here, wherever both are of the same thing."""

from benchmark.reporting.published.agreement import Comparison, comparisons
from benchmark.reporting.published.numbers import Published, Source, numbers, sources
from benchmark.reporting.published.section import section

__all__ = [
    "Comparison",
    "Published",
    "Source",
    "comparisons",
    "numbers",
    "section",
    "sources",
]
