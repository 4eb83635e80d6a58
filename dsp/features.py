"""Small measures on short windows: median without a sort, sharpness of a bend, sums."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def median(values, n):  # type: ignore[no-untyped-def]
    """Median of the first `n` values, 0 when `n` is 0; by ranks, so that nothing is copied."""
    low, high = np.float32(0.0), np.float32(0.0)
    for i in range(n):
        rank = 0
        for j in range(n):
            if values[j] < values[i] or (values[j] == values[i] and j < i):
                rank += 1
        if rank == (n - 1) // 2:
            low = values[i]
        if rank == n // 2:
            high = values[i]
    return np.float32(0.5) * (low + high)


@njit(cache=True, nogil=True)
def sharpness(slope, first, last, span):  # type: ignore[no-untyped-def]
    """Largest change of slope over `span` samples, at `first` to `last` of a ring of slopes.

    slope : float32 [power of two]. A T wave bends slowly, a QRS complex sharply.
    """
    mask = slope.size - 1
    top = np.float32(0.0)
    for j in range(first, last + 1):
        top = max(top, abs(slope[j & mask] - slope[(j - span) & mask]))
    return top


@njit(cache=True, nogil=True)
def fold_sum(values, n):  # type: ignore[no-untyped-def]
    """Sum of the first `n` values, which are lost: halves are added until one value is left.

    The order of the additions is fixed, though they run side by side; a plain sum either waits
    for each of them or leaves the order, and so the last bits, to the compiler.
    """
    while n > 1:
        half = (n + 1) // 2
        upper = values[half:]
        for i in range(n - half):
            values[i] += upper[i]
        n = half
    return values[0]


@njit(cache=True, nogil=True)
def fold_max(values, n):  # type: ignore[no-untyped-def]
    """Largest of the first `n` values, which are lost, as `fold_sum` adds them."""
    while n > 1:
        half = (n + 1) // 2
        upper = values[half:]
        for i in range(n - half):
            values[i] = upper[i] if upper[i] > values[i] else values[i]
        n = half
    return values[0]
