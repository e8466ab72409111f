"""What a terminal or a log shows while a command works."""
