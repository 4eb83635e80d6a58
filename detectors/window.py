"""The last ten seconds: slow samples of each lead, the beats in them, and what is left beneath.

What the atria do shows between and beneath the beats, over more of them than a ring of samples
holds: so the slow samples are used that `fibrillation` makes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors.fibrillation import KEPT, SLOW_HZ, STEP
from dsp.memory import WITH_ARRAYS

SIZE = KEPT
SECONDS = SIZE // SLOW_HZ
BEATS = 64  # kept; a power of two
TAIL = 36  # slow samples that a beat lasts, behind its R peak: QT is long in a slow rhythm

FOUND = np.dtype([("at", "f8", (BEATS,)), ("n", "i8")], align=True)
"""Fiducials of the beats that were found last, analysis samples."""


@njit(**WITH_ARRAYS)
def found(state, at):  # type: ignore[no-untyped-def]
    """A beat was found at analysis sample `at`."""
    state.at[state.n % BEATS] = at
    state.n += 1


@njit(**WITH_ARRAYS)
def beats(state, n, r):  # type: ignore[no-untyped-def]
    """Slow samples of the beats in the window before analysis sample `n`; gives how many.

    Beats found by search-back come late: they are put in order.
    """
    first, count = n - SIZE * STEP, 0
    for k in range(max(state.n - BEATS, 0), state.n):
        where = round((state.at[k % BEATS] - first) / STEP)
        if where < -TAIL or where >= SIZE:
            continue
        j = count
        while j > 0 and r[j - 1] > where:
            r[j] = r[j - 1]
            j -= 1
        r[j] = where
        count += 1
    return count


@njit(**WITH_ARRAYS)
def samples(leads, x):  # type: ignore[no-untyped-def]
    """Slow samples of all leads, the oldest first, into `x` [n_leads, SIZE]."""
    for i in range(leads.size):
        x[i] = leads[i].fib.slow


@njit(**WITH_ARRAYS)
def spread(r, n_beats):  # type: ignore[no-untyped-def]
    """Mean interval between the beats, slow samples, and its coefficient of variation."""
    total, square = 0.0, 0.0
    for k in range(1, n_beats):
        d = r[k] - r[k - 1]
        total += d
        square += d * d
    mean = total / (n_beats - 1)
    return mean, np.sqrt(max(square / (n_beats - 1) - mean * mean, 0.0)) / mean


@njit(**WITH_ARRAYS)
def blank(r, n_beats, before, behind, weight):  # type: ignore[no-untyped-def]
    """1 where a sample speaks, 0 about the R peaks, into `weight`."""
    weight[:] = np.float32(1.0)
    for k in range(n_beats):
        for i in range(max(r[k] - before, 0), min(r[k] + behind, weight.size)):
            weight[i] = np.float32(0.0)


@njit(**WITH_ARRAYS)
def without_beat(x, r, n_beats, span, room, out):  # type: ignore[no-untyped-def]
    """`x` without its mean beat, into `out`.

    span : slow samples of the mean beat before and behind the R peak
    room : float32 [2, sum of span] to work in
    """
    before, behind = span
    mean, count = room[0], room[1]
    mean[:] = np.float32(0.0)
    count[:] = np.float32(0.0)
    for step in range(2):
        if step == 1:
            out[:] = x
            for j in range(mean.size):
                mean[j] /= max(count[j], np.float32(1.0))
        for k in range(n_beats):
            first, last = r[k] - before, r[k] + behind
            if k + 1 < n_beats:
                last = min(last, max(r[k + 1] - before, r[k] + before))
            for i in range(max(first, 0), min(last, x.size)):
                if step == 0:
                    mean[i - first] += x[i]
                    count[i - first] += np.float32(1.0)
                else:
                    out[i] -= mean[i - first]
