"""Limits of the rules: for a patient, by age, and what may be set."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from ecg.errors import BadSetting

Age = Literal["adult", "child", "neonate"]

RANGES: dict[str, tuple[float, float]] = {
    "asystole_s": (2, 10),  # IEC 60601-2-27 allows 10 s in all
    "fibrillation_s": (2, 8),
    "vt_bpm": (80, 250),
    "vt_beats": (3, 15),
    "tachycardia_bpm": (60, 300),
    "tachycardia_beats": (2, 60),
    "bradycardia_bpm": (15, 150),
    "bradycardia_beats": (2, 60),
    "high_bpm": (40, 300),
    "low_bpm": (15, 200),
    "rate_s": (0, 60),
    "pause_s": (1, 8),
    "run_beats": (3, 15),
    "rhythm_beats": (3, 60),
    "rhythm_bpm": (15, 100),
    "svt_bpm": (80, 320),
    "svt_beats": (3, 60),
    "af_s": (30, 3600),
    "pvc_per_min": (1, 60),
    "irregular_s": (10, 600),
    "no_data_s": (1, 60),
    "technical_s": (1, 60),
    "audio_pause_s": (10, 300),
    "escalate_s": (20, 1800),
}
"""From, to: what a limit may be set to."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a patient; the defaults are those for adults (`for_age` has the others).

    Raises
    ------
    BadSetting
        If a limit is not a number within its range, or two contradict each other.
    """

    asystole_s: float = 4.0
    fibrillation_s: float = 4.0
    vt_bpm: float = 100.0
    vt_beats: int = 5
    tachycardia_bpm: float = 140.0
    tachycardia_beats: int = 17
    bradycardia_bpm: float = 40.0
    bradycardia_beats: int = 5
    high_bpm: float = 120.0
    low_bpm: float = 50.0
    rate_s: float = 10.0  # how long the heart rate must be beyond, and back within, its limits
    pause_s: float = 2.5
    run_beats: int = 3
    rhythm_beats: int = 14
    rhythm_bpm: float = 40.0  # and up to vt_bpm
    svt_bpm: float = 130.0
    svt_beats: int = 5
    af_s: float = 60.0
    pvc_per_min: float = 10.0
    irregular_s: float = 60.0
    no_data_s: float = 5.0
    technical_s: float = 10.0  # lead off, cannot analyse
    audio_pause_s: float = 120.0
    escalate_s: float = 60.0  # high priority; medium after three times, low after ten times that

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name), whole=field.type == "int")
        for lower, upper in (
            ("bradycardia_bpm", "tachycardia_bpm"),
            ("low_bpm", "high_bpm"),
            ("rhythm_bpm", "vt_bpm"),
        ):
            if getattr(self, lower) >= getattr(self, upper):
                raise BadSetting(
                    f"limit {lower} = {getattr(self, lower):g} must lie below"
                    f" {upper} = {getattr(self, upper):g}"
                )
        # else the lesser alarm would come after the greater, or never
        for lower, upper in (
            ("bradycardia_bpm", "low_bpm"),
            ("high_bpm", "tachycardia_bpm"),
            ("pause_s", "asystole_s"),
            ("run_beats", "vt_beats"),
        ):
            if getattr(self, lower) > getattr(self, upper):
                raise BadSetting(
                    f"limit {lower} = {getattr(self, lower):g} must not lie above"
                    f" {upper} = {getattr(self, upper):g}"
                )

    def changed(self, **values: float) -> Limits:
        """These limits with some others.

        Raises
        ------
        BadSetting
            If there is no such limit, or the new ones make no sense: names it.
        """
        for name, value in values.items():
            if name not in RANGES:
                raise BadSetting(f"there is no limit {name!r}: there are {', '.join(RANGES)}")
            if isinstance(value, float) and value.is_integer() and name.endswith("_beats"):
                values[name] = int(value)  # JSON of a browser: 17 and 17.0 are the same
        return replace(self, **values)  # type: ignore[arg-type]

    def values(self) -> dict[str, float]:
        """All limits by name."""
        return {name: getattr(self, name) for name in RANGES}


_BY_AGE: dict[Age, dict[str, Any]] = {
    "adult": {},
    # Bradycardia below 60/min is treated as arrest in children with poor perfusion, tachycardia
    # of 180/min (children) or 220/min (infants) and more is supraventricular until disproved:
    # American Heart Association, Pediatric Advanced Life Support, 2020.
    "child": {
        "bradycardia_bpm": 60.0,
        "low_bpm": 75.0,
        "high_bpm": 160.0,
        "tachycardia_bpm": 200.0,
        "pause_s": 2.0,
        "vt_bpm": 120.0,
        "svt_bpm": 180.0,
    },
    "neonate": {
        "asystole_s": 3.0,
        "bradycardia_bpm": 60.0,
        "low_bpm": 100.0,
        "high_bpm": 200.0,
        "tachycardia_bpm": 240.0,
        "pause_s": 1.5,
        "vt_bpm": 150.0,
        "svt_bpm": 220.0,
    },
}


def for_age(age: Age) -> Limits:
    """The limits to begin with for a patient of that age (a child: 1 to 12 years)."""
    return Limits(**_BY_AGE[age])


def _check(name: str, value: object, whole: bool) -> None:
    lo, hi = RANGES[name]
    source = f" ({_SOURCES[name]})" if name in _SOURCES else ""
    if whole and (not isinstance(value, int) or isinstance(value, bool) or not lo <= value <= hi):
        raise BadSetting(f"limit {name} = {value!r}: must be a whole number, {lo:g} to {hi:g}")
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not math.isfinite(value)
        or not lo <= value <= hi
    ):
        raise BadSetting(
            f"limit {name} = {value!r}: must be a number from {lo:g} to {hi:g}{source}"
        )


_SOURCES = {"asystole_s": "IEC 60601-2-27 allows 10 s in all"}
