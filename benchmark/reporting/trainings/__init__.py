"""How trainings went, from the files of their folders: a page and its curves."""
