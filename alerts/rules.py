"""The table of alarms: each rule a pure function at its limits, beside its source.

Sources: PhysioNet/CinC Challenge 2015 (Clifford et al., Physiol Meas 2016; 37: E5) for what the
life-threatening arrhythmias are; IEC 60601-2-27:2011 for the time to alarm (10 s at most after the
heart has stopped); IEC 60601-1-8:2006+A1:2012, 6.1.2, for the priorities.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from alerts.words import AlarmKind, Priority
from ecg.clock import NS
from ecg.errors import BadSetting

PRIORITY: dict[AlarmKind, Priority] = {
    AlarmKind.ASYSTOLE: Priority.HIGH,
    AlarmKind.EXTREME_BRADYCARDIA: Priority.HIGH,
    AlarmKind.EXTREME_TACHYCARDIA: Priority.HIGH,
    # medium when nobody watches the patient any more, else low
    AlarmKind.NO_DATA: Priority.MEDIUM,
    AlarmKind.CANNOT_ANALYSE: Priority.MEDIUM,
    AlarmKind.LEAD_OFF: Priority.LOW,  # medium when all leads are off: `lead_off_priority`
    AlarmKind.UNKNOWN_DEVICE: Priority.MEDIUM,
    AlarmKind.OVERLOAD: Priority.MEDIUM,
    AlarmKind.BAD_DATA: Priority.LOW,
    AlarmKind.CLOCK_WRONG: Priority.LOW,
    AlarmKind.BATTERY_LOW: Priority.LOW,
    AlarmKind.STORE_TROUBLE: Priority.LOW,  # the patient is still watched
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a patient; the defaults are those for adults.

    Raises
    ------
    BadSetting
        If a limit is not a number within reason, or two contradict each other.
    """

    asystole_s: float = 4.0
    bradycardia_bpm: float = 40.0
    bradycardia_beats: int = 5
    tachycardia_bpm: float = 140.0
    tachycardia_beats: int = 17
    no_data_s: float = 5.0
    technical_s: float = 10.0  # lead off, cannot analyse

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise BadSetting(f"limit {field.name} = {value!r}: must be a number above 0")
        if self.bradycardia_bpm >= self.tachycardia_bpm:
            raise BadSetting(
                f"limit bradycardia_bpm = {self.bradycardia_bpm:g} must lie below"
                f" tachycardia_bpm = {self.tachycardia_bpm:g}"
            )
        if self.asystole_s > 10:
            raise BadSetting(
                f"limit asystole_s = {self.asystole_s:g}: IEC 60601-2-27 allows 10 s at most"
            )
        for name in ("bradycardia_beats", "tachycardia_beats"):
            beats = getattr(self, name)
            if not isinstance(beats, int) or not 2 <= beats <= 60:
                raise BadSetting(f"limit {name} = {beats!r}: must be a whole number, 2 to 60")


def asystole(now_ns: int, quiet_since_ns: int, limit_s: float = 4.0) -> bool:
    """No QRS for 4 s (Challenge 2015: "no QRS for at least four seconds").

    `quiet_since_ns` is the last QRS, or the moment since when the signal would have shown one.
    """
    return now_ns - quiet_since_ns >= limit_s * NS


def rate_bpm(beats_ns: Sequence[int]) -> float:
    """Mean rate over the beats, of which there are at least two, at different times."""
    return 60 * NS * (len(beats_ns) - 1) / (beats_ns[-1] - beats_ns[0])


def extreme_bradycardia(beats_ns: Sequence[int], limit_bpm: float = 40.0) -> bool:
    """Below 40/min over 5 beats (Challenge 2015: "lower than 40 bpm for 5 consecutive beats")."""
    return rate_bpm(beats_ns) < limit_bpm


def extreme_tachycardia(beats_ns: Sequence[int], limit_bpm: float = 140.0) -> bool:
    """Above 140/min over 17 beats (Challenge 2015: "140 bpm for 17 consecutive beats")."""
    return rate_bpm(beats_ns) > limit_bpm


def no_data(now_ns: int, last_frame_ns: int, limit_s: float = 5.0) -> bool:
    """No frame for 5 s by the wall clock: nobody watches the patient any more."""
    return now_ns - last_frame_ns >= limit_s * NS


def lasts(now_ns: int, since_ns: int, limit_s: float = 10.0) -> bool:
    """A technical condition has lasted for 10 s: an electrode that is being changed is none."""
    return now_ns - since_ns >= limit_s * NS


def lead_off_priority(all_off: bool) -> Priority:
    """Medium when nobody watches the patient any more, else low."""
    return Priority.MEDIUM if all_off else PRIORITY[AlarmKind.LEAD_OFF]
