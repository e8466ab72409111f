"""How far a restored image is from the clean one, as one number. Loads no torch."""

from benchmark.metrics.metric import METRICS, Metric, MetricUnavailable
from benchmark.metrics.perceptual import LPIPS, STLPIPS
from benchmark.metrics.pixelwise import PSNR, PSNRY, SSIM, SSIMY

__all__ = [
    "LPIPS",
    "METRICS",
    "PSNR",
    "PSNRY",
    "SSIM",
    "SSIMY",
    "STLPIPS",
    "Metric",
    "MetricUnavailable",
]
