"""Objects by registered names: what was chosen of a registry, made, and as a cell records it."""
