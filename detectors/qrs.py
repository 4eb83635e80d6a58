"""Beats out of the QRS feature: peaks, adaptive thresholds, search-back, T waves, the R peak.

After Pan & Tompkins 1985 and Hamilton 2002 ("Open source ECG analysis"), as a stream: each sample
is taken once, and a decision falls at most half a second after its beat, save by search-back.
Times inside are analysis samples (4 ms).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors.state import PEAKS_KEPT, RING, RR_KEPT
from dsp.filters import DELAY

LAG = int(DELAY)
WAIT = 50  # 200 ms: no ventricle beats faster (Pan & Tompkins 1985)
WIDEST = 24  # 96 ms after its top, a peak is over
FLOOR_MV = 0.008  # mean slope a 16 ms of a QRS of 0.1 mV: less is not a heart that we can see
SHARE = 0.3125  # threshold between noise and beats: Hamilton 2002
SEARCH_SHARE = 0.4  # of the threshold, for search-back
SEARCH_RR = 1.66  # of the mean RR: Pan & Tompkins 1985
T_WAVE = 90  # 360 ms: Pan & Tompkins 1985
T_SHARE = 0.5
OVER_NOISE = 3.0
CEILING_FALL = math.exp(-1.0 / (2.0 * 250.0))  # time constant 2 s


@njit(cache=True, nogil=True)
def begin(qrs):  # type: ignore[no-untyped-def]
    """A detector that has seen nothing."""
    qrs.last_at = -(10**9)
    qrs.last_fiducial = math.nan
    qrs.spare_at = -(10**9)


@njit(cache=True, nogil=True)
def _middle(values, count):  # type: ignore[no-untyped-def]
    """Median of the values kept so far; 0 when there are none."""
    n = min(count, values.size)
    if n == 0:
        return np.float32(0.0)
    # rank by counting: no allocation
    for i in range(n):
        below = 0
        for j in range(n):
            if values[j] < values[i] or (values[j] == values[i] and j < i):
                below += 1
        if below == n // 2:
            return values[i]
    return values[0]


@njit(cache=True, nogil=True)
def peak(qrs, n, feature):  # type: ignore[no-untyped-def]
    """Take one sample of the feature; true when the peak held in `qrs` is to be judged."""
    found = False
    qrs.ceiling = max(feature, np.float32(qrs.ceiling * CEILING_FALL))
    if feature > qrs.previous and feature > qrs.top:
        qrs.top, qrs.top_at = feature, n
    elif qrs.top > 0.0 and (feature < 0.5 * qrs.top or n - qrs.top_at > WIDEST):
        found = True
    qrs.previous = feature
    due = False
    if qrs.wait > 0:
        qrs.wait -= 1
        due = qrs.wait == 0
    if found:
        if qrs.wait == 0 and not due:
            qrs.held, qrs.held_at, qrs.wait = qrs.top, qrs.top_at, WAIT
        elif qrs.top > qrs.held:
            qrs.held, qrs.held_at, qrs.wait = qrs.top, qrs.top_at, WAIT
            due = False
        qrs.top = np.float32(0.0)
    return due


@njit(cache=True, nogil=True)
def threshold(qrs):  # type: ignore[no-untyped-def]
    """Feature above which a peak is a beat, mV a 16 ms."""
    noise = _middle(qrs.noises, qrs.n_noises)
    if qrs.n_beats < 4:
        level = np.float32(0.4) * qrs.ceiling
    else:
        level = noise + np.float32(SHARE) * (_middle(qrs.beats, qrs.n_beats) - noise)
    return max(level, np.float32(FLOOR_MV))


@njit(cache=True, nogil=True)
def mean_rr(qrs):  # type: ignore[no-untyped-def]
    """Median RR, s; one second while there is none."""
    if qrs.n_rr == 0:
        return np.float32(1.0)
    return _middle(qrs.rr, qrs.n_rr)


@njit(cache=True, nogil=True)
def is_beat(qrs):  # type: ignore[no-untyped-def]
    """Judge the held peak by height and, soon after a beat, against being its T wave."""
    if qrs.held < threshold(qrs):
        return False
    since = qrs.held_at - qrs.last_at
    return not (since < T_WAVE and qrs.held < T_SHARE * qrs.last_slope)


@njit(cache=True, nogil=True)
def keep_noise(qrs, top):  # type: ignore[no-untyped-def]
    """Note the height of a peak that was no beat."""
    qrs.noises[qrs.n_noises % PEAKS_KEPT] = top
    qrs.n_noises += 1


@njit(cache=True, nogil=True)
def keep_beat(qrs, at, top, fiducial):  # type: ignore[no-untyped-def]
    """Note a beat; gives the RR interval before it, s, NaN for the first."""
    rr = np.float32((fiducial - qrs.last_fiducial) / 250.0)
    if rr > 0.0 and rr < 3.0:
        qrs.rr[qrs.n_rr % RR_KEPT] = rr
        qrs.n_rr += 1
    qrs.beats[qrs.n_beats % PEAKS_KEPT] = top
    qrs.n_beats += 1
    qrs.last_at, qrs.last_slope, qrs.last_fiducial = at, top, fiducial
    qrs.spare = np.float32(0.0)
    return rr


@njit(cache=True, nogil=True)
def search_due(qrs, n):  # type: ignore[no-untyped-def]
    """True when a beat is overdue and a peak that was left out may be it."""
    if qrs.n_beats == 0 or qrs.spare == 0.0:
        return False
    if n - qrs.last_at < SEARCH_RR * mean_rr(qrs) * 250.0 + WAIT:
        return False
    noise = _middle(qrs.noises, qrs.n_noises)
    return qrs.spare > SEARCH_SHARE * threshold(qrs) and qrs.spare > max(
        np.float32(FLOOR_MV), np.float32(OVER_NOISE) * noise
    )


@njit(cache=True, nogil=True)
def r_peak(signal, at):  # type: ignore[no-untyped-def]
    """Largest deflection near a peak of the feature, from the straight line across it.

    signal : float32 [RING], resampled signal; at : analysis sample of the feature's peak.
    """
    first, last = max(at - LAG - 25, 0), at - LAG + 25
    left, right = signal[first % RING], signal[last % RING]
    best, where = np.float32(-1.0), first
    for i in range(first, last + 1):
        line = left + (right - left) * np.float32((i - first) / (last - first))
        away = abs(signal[i % RING] - line)
        if away > best:
            best, where = away, i
    return where
