"""Why a network generalizes: what layers make of noisy crops, measured, kept and written up."""

from benchmark.studies.analyses.setup import Setup, conditions

__all__ = ["Setup", "conditions"]
