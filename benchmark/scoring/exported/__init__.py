"""Noisy images as files for other programs, and how what these restore is read again."""
