"""What there is to choose from, plugins included: registries, their catalogue, and its lists."""
