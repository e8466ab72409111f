"""What runs a network's forward pass: torch, or a graph of it which another runtime compiled."""
