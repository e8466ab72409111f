"""What is published elsewhere: fetched once from its address, checked, and used from the disk."""
