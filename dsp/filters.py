"""The QRS band of a lead, one sample at a time: smoothing, slope, moving integral; at 250 Hz.

Two moving averages of 5 and 4 samples in line let the QRS complex through (-3 dB at 17 Hz) and
have their zeros at 50 Hz and 62.5 Hz: powerline of 50 and 60 Hz loses 99 % and more without a
search for its frequency. All parts are symmetric, so the delay is the same at every frequency.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SMOOTH_A, SMOOTH_B = 5, 4
SLOPE = 4  # samples (16 ms) that the difference spans
INTEGRAL = 20  # 80 ms, about a narrow QRS: Hamilton 2002, "Open source ECG analysis"
DELAY = (SMOOTH_A - 1) / 2 + (SMOOTH_B - 1) / 2 + SLOPE / 2 + (INTEGRAL - 1) / 2
"""Samples by which the feature lags behind the signal."""

FRONT = np.dtype(
    [
        ("a", "f4", (SMOOTH_A,)),
        ("b", "f4", (SMOOTH_B,)),
        ("c", "f4", (SLOPE,)),
        ("d", "f4", (INTEGRAL,)),
        ("sum_a", "f8"),
        ("sum_b", "f8"),
        ("sum_d", "f8"),
        ("i_a", "i4"),
        ("i_b", "i4"),
        ("i_c", "i4"),
        ("i_d", "i4"),
    ],
    align=True,
)


@njit(cache=True, nogil=True)
def qrs_feature(front, x_mv):  # type: ignore[no-untyped-def]
    """Slope of the smoothed signal, and its mean size over the last 80 ms; mV per 16 ms."""
    # in float64: a float32 difference would be rounded, and the sum would drift
    front.sum_a += np.float64(x_mv) - np.float64(front.a[front.i_a])
    front.a[front.i_a] = x_mv
    front.i_a = (front.i_a + 1) % SMOOTH_A
    a = np.float32(front.sum_a / SMOOTH_A)
    front.sum_b += np.float64(a) - np.float64(front.b[front.i_b])
    front.b[front.i_b] = a
    front.i_b = (front.i_b + 1) % SMOOTH_B
    b = np.float32(front.sum_b / SMOOTH_B)
    slope = np.float32(b - front.c[front.i_c])
    d = abs(slope)
    front.c[front.i_c] = b
    front.i_c = (front.i_c + 1) % SLOPE
    front.sum_d += np.float64(d) - np.float64(front.d[front.i_d])
    front.d[front.i_d] = d
    front.i_d = (front.i_d + 1) % INTEGRAL
    return slope, np.float32(front.sum_d / INTEGRAL)
