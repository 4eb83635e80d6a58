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
def gather(second, x_mv, before_mv, absent):  # type: ignore[no-untyped-def]
    """Take one sample into the running second."""
    if absent:
        second.missing += 1
        return
    step = x_mv - second.last
    second.jump = max(second.jump, abs(step))
    second.rough += abs(step - (second.last - before_mv))
    if abs(step) < SAME_MV:
        second.repeats += 1
    second.low = min(second.low, x_mv)
    second.high = max(second.high, x_mv)
    second.last = x_mv


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
