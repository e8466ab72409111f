"""What of a results folder is shown, and what its models and noises are."""
