"""The QRS band of a lead, block by block: smoothing, slope, moving integral; at 250 Hz.

Two moving averages of 5 and 4 samples in line let the QRS complex through (-3 dB at 17 Hz) and
have their zeros at 50 Hz and 62.5 Hz: powerline of 50 and 60 Hz loses 99 % and more without a
search for its frequency. All parts are symmetric, so the delay is the same at every frequency.
Every value is computed from the samples themselves, not from the value before it: nothing drifts,
nothing is left of a gap, and a block is computed at once.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from dsp.memory import KERNEL

SMOOTH_A, SMOOTH_B = 5, 4
SLOPE = 4  # samples (16 ms) that the difference spans
INTEGRAL = 20  # 80 ms, about a narrow QRS: Hamilton 2002, "Open source ECG analysis"
DELAY = (SMOOTH_A - 1) / 2 + (SMOOTH_B - 1) / 2 + SLOPE / 2 + (INTEGRAL - 1) / 2
"""Samples by which the feature lags behind the signal."""

PAST = 32  # samples before a block that must be there: the slope needs 11, the integral 19


@njit(**KERNEL)
def slopes(signal, slope, count):  # type: ignore[no-untyped-def]
    """Step 2. Slope of `count` samples that come after the first `PAST` of `signal`.

    signal, slope : float32 [PAST + count], mV in, mV a 16 ms out, at the same places.
    Averages of 5 and of 4 weigh 8 samples by 1 2 3 4 4 3 2 1, of 20; their difference over 4
    weighs 12 by 1 2 3 4 3 1 -1 -3 -4 -3 -2 -1. Opposite samples are subtracted first: an offset
    goes before it can round anything.
    """
    two, three, four = np.float32(2.0), np.float32(3.0), np.float32(4.0)
    share = np.float32(1.0 / (SMOOTH_A * SMOOTH_B))
    for k in range(count):
        i = k + PAST  # a range that begins at 0 is known to need no wrapping of negative indices
        ends = (signal[i] - signal[i - 11]) + two * (signal[i - 1] - signal[i - 10])
        sides = three * ((signal[i - 2] - signal[i - 9]) + (signal[i - 4] - signal[i - 7]))
        middle = four * (signal[i - 3] - signal[i - 8]) + (signal[i - 5] - signal[i - 6])
        slope[i] = share * (ends + sides + middle)


@njit(**KERNEL)
def mean_size(slope, fours, feature, count):  # type: ignore[no-untyped-def]
    """Step 2. Feature: mean size of the last 20 slopes, in five groups of four.

    slope, fours : float32 [PAST + count]; feature : float32 [count].
    """
    for k in range(count + 16):
        i = k + PAST - 16
        fours[i] = (abs(slope[i]) + abs(slope[i - 1])) + (abs(slope[i - 2]) + abs(slope[i - 3]))
    share = np.float32(1.0 / INTEGRAL)
    for k in range(count):
        i = k + PAST
        early = (fours[i - 16] + fours[i - 12]) + (fours[i - 8] + fours[i - 4])
        feature[k] = share * (early + fours[i])
