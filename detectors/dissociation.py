"""Third-degree AV block: P waves and QRS complexes, each at a rate of their own.

Every five seconds, in a slow even rhythm without a constant P wave: the mean beat is taken away,
and a comb of P waves is laid on what is left, at every rate and phase. Where one of them catches
far more than the rest of the signal has, its teeth are P waves; when they come faster than the
beats and at any time before them, atria and ventricles do not heed each other.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import window
from detectors.fibrillation import SLOW_HZ
from dsp.memory import WITH_ARRAYS

SLOW = 1.1 * SLOW_HZ  # slow samples: shorter intervals are no escape rhythm
EVEN = 0.09  # coefficient of variation of intervals
LEAST_BEATS = 4
P_FROM, P_TO = 5, 17  # slow samples before the R peak where P waves are
CONSTANT = np.float32(0.6)  # coherence of what stands there, above which they are conducted
FROM, TO = 3, window.TAIL  # slow samples of the mean beat before and behind the R peak
BLANK, BLANK_END = 5, 8  # slow samples about the R peak that say nothing
SIDE = 4  # slow samples from the middle of a P wave to where it is over
STEEPEST = np.float32(4.0)  # bumps count as no more than so many times the mean one
SHORTEST, LONGEST, STEP = 25.0, 62.5, 0.5  # slow samples between P waves: 48 to 120 a minute
PHASE_STEP = 2  # slow samples: P waves last for longer
LEAST_TEETH = 5
BEGINS, ENDS = np.float32(4.5), np.float32(3.5)  # of the comb over chance, in its standard errors
LOOSE = 0.85  # length of the mean vector of the beats' places between P waves: 1 when constant
FASTER = 1.15  # P waves a beat


@njit(**WITH_ARRAYS)
def bumps(y, weight, out):  # type: ignore[no-untyped-def]
    """How far a signal stands out from 80 ms before and behind, into `out`; gives its mean power.

    weight : 0 where a sample says nothing: there it is 0.

    What is left of a QRS complex is bounded: it must not outweigh the P waves.
    """
    half, quarter = np.float32(0.5), np.float32(0.25)
    out[:] = np.float32(0.0)
    total, n = np.float32(0.0), np.float32(1.0)
    for i in range(SIDE + 1, y.size - SIDE - 1):
        here = half * y[i] + quarter * (y[i - 1] + y[i + 1])
        left = half * y[i - SIDE] + quarter * (y[i - SIDE - 1] + y[i - SIDE + 1])
        right = half * y[i + SIDE] + quarter * (y[i + SIDE - 1] + y[i + SIDE + 1])
        out[i] = weight[i] * (here - half * (left + right))
        total += abs(out[i])
        n += weight[i]
    bound, power = STEEPEST * total / n, np.float32(1e-12)
    for i in range(out.size):
        out[i] = min(max(out[i], -bound), bound)
        power += out[i] * out[i]
    return power / n


@njit(**WITH_ARRAYS)
def comb(z, weight, power):  # type: ignore[no-untyped-def]
    """Height of the best comb, in standard errors, its period and its phase, slow samples.

    z : float32 [n_leads, n], bumps; power : float32 [n_leads], their mean powers
    """
    best, best_period, best_phase = np.float32(0.0), 1.0, 0.0
    sums = np.empty(power.size, np.float32)
    for k in range(int((LONGEST - SHORTEST) / STEP) + 1):
        period = SHORTEST + STEP * k
        for phase in range(0, int(period), PHASE_STEP):
            teeth = np.float32(0.0)
            sums[:] = np.float32(0.0)
            at = np.float64(phase)
            while at < z.shape[1] - 1:
                j = int(at + 0.5)
                teeth += weight[j]
                for i in range(power.size):
                    sums[i] += z[i, j]
                at += period
            if teeth < LEAST_TEETH:
                continue
            height = np.float32(0.0)
            for i in range(power.size):
                height += sums[i] * sums[i] / (power[i] * teeth)
            if height > best:
                best, best_period, best_phase = height, period, np.float64(phase)
    return np.float32(math.sqrt(best / np.float32(power.size))), best_period, best_phase


@njit(**WITH_ARRAYS)
def is_candidate(r, n_beats):  # type: ignore[no-untyped-def]
    """Whether the beats are slow and even."""
    if n_beats < LEAST_BEATS:
        return False
    mean, varies = window.spread(r, n_beats)
    return mean >= SLOW and varies <= EVEN


@njit(**WITH_ARRAYS)
def coherence(z, r, n_beats):  # type: ignore[no-untyped-def]
    """Power of the mean of what stands before the beats, over the mean power: 1 when constant.

    z : float32 [n_leads, n], bumps; all leads together, each by its own power
    """
    own, all_of_it = np.float32(0.0), np.float32(1e-12)
    for i in range(z.shape[0]):
        for j in range(P_FROM, P_TO):
            total, square, n = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for k in range(n_beats):
                if r[k] >= j:
                    v = z[i, r[k] - j]
                    total += v
                    square += v * v
                    n += np.float32(1.0)
            if n > 0.0:
                own += total * total / n
                all_of_it += square
    return own / all_of_it


@njit(**WITH_ARRAYS)
def judge(x, r, n_beats):  # type: ignore[no-untyped-def]
    """Height of the comb of P waves and their rate a minute; 0 when the beats heed them.

    x : float32 [n_leads, window.SIZE], mV; r : int64, R peaks in it
    """
    weight, rest = np.empty(window.SIZE, np.float32), np.empty(window.SIZE, np.float32)
    z, power = np.empty(x.shape, np.float32), np.empty(x.shape[0], np.float32)
    room = np.empty((2, FROM + TO), np.float32)
    window.blank(r, n_beats, BLANK, BLANK_END, weight)
    for i in range(x.shape[0]):
        window.without_beat(x[i], r, n_beats, (FROM, TO), room, rest)
        power[i] = bumps(rest, weight, z[i])
    if coherence(z, r, n_beats) > CONSTANT:
        return np.float32(0.0), 0.0
    height, period, phase = comb(z, weight, power)
    a, b = 0.0, 0.0
    for k in range(n_beats):
        turn = 2.0 * math.pi * (r[k] - phase) / period
        a += math.cos(turn)
        b += math.sin(turn)
    loose = math.sqrt(a * a + b * b) < LOOSE * n_beats
    if not loose or window.spread(r, n_beats)[0] < FASTER * period:
        return np.float32(0.0), 0.0
    return height, 60.0 * SLOW_HZ / period


@njit(**WITH_ARRAYS)
def confidence(height):  # type: ignore[no-untyped-def]
    """How sure a height makes it, 0.5 to 1."""
    return np.float32(0.5) + np.float32(0.5) * min(
        height / (np.float32(2.0) * BEGINS), np.float32(1.0)
    )
