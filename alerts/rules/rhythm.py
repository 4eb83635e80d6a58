"""Rules on the rhythm above the ventricles. Letters of classes: see `alerts.rules.ventricular`."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.rules.rate import rate_bpm
from ecg.clock import NS

MISSED_FACTOR = 1.75  # Mindray TM80, 7.9.2.2: the interval over the usual one
IRREGULAR_CHANGE = 0.125
"""Change from one interval to the next, as a share: respiration rarely moves it that much."""
IRREGULAR_OF = 16


def svt(beats_ns: Sequence[int], limit_bpm: float = 130.0) -> bool:
    """Five supraventricular beats in a row at more than 130/min."""
    return rate_bpm(beats_ns) > limit_bpm


def fibrillation(now_ns: int, onset_ns: int, limit_s: float = 60.0) -> bool:
    """Atrial fibrillation for 60 s (30 s on request: ESC guidelines 2020 call that enough)."""
    return now_ns - onset_ns >= limit_s * NS


def missed_beat(rr_s: float, usual_rr_s: float, pause_s: float = 2.5) -> bool:
    """An interval of nearly two beats within a regular rhythm, shorter than a pause."""
    return MISSED_FACTOR * usual_rr_s < rr_s <= pause_s


def is_change(rr_ns: int, before_ns: int) -> bool:
    """Two intervals that follow each other differ by more than an eighth."""
    return abs(rr_ns - before_ns) > IRREGULAR_CHANGE * before_ns


def irregular(changes: int) -> bool:
    """Half of the last 16 intervals differ from the one before (`changes`: bits, 1: differs)."""
    return changes.bit_count() * 2 >= IRREGULAR_OF
