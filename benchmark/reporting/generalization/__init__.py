"""Generalization in numbers: how good a model stays under noise that it was not trained on."""

from benchmark.reporting.generalization.indices import to_csv
from benchmark.reporting.generalization.section import section

__all__ = ["section", "to_csv"]
