"""What is counted over a minute and an hour: ventricular beats, time in atrial fibrillation."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from dsp.memory import KERNEL

SECONDS, MINUTES = 60, 60

TALLY = np.dtype(
    [
        ("ectopic", "u1", (SECONDS,)),  # ventricular beats, by second
        ("n_ectopic", "i4"),
        ("second", "i8"),  # seconds that have ended
        ("af_s", "i4", (MINUTES,)),  # by minute
        ("judged_s", "i4", (MINUTES,)),
    ],
    align=True,
)


@njit(**KERNEL)
def count_ventricular(tally, second):  # type: ignore[no-untyped-def]
    """Count a ventricular beat of the second number `second`, unless that is too long ago."""
    if tally.second - SECONDS < second <= tally.second:
        tally.ectopic[second % SECONDS] += 1
        tally.n_ectopic += 1


@njit(**KERNEL)
def end_second(tally, judged, in_af):  # type: ignore[no-untyped-def]
    """The running second has ended: was its rhythm judged, and was it AF."""
    minute = (tally.second // SECONDS) % MINUTES
    if tally.second % SECONDS == 0:
        tally.af_s[minute] = tally.judged_s[minute] = 0
    tally.judged_s[minute] += judged
    tally.af_s[minute] += judged and in_af
    tally.second += 1
    place = tally.second % SECONDS
    tally.n_ectopic -= tally.ectopic[place]
    tally.ectopic[place] = 0


@njit(**KERNEL)
def af_burden(tally):  # type: ignore[no-untyped-def]
    """Share of the judged time of the last hour that was AF; NaN when none was judged."""
    judged, af = 0, 0
    for i in range(MINUTES):
        judged += tally.judged_s[i]
        af += tally.af_s[i]
    return np.float32(af / judged) if judged > 0 else np.float32(math.nan)
