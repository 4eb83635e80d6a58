"""From samples to findings: signal quality, beats, heart rate."""

from detectors.analyzer import Analyzer
from detectors.bank import Bank
from detectors.cache import drop_stale
from detectors.warmup import warm

__all__ = ["Analyzer", "Bank", "warm"]

drop_stale()
