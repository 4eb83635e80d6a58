"""The table of alarms: each rule a pure function at its limits, beside its source.

Sources: PhysioNet/CinC Challenge 2015 (Clifford et al., Physiol Meas 2016; 37: E5) for what the
life-threatening arrhythmias are; IEC 60601-2-27:2011 for the time to alarm (10 s at most after the
heart has stopped); IEC 60601-1-8:2006+A1:2012, 6.1.2, for the priorities.
"""

from __future__ import annotations

from alerts.kinds import PRIORITY
from alerts.rules import rhythm, ventricular
from alerts.rules.limits import RANGES, Age, Limits, for_age
from alerts.rules.rate import (
    HR_BEATS,
    above,
    asystole,
    below,
    extreme_bradycardia,
    extreme_tachycardia,
    median_bpm,
    pause,
    rate_bpm,
)
from alerts.rules.technical import lasts, lead_off_priority, no_data, unanswered

__all__ = [
    "HR_BEATS",
    "PRIORITY",
    "RANGES",
    "Age",
    "Limits",
    "above",
    "asystole",
    "below",
    "extreme_bradycardia",
    "extreme_tachycardia",
    "for_age",
    "lasts",
    "lead_off_priority",
    "median_bpm",
    "no_data",
    "pause",
    "rate_bpm",
    "rhythm",
    "unanswered",
    "ventricular",
]
