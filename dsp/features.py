"""Small measures on short windows: median without a sort, sharpness of a bend."""

from __future__ import annotations

import numpy as np
from numba import njit

from dsp.lanes import WIDE, max_change32
from dsp.memory import KERNEL
from dsp.stretches import ranked


@njit(**KERNEL)
def median(values, n):  # type: ignore[no-untyped-def]
    """Median of the first `n` values, 0 when `n` is 0; nothing is copied and no branch is taken.

    Which of two values is larger cannot be predicted: a wrong guess costs more than all the rest.
    """
    if n == 0:
        return np.float32(0.0)
    if n == 8:
        return _median_of_8(values)
    low, high = 0, 0
    for i in range(n):
        rank = 0
        for j in range(n):
            rank += (values[j] < values[i]) | ((values[j] == values[i]) & (j < i))
        low += i * (rank == (n - 1) // 2)
        high += i * (rank == n // 2)
    return np.float32(0.5) * (values[low] + values[high])


@njit(**KERNEL)
def median16(values, n):  # type: ignore[no-untyped-def]
    """`median` of the first `n`, at least 1, of an array of 16."""
    low = values[ranked(values, n, (n - 1) // 2, WIDE)]
    return np.float32(0.5) * (low + values[ranked(values, n, n // 2, WIDE)])


@njit(**KERNEL)
def _median_of_8(v):  # type: ignore[no-untyped-def]
    """Two sorted fours, the second one reversed: of each pair one is in the lower half of all."""
    a0, a1, a2, a3 = _sorted(v[0], v[1], v[2], v[3])
    b0, b1, b2, b3 = _sorted(v[4], v[5], v[6], v[7])
    low = max(max(min(a0, b3), min(a1, b2)), max(min(a2, b1), min(a3, b0)))
    high = min(min(max(a0, b3), max(a1, b2)), min(max(a2, b1), max(a3, b0)))
    return np.float32(0.5) * (low + high)


@njit(**KERNEL)
def _sorted(a, b, c, d):  # type: ignore[no-untyped-def]
    a, b = min(a, b), max(a, b)
    c, d = min(c, d), max(c, d)
    a, c = min(a, c), max(a, c)
    b, d = min(b, d), max(b, d)
    return a, min(b, c), max(b, c), d


@njit(**KERNEL)
def sharpness(slope, first, last, span):  # type: ignore[no-untyped-def]
    """Largest change of slope over `span` samples, at `first` to `last` of a ring of slopes.

    slope : float32 [power of two]. A T wave bends slowly, a QRS complex sharply.
    """
    mask, count = slope.size - 1, last + 1 - first
    place = first & mask
    if span <= place <= slope.size - 32 and count <= 32:
        return max_change32(slope, place, span, count)
    top = np.float32(0.0)
    for j in range(first, last + 1):
        top = max(top, abs(slope[j & mask] - slope[(j - span) & mask]))
    return top
