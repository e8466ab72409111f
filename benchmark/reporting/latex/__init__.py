"""What a paper in LaTeX takes: texts without commands, how wide they are, the leaderboards."""
