"""Questions which one grid of scores does not answer, each with its page."""
