"""The gate of ``bench check``: scores of now against those of a committed file."""
