"""What is typed: read, put into Hydra's grammar, and refused where it means nothing."""
