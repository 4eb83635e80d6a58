"""Rules on ventricular beats, and on waveforms without any beat.

Classes come as text, a letter a beat, the last beat last: `V` ventricular, `S` supraventricular,
`n` any other that is certain, `?` one whose class is not known (yet), `x` one that may be none.
Definitions beside the Challenge's are those that bedside monitors share (manuals of Mindray TM80,
7.9.2.2; Edan Elite V6, 5.1; Welch Allyn Acuity, table 5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from alerts.rules.rate import rate_bpm
from ecg.clock import NS

BIGEMINY = ("nVnVnV", "SVSVSV")
TRIGEMINY = "nnVnnVnnV"
QTC_S = 0.40
"""A usual QT interval at 60/min; with Bazett's formula (Heart 1920; 7: 353) at other rates."""


def fibrillation(now_ns: int, onset_ns: int, limit_s: float = 4.0) -> bool:
    """Fibrillatory, flutter or oscillatory waveform for 4 s (Challenge 2015)."""
    return now_ns - onset_ns >= limit_s * NS


def in_a_row(classes: str) -> int:
    """Ventricular beats at the end, without another between them."""
    return len(classes) - len(classes.rstrip("V"))


def tachycardia(beats_ns: Sequence[int], limit_bpm: float = 100.0) -> bool:
    """Five ventricular beats at more than 100/min (Challenge 2015: "five or more ... higher")."""
    return rate_bpm(beats_ns) > limit_bpm


def is_over(classes: str) -> bool:
    """Three beats of another origin in a row: one capture beat does not end a tachycardia."""
    return len(classes) >= 3 and _others(classes[-3:])


def rhythm(beats_ns: Sequence[int], least_bpm: float = 40.0, most_bpm: float = 100.0) -> bool:
    """Fourteen ventricular beats at 40 to 100/min: a slow ventricular rhythm."""
    return least_bpm <= rate_bpm(beats_ns) <= most_bpm


def couplet(classes: str) -> bool:
    """Two ventricular beats between others; to be told when the beat after them is known."""
    return len(classes) >= 4 and classes[-3:-1] == "VV" and _others(classes[-4] + classes[-1])


def bigeminy(classes: str) -> bool:
    """Three times a beat and a ventricular beat."""
    return classes.endswith(BIGEMINY)


def trigeminy(classes: str) -> bool:
    """Three times two beats and a ventricular beat."""
    return classes.endswith(TRIGEMINY)


def r_on_t(coupling_s: float, rr_before_s: float) -> bool:
    """A ventricular beat within the T wave of the beat before: sooner than its QT interval ends."""
    return coupling_s < QTC_S * math.sqrt(rr_before_s)


def pvc_rate(pvc_per_min: float, limit: float = 10.0) -> bool:
    """More ventricular beats a minute than the limit."""
    return pvc_per_min > limit


def _others(classes: str) -> bool:
    return not classes.strip("nS")
