"""How far a restored image is from the clean one, as one number."""

from benchmark.metrics.metric import METRICS, Metric, MetricUnavailable

__all__ = ["METRICS", "Metric", "MetricUnavailable"]
