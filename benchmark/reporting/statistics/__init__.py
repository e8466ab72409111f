"""What may be compared, how sure a mean is, and which differences are real."""

from benchmark.reporting.statistics.bootstrap import CONFIDENCE, RESAMPLES, Estimate, estimate
from benchmark.reporting.statistics.means import group_means, noise_means, score_matrices
from benchmark.reporting.statistics.pairs import Difference, paired_difference
from benchmark.reporting.statistics.shared import check_table, mild_to_hard, shared_rows

__all__ = [
    "CONFIDENCE",
    "RESAMPLES",
    "Difference",
    "Estimate",
    "check_table",
    "estimate",
    "group_means",
    "mild_to_hard",
    "noise_means",
    "paired_difference",
    "score_matrices",
    "shared_rows",
]
