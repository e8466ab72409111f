"""From what was chosen to objects: specs, grids, trainings."""
