"""What ``bench check`` measures: scores of now, how far runs differ, and speed."""
