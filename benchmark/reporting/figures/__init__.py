"""What is drawn: each figure a function of what it shows, saved where that has changed."""
