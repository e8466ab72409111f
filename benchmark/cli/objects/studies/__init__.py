"""What the commands that write up a question are told: of `bench analyse` and `bench paper`."""
