"""From samples to findings: signal quality, beats, heart rate."""

from detectors.analyzer import Analyzer, warm

__all__ = ["Analyzer", "warm"]
