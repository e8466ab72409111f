"""The transformer block of SwinIR: as its paper has it, and as it is fast."""
