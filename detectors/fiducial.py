"""Step 9: the R peak of a beat."""

from __future__ import annotations

import numpy as np
from numba import njit

from dsp.filters import DELAY

LAG = int(DELAY)
APART = 20  # 80 ms: further apart the leads of one beat do not peak
REACH = 25  # 100 ms: the R peak lies no further from the middle of the feature


@njit(cache=True, nogil=True)
def own_peak(lead, at, now):  # type: ignore[no-untyped-def]
    """Where the feature of one lead is highest, near a peak of the feature of all leads."""
    feature, mask = lead.feature, lead.feature.size - 1
    where = at
    for i in range(max(at - APART, 0), min(at + APART, now) + 1):
        if feature[i & mask] > feature[where & mask]:
            where = i
    return where


@njit(cache=True, nogil=True)
def r_peak(lead, at):  # type: ignore[no-untyped-def]
    """Step 9. Largest deflection near a peak of the feature, from the line across its window.

    Gives the analysis sample with its fraction. A parabola through the top and its neighbours
    places it between samples. Of two deflections of about the same size the one that points as
    in the beats before wins: else fiducials would jump between R and S.
    """
    signal, mask = lead.signal, lead.signal.size - 1
    first, last = max(at - LAG - REACH, 0), at - LAG + REACH
    left = signal[first & mask]
    rise = (signal[last & mask] - left) / np.float32(last - first)
    up = np.float32(1.0) + np.float32(0.2) * lead.polarity
    down = np.float32(0.2) * lead.polarity - np.float32(1.0)
    best, where = np.float32(-1.0), first
    for i in range(first, last + 1):
        away = signal[i & mask] - left - rise * np.float32(i - first)
        size = max(up * away, down * away)
        if size > best:
            best, where = size, i
    before, top, after = (
        signal[(where - 1) & mask],
        signal[where & mask],
        signal[(where + 1) & mask],
    )
    bend = before - np.float32(2.0) * top + after
    shift = np.float32(0.0)
    if bend != 0.0:
        shift = np.float32(0.5) * (before - after) / bend
    return where + min(max(shift, np.float32(-0.5)), np.float32(0.5))


@njit(cache=True, nogil=True)
def learn_polarity(lead, fiducial):  # type: ignore[no-untyped-def]
    """Note which way the largest deflection of a beat points, against 40 ms before and after."""
    signal, mask, r = lead.signal, lead.signal.size - 1, round(fiducial)
    around = np.float32(0.5) * (signal[(r - 10) & mask] + signal[(r + 10) & mask])
    way = np.sign(signal[r & mask] - around)
    lead.polarity += np.float32(0.125) * (way - lead.polarity)
