"""Atrial flutter: a sawtooth of the atria, told from what is left beneath the beats.

Every ten seconds, of irregular beats only: the mean beat is taken away, and where the rest is
periodic at 228 to 348 a minute, the wave (its rate and twice that) and the mean beat are fitted in
turns, for a beat that comes at the same phase of the wave each time holds a part of it. The share
of the wave in what no mean beat explains is the score. Fibrillation is not periodic over ten
seconds; P waves go with the beats and leave with them. A fixed ratio of conduction cannot be told
so: wave and beat are one then.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import window
from detectors.fibrillation import SLOW_HZ
from dsp.memory import WITH_ARRAYS

LEAST_BEATS = 6
VARIES = 0.05  # coefficient of variation of intervals; below it the ratio is fixed
LOW_HZ, STEP_HZ, RATES = 3.8, 0.05, 41  # 228 to 348 a minute
PROMISING = 0.08  # share of the wave before it is fitted; less is not looked at any further
ROUNDS = 6
PEAKS = 3  # rates tried: 2:3 and such have two that look alike at first
FROM, TO = 12, 22  # slow samples of the mean beat before and behind the R peak
BLANK = 3  # slow samples on both sides of it that say nothing
BEGINS, ENDS = np.float32(0.4), np.float32(0.2)  # scores
ALONE = np.float32(0.25)  # less, when no other lead agrees


@njit(**WITH_ARRAYS)
def spectrum(y, weight, power):  # type: ignore[no-untyped-def]
    """Share of a wave at each rate in `y`, into `power` [RATES] (Goertzel 1958, all side by side).

    weight : 0 where a sample says nothing, else 1.
    """
    two = np.empty(RATES, np.float32)
    one_ago, two_ago = np.zeros(RATES, np.float32), np.zeros(RATES, np.float32)
    for k in range(RATES):
        two[k] = 2.0 * math.cos(2.0 * math.pi * (LOW_HZ + STEP_HZ * k) / SLOW_HZ)
    total, n, mean = np.float32(1e-9), np.float32(0.0), np.float32(0.0)
    for i in range(y.size):
        mean += y[i] * weight[i]
        n += weight[i]
    mean /= max(n, np.float32(1.0))
    for i in range(y.size):
        x = (y[i] - mean) * weight[i]
        total += x * x
        for k in range(RATES):
            new = x + two[k] * one_ago[k] - two_ago[k]
            two_ago[k] = one_ago[k]
            one_ago[k] = new
    scale = np.float32(2.0) / (n * total)
    for k in range(RATES):
        a, b = one_ago[k], two_ago[k]
        power[k] = scale * (a * a + b * b - two[k] * a * b)


@njit(**WITH_ARRAYS)
def waves(hz, basis):  # type: ignore[no-untyped-def]
    """Cosine and sine of a rate and of twice that, into `basis` [4, window.SIZE]."""
    turn = 2.0 * math.pi * hz / SLOW_HZ
    c, s = math.cos(turn), math.sin(turn)
    a, b = 1.0, 0.0
    for i in range(basis.shape[1]):
        basis[0, i], basis[1, i] = a, b
        basis[2, i], basis[3, i] = a * a - b * b, 2.0 * a * b
        a, b = a * c - b * s, a * s + b * c


@njit(**WITH_ARRAYS)
def fit(x, weight, r, n_beats, basis, room, wave, rest):  # type: ignore[no-untyped-def]
    """Share of the wave in what no mean beat explains, 0 to 1; the wave into `wave`."""
    n = np.float32(0.0)
    for i in range(x.size):
        n += weight[i]
    scale = np.float32(2.0) / max(n, np.float32(1.0))
    wave[:] = np.float32(0.0)
    ours, others = np.float32(0.0), np.float32(1e-9)
    for k in range(ROUNDS + 1):
        for i in range(x.size):
            rest[1, i] = x[i] - wave[i]
        window.without_beat(rest[1], r, n_beats, (FROM, TO), room, rest[0])
        if k == ROUNDS:
            break
        for j in range(4):
            amount = np.float32(0.0)
            for i in range(x.size):
                amount += rest[0, i] * weight[i] * basis[j, i]
            amount *= scale
            for i in range(x.size):
                wave[i] += amount * basis[j, i]
    for i in range(x.size):
        ours += wave[i] * wave[i] * weight[i]
        others += rest[0, i] * rest[0, i] * weight[i]
    return ours / (ours + others)


@njit(**WITH_ARRAYS)
def best_rates(power, rates_hz):  # type: ignore[no-untyped-def]
    """Rates of the highest peaks of `power`, highest first; gives how many there are."""
    found = 0
    while found < PEAKS:
        best, where = np.float32(0.0), -1
        for k in range(1, RATES - 1):
            is_peak = power[k] >= power[k - 1] and power[k] > power[k + 1]
            if not is_peak or power[k] <= best:
                continue
            taken = False
            for j in range(found):
                taken = taken or abs(rates_hz[j] - LOW_HZ - STEP_HZ * k) < STEP_HZ
            if not taken:
                best, where = power[k], k
        if where < 0:
            break
        left, right = power[where - 1], power[where + 1]
        bend = left + right - np.float32(2.0) * best
        aside = np.float32(0.5) * (left - right) / bend if bend < 0.0 else np.float32(0.0)
        rates_hz[found] = LOW_HZ + STEP_HZ * (where + aside)
        found += 1
    return found


@njit(**WITH_ARRAYS)
def look(x, r, n_beats, scores):  # type: ignore[no-untyped-def]
    """Rate (Hz) of the wave that explains most, its score in each lead into `scores`; 0: none.

    x : float32 [n_leads, window.SIZE], mV; r : int64, R peaks in it
    """
    n_leads = x.shape[0]
    weight = np.empty(window.SIZE, np.float32)
    window.blank(r, n_beats, BLANK, BLANK + 1, weight)
    room = np.empty((2, FROM + TO), np.float32)
    rest = np.empty((2, window.SIZE), np.float32)
    power, total = np.empty(RATES, np.float32), np.zeros(RATES, np.float32)
    promising = False
    for i in range(n_leads):
        scores[i] = np.float32(0.0)
        window.without_beat(x[i], r, n_beats, (FROM, TO), room, rest[0])
        spectrum(rest[0], weight, power)
        for k in range(RATES):
            promising = promising or power[k] > PROMISING
            total[k] += power[k]
    if not promising:
        return 0.0
    rates_hz = np.empty(PEAKS)
    basis, wave = np.empty((4, window.SIZE), np.float32), np.empty(window.SIZE, np.float32)
    best, best_hz = np.float32(0.0), 0.0
    own = np.empty(n_leads, np.float32)
    for k in range(best_rates(total, rates_hz)):
        waves(rates_hz[k], basis)
        mean = np.float32(0.0)
        for i in range(n_leads):
            own[i] = fit(x[i], weight, r, n_beats, basis, room, wave, rest)
            mean += own[i]
        if mean > best:
            best, best_hz = mean, rates_hz[k]
            scores[:] = own
    return best_hz


@njit(**WITH_ARRAYS)
def judge(x, r, n_beats, scores):  # type: ignore[no-untyped-def]
    """Score of a window, 0 to 1, -1 when its beats cannot tell; and the rate of the wave, Hz.

    x : float32 [n_leads, window.SIZE], mV; r : int64, R peaks in it; scores : room, [n_leads]
    The second best of the leads speaks; of a single one more is asked.
    """
    if n_beats < LEAST_BEATS or window.spread(r, n_beats)[1] < VARIES:
        return np.float32(-1.0), 0.0
    hz = look(x, r, n_beats, scores)
    best, second = np.float32(0.0), np.float32(0.0)
    for i in range(scores.size):
        if scores[i] > best:
            best, second = scores[i], best
        elif scores[i] > second:
            second = scores[i]
    return (second if scores.size > 1 else best - ALONE), hz


@njit(**WITH_ARRAYS)
def confidence(score):  # type: ignore[no-untyped-def]
    """How sure a score makes flutter, 0.5 to 1."""
    return np.float32(0.5) + np.float32(0.5) * min(score, np.float32(1.0))
