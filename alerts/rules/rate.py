"""Rules on the times of QRS complexes: asystole, pause, heart rate."""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub

from ecg.clock import NS

HR_BEATS = 9
"""The median of 8 intervals needs 9 beats; vital numbers are told from as many."""


def asystole(now_ns: int, quiet_since_ns: int, limit_s: float = 4.0) -> bool:
    """No QRS for 4 s (Challenge 2015: "no QRS for at least four seconds").

    `quiet_since_ns` is the last QRS, or the moment since when the signal would have shown one.
    """
    return now_ns - quiet_since_ns >= limit_s * NS


def pause(now_ns: int, last_qrs_ns: int, limit_s: float = 2.5) -> bool:
    """More than 2.5 s since the last QRS, though the next may come before it is an asystole."""
    return now_ns - last_qrs_ns > limit_s * NS


def rate_bpm(beats_ns: Sequence[int]) -> float:
    """Mean rate over the beats, of which there are at least two, at different times."""
    return 60 * NS * (len(beats_ns) - 1) / (beats_ns[-1] - beats_ns[0])


def extreme_bradycardia(beats_ns: Sequence[int], limit_bpm: float = 40.0) -> bool:
    """Below 40/min over 5 beats (Challenge 2015: "lower than 40 bpm for 5 consecutive beats")."""
    return rate_bpm(beats_ns) < limit_bpm


def extreme_tachycardia(beats_ns: Sequence[int], limit_bpm: float = 140.0) -> bool:
    """Above 140/min over 17 beats (Challenge 2015: "140 bpm for 17 consecutive beats")."""
    return rate_bpm(beats_ns) > limit_bpm


def median_bpm(beats_ns: Sequence[int]) -> float:
    """Heart rate as it is shown: of the median interval; one missed beat does not move it."""
    intervals: list[int] = sorted(map(sub, beats_ns[1:], beats_ns))
    n = len(intervals)
    return 120 * NS / (intervals[(n - 1) // 2] + intervals[n // 2])


def above(hr_bpm: float, limit_bpm: float = 120.0) -> bool:
    """Heart rate above its limit (IEC 60601-2-27 asks for both limits)."""
    return hr_bpm > limit_bpm


def below(hr_bpm: float, limit_bpm: float = 50.0) -> bool:
    """Heart rate below its limit."""
    return hr_bpm < limit_bpm
