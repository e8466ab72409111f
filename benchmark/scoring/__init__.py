"""The grid of cells, and how each one is scored."""
