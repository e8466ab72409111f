"""Generalization in numbers: how good a model stays under noise that it was not trained on."""

from benchmark.reporting.generalization.indices import indices
from benchmark.reporting.generalization.section import section

__all__ = ["indices", "section"]
