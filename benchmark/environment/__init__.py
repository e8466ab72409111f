"""The machine: its devices, its memory, its threads."""
