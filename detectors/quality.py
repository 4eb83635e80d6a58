"""What a lead was good for, second by second."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from dsp.resample import ANALYSIS_HZ
from ecg.codes import QualityCode

SECOND = int(ANALYSIS_HZ)
SAME_MV = 0.0005  # two samples that differ by less are the same: a converter at its end
FLAT_MV = 0.02  # peak to peak within a second: less than any lead with a heart on it
RANGE_MV = 12.0  # an electrode that comes off swings further than any heart
JUMP_MV = 3.0  # from one sample to the next
ROUGH_MV = 0.12  # mean curvature of a second that is mostly muscle

_USABLE = int(QualityCode.USABLE)
_NOISY = int(QualityCode.NOISY)
_JUMP = int(QualityCode.BASELINE_JUMP)
_SATURATED = int(QualityCode.SATURATED)
_FLAT = int(QualityCode.FLAT)
_OFF = int(QualityCode.LEAD_OFF)


@njit(cache=True, nogil=True)
def begin(second):  # type: ignore[no-untyped-def]
    """Begin a second."""
    second.missing = 0
    second.low = np.float32(1e9)
    second.high = np.float32(-1e9)
    second.repeats = 0
    second.jump = np.float32(0.0)
    second.rough = 0.0


@njit(cache=True, nogil=True)
def gather(second, signal, absent, first, end):  # type: ignore[no-untyped-def]
    """Take the samples `first` to `end` (not included) of the rings into the running second."""
    mask = signal.size - 1
    low, high, jump, rough = second.low, second.high, second.jump, second.rough
    missing, repeats = second.missing, second.repeats
    before, last = signal[(first - 2) & mask], signal[(first - 1) & mask]
    for n in range(first, end):
        x = signal[n & mask]
        if absent[n & mask]:
            missing += 1
        else:
            step = x - last
            jump = max(jump, abs(step))
            rough += abs(step - (last - before))
            repeats += abs(step) < SAME_MV
            low, high = min(low, x), max(high, x)
        before, last = last, x
    second.low, second.high, second.jump, second.rough = low, high, jump, rough
    second.missing, second.repeats = missing, repeats


@njit(cache=True, nogil=True)
def judge(second):  # type: ignore[no-untyped-def]
    """Set code and index of the second that has ended."""
    span = second.high - second.low
    rough = second.rough / SECOND
    if second.missing > SECOND // 4:
        code = _OFF
    elif span < FLAT_MV:
        code = _FLAT
    elif second.repeats > SECOND // 2 and span > RANGE_MV / 4:
        code = _SATURATED
    elif second.jump > JUMP_MV or span > RANGE_MV:
        code = _JUMP
    elif rough > ROUGH_MV:
        code = _NOISY
    else:
        code = _USABLE
    second.code = code
    if code >= _FLAT:
        second.sqi = np.float32(0.0)
    else:
        second.sqi = np.float32(math.exp(-rough / ROUGH_MV) * (1.0 if code <= _NOISY else 0.5))
