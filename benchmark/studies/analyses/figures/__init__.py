"""The figures of analyses: numbers and arrays to matplotlib."""
