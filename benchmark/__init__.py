"""noisebench: how well does a denoiser do on noise it was never trained on?"""

__version__ = "0.1.0"
