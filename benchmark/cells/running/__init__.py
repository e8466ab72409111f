"""Several processes fill one folder: which cells each has taken, and how far they are."""
