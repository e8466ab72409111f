"""From a table of scores to what people read."""
