"""Cells of the grid, and the folder which keeps each finished one as a file."""

from benchmark.cells.cell import Cell
from benchmark.cells.store import ResultStore

__all__ = ["Cell", "ResultStore"]
