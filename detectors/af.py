"""Atrial fibrillation: irregular intervals without P waves, beat by beat.

The last 32 intervals between beats that are neither ventricular nor paced are measured (successive
differences: Tateno & Glass 2001; spread and order of intervals: Lake & Moorman 2011, Linker 2016),
together with the P-wave evidence of the best lead. A forest, trained on Challenge 2017 and MIT-BIH,
gives log odds; the mean of the last few windows decides and speaks for their middle, so episodes
begin and end 24 intervals back.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors.pwave import coherence
from detectors.trees import score
from dsp.memory import KERNEL
from dsp.stretches import ranked

WINDOW = 32  # intervals
EVERY = 4  # intervals: so often is the window judged
LEAST = 12  # intervals before anything is said
SCORES = 5  # their mean decides: a window alone is too hasty
SHORTEST_S, LONGEST_S = np.float32(0.2), np.float32(3.0)
BEGINS, ENDS = np.float32(0.5), np.float32(-0.5)  # log odds; by cross-validation
JUMP_S = np.float32(0.05)  # pNN50
SWING_S = np.float32(0.06)

FEATURES = (
    "mean interval, s",
    "coefficient of variation",
    "median successive difference over the median interval",
    "RMS successive difference over the mean interval",
    "median difference to the last but one",
    "median difference to the third before",
    "share of differences beyond 50 ms",
    "autocorrelation of neighbours",
    "median distance from the median",
    "share of large swings that turn back",
    "interquartile range over the median",
    "coherence of the P wave",
    "height of the P wave over that of the QRS complex",
    "likeness of P waves",
    "rest beside the P wave over the QRS complex",
)
N_FEATURES = len(FEATURES)

AF = np.dtype(
    [
        ("nn", "f4", (WINDOW,)),  # s, the oldest is overwritten
        ("n_nn", "i8"),
        ("ordered", "f4", (WINDOW,)),  # the same by time
        ("work", "f4", (WINDOW,)),
        ("features", "f4", (N_FEATURES,)),
        ("scores", "f4", (SCORES,)),  # of single windows, the oldest is overwritten
        ("n_scores", "i8"),
        ("score", "f4"),  # their mean
    ],
    align=True,
)


@njit(**KERNEL)
def _select(values, n, k):  # type: ignore[no-untyped-def]
    """The `k`-th smallest of the first `n` values, float32 [WINDOW]."""
    return values[ranked(values, n, k, WINDOW)]


@njit(**KERNEL)
def _quartiles(values, n):  # type: ignore[no-untyped-def]
    """Lower quartile, median and upper quartile (the lower one of two); ranked once for all."""
    low, middle = values[ranked(values, n, n // 4, WINDOW)], (n - 1) // 2
    high = values[ranked(values, n, (3 * n) // 4, WINDOW)]
    return low, values[ranked(values, n, middle, WINDOW)], high


@njit(**KERNEL)
def _median_lag(af, n, lag):  # type: ignore[no-untyped-def]
    """Median (the lower one of two) of the differences to the interval `lag` before."""
    for i in range(n - lag):
        af.work[i] = abs(af.ordered[i + lag] - af.ordered[i])
    return _select(af.work, n - lag, (n - lag - 1) // 2)


@njit(**KERNEL)
def _order(af, n):  # type: ignore[no-untyped-def]
    """Intervals by time; gives their mean, variance and sum of products of neighbours."""
    total = 0.0
    for i in range(n):
        x = af.nn[(af.n_nn - n + i) % WINDOW]
        af.ordered[i] = x
        total += x
    mean = total / n
    square, pairs = 0.0, 0.0
    for i in range(n):
        d = af.ordered[i] - mean
        square += d * d
        if i > 0:
            pairs += d * (af.ordered[i - 1] - mean)
    return mean, square / n, pairs / (n - 1)


@njit(**KERNEL)
def _differences(af, n):  # type: ignore[no-untyped-def]
    """Mean square of successive differences, share beyond 50 ms, share of swings that turn."""
    square, jumps, swings, turns = 0.0, 0, 0, 0
    for i in range(1, n):
        d = af.ordered[i] - af.ordered[i - 1]
        square += d * d
        jumps += abs(d) > JUMP_S
        if i > 1:
            before = af.ordered[i - 1] - af.ordered[i - 2]
            if abs(d) > SWING_S and abs(before) > SWING_S:
                swings += 1
                turns += d * before < 0.0
    return square / (n - 1), jumps / (n - 1), turns / (swings + 1.0)


@njit(**KERNEL)
def measure(af, leads):  # type: ignore[no-untyped-def]
    """Features of the window, into `af.features`."""
    n, f = min(af.n_nn, WINDOW), af.features
    mean, variance, pairs = _order(af, n)
    square, jumps, turns = _differences(af, n)
    one, two, three = _median_lag(af, n, 1), _median_lag(af, n, 2), _median_lag(af, n, 3)
    for i in range(n):
        af.work[i] = af.ordered[i]
    low, middle, high = _quartiles(af.work, n)
    quartiles = high - low
    for i in range(n):
        af.work[i] = abs(af.work[i] - middle)
    away = _select(af.work, n, (n - 1) // 2)
    f[0], f[1], f[2], f[3] = (
        mean,
        math.sqrt(variance) / mean,
        one / middle,
        math.sqrt(square) / mean,
    )
    f[4], f[5], f[6], f[7] = two / middle, three / middle, jumps, pairs / (variance + 1e-9)
    f[8], f[9], f[10] = away / middle, turns, quartiles / middle
    f[11] = np.float32(-1.0)
    for i in range(leads.size):
        share, height = coherence(leads[i])
        if leads[i].prelude.count > 0 and share > f[11]:
            unit = leads[i].prelude.qrs_mv + np.float32(1e-3)
            f[11], f[12] = share, height / unit
            f[13], f[14] = leads[i].prelude.likeness, leads[i].prelude.rest_mv / unit


@njit(**KERNEL)
def take(af, leads, nn_s, forest):  # type: ignore[no-untyped-def]
    """Take an interval between two beats that are neither ventricular nor paced.

    True when there is a new score: `af.score`, log odds of AF in the middle of the window.
    """
    if not SHORTEST_S < nn_s < LONGEST_S:
        return False
    af.nn[af.n_nn % WINDOW] = nn_s
    af.n_nn += 1
    if af.n_nn < LEAST or af.n_nn % EVERY:
        return False
    measure(af, leads)
    af.scores[af.n_scores % SCORES] = score(forest, af.features)
    af.n_scores += 1
    kept, total = min(af.n_scores, SCORES), np.float32(0.0)
    for i in range(kept):
        total += af.scores[i]
    af.score = total / np.float32(kept)
    return True
