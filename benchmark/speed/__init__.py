"""What things cost: timings against other libraries, run by hand and written as tables."""
