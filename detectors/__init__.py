"""From samples to findings: signal quality, beats, heart rate."""

from detectors.analyzer import Analyzer, warm
from detectors.bank import Bank
from detectors.cache import drop_stale

__all__ = ["Analyzer", "Bank", "warm"]

drop_stale()
