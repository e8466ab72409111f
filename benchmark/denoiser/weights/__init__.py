"""Weights as files: ours, and those of others."""
