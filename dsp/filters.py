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

KEPT = 8  # intermediate values that are kept; a power of two, more than the averages need

FRONT = np.dtype(
    [
        ("a", "f4", (KEPT,)),  # after the first average
        ("b", "f4", (KEPT,)),  # after the second
        ("sum_a", "f8"),
        ("sum_b", "f8"),
        ("sum_d", "f8"),
    ],
    align=True,
)


@njit(cache=True, nogil=True)
def qrs_features(front, signal, slope, feature, begin, end):  # type: ignore[no-untyped-def]
    """Step 2. Slope and feature of the samples `begin` to `end` (not included).

    signal, slope, feature : float32 rings [a power of two, more than end - begin + INTEGRAL],
    mV in, mV a 16 ms out. The sums are float64: differences of float32 would be rounded and the
    sums would drift.
    """
    mask, kept = signal.size - 1, KEPT - 1
    sum_a, sum_b, sum_d = front.sum_a, front.sum_b, front.sum_d
    for n in range(begin, end):
        sum_a += np.float64(signal[n & mask]) - np.float64(signal[(n - SMOOTH_A) & mask])
        a = np.float32(sum_a * (1.0 / SMOOTH_A))
        sum_b += np.float64(a) - np.float64(front.a[(n - SMOOTH_B) & kept])
        front.a[n & kept] = a
        b = np.float32(sum_b * (1.0 / SMOOTH_B))
        d = b - front.b[(n - SLOPE) & kept]
        front.b[n & kept] = b
        sum_d += np.float64(abs(d)) - np.float64(abs(slope[(n - INTEGRAL) & mask]))
        slope[n & mask] = d
        feature[n & mask] = np.float32(sum_d * (1.0 / INTEGRAL))
    front.sum_a, front.sum_b, front.sum_d = sum_a, sum_b, sum_d
