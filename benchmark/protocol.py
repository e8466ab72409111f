"""What a score is of: the rules under which images are made and compared."""

IN_DISTRIBUTION = ("gaussian", 15.0)  # what all models are trained on, sigma in 8-bit steps
REFERENCE = ("identity", "bm3d")  # the floor and the classic: what a network has to beat

PROTOCOL = {"noisy": "clipped, 8 bits", "restored": "clipped, 8 bits"}
