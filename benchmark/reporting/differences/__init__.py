"""Two folders of scores beside each other: what moved, and whose place changed."""
