"""The data sheet of a noise: what it does, measured, drawn and written."""

from benchmark.studies.noise_sheet.write import write_index, write_sheet

__all__ = ["write_index", "write_sheet"]
