"""Ventricular fibrillation and flutter, told from the waveform: 4-s windows, judged each second.

A lead of the window is described by twelve measures of form that need no beats: among them the
leakage of a filter at the mean frequency (Kuo & Dillman 1978), the share of samples far from the
baseline (threshold crossing sample count, Arafat et al. 2011), how much of the time the signal
stands still, and how peaked it and its slope are. A logistic regression on them gives a score a
lead; it was trained on real and simulated fibrillation, against motion, muscle noise and all other
rhythms. Leads are judged together: motion seldom deceives two of them, and beats that stand out in
one are against fibrillation in the other.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors.episodes import SPELL, start, stop
from dsp.memory import KERNEL
from dsp.stretches import moments, sum_wide
from ecg.codes import EpisodeKind, QualityCode

SLOW_HZ = 50
STEP = 5  # analysis samples a slow one
SECONDS = 4
WINDOW = SECONDS * SLOW_HZ
KEPT = 10 * SLOW_HZ  # slow samples: what the atria do shows over more of them (`window`)
BEFORE = 3  # analysis samples of the second before that the first slow sample needs
PASS = np.float32(math.exp(-2.0 * math.pi * 0.7 / SLOW_HZ))  # two high-passes at 0.7 Hz

SILENT_MV = 0.02  # mean size below which there is nothing to judge
COUNTS_MV = np.float32(0.04)  # and below which a lead has no say beside others
PEAKED = 12.0  # kurtosis of the slope beyond which there are beats: not looked at any further
SURE = np.float32(8.0)  # scores are cut here: no lead outvotes the others
NO_SCORE = np.float32(-8.0)
BEST_SHARE = np.float32(0.6)  # what the surest lead counts; the others count for the rest
BEGINS = np.float32(1.5)  # score of the leads together; by cross-validation: docs/arrhythmia.md
ENDS = np.float32(-3.0)
ENDS_S = 2  # seconds in a row
BEHIND_S = 3.5  # the window was mostly full of it when it is noticed

N_MEASURES = 12
(
    _LEAK,
    _OFF,
    _STILL,
    _PEAKED,
    _SLOPE_PEAKED,
    _BEND,
    _NEAR,
    _EVEN,
    _CREST,
    _PERIOD,
    _SLOW,
    _SIZE,
) = range(N_MEASURES)

MEASURES = (
    "leakage",
    "share off the baseline",
    "root of the share at rest",
    "log kurtosis",
    "log kurtosis of the slope",
    "log bend over slope",
    "share near the mean",
    "log of the least second over the mean",
    "log crest of the slope",
    "mean period, s",
    "mean period beyond 0.32 s",
    "log mean size",
)

_LEAD_OFF = int(QualityCode.LEAD_OFF)
_KIND = int(EpisodeKind.VF)

FIBRILLATION = np.dtype(
    [
        ("tail", "f4", (BEFORE,)),  # the last analysis samples
        ("smooth", "f4"),  # the last slow sample, as it is, after one high-pass, after both
        ("once", "f4"),
        ("twice", "f4"),
        (
            "slow",
            "f4",
            (KEPT,),
        ),  # mV at 50 Hz, without its drift; oldest first; the end is the window
        ("seconds", "i4"),  # whole seconds in a row without a gap
        ("measures", "f4", (N_MEASURES,)),
        ("span_mv", "f4"),  # lowest to highest of the last second, drift and all
        ("size_mv", "f4"),  # mean, of the window
        ("leak", "f4"),
        ("period_s", "f4"),
        ("score", "f4"),
    ],
    align=True,
)
"""Of a lead."""

VF = np.dtype([("spell", SPELL), ("low_s", "i4"), ("score", "f4")], align=True)
"""Of the patient."""


@njit(**KERNEL)
def begin(lead):  # type: ignore[no-untyped-def]
    """A lead of which nothing has been seen."""
    lead.score = NO_SCORE


@njit(**KERNEL)
def take_second(lead, second, missing):  # type: ignore[no-untyped-def]
    """Take a second of analysis samples into the window.

    second : float32 [250]; missing : how many of them are not there
    Averages of 5 and of 4 samples in line, every fifth is kept: zeros at 50 and 62.5 Hz, an eighth
    is left at 40 Hz. Two high-passes take the drift away.
    """
    slow, tail = lead.slow, lead.tail
    for i in range(KEPT - SLOW_HZ):
        slow[i] = slow[i + SLOW_HZ]
    smooth, once, twice = lead.smooth, lead.once, lead.twice
    low, high = np.float32(1e9), np.float32(-1e9)
    for k in range(SLOW_HZ):
        e = STEP * k + STEP - 1
        if k == 0:
            x0, x1, x2 = tail[0], tail[1], tail[2]
        else:
            x0, x1, x2 = second[e - 7], second[e - 6], second[e - 5]
        x = x0 + second[e] + np.float32(2.0) * (x1 + second[e - 1])
        x += np.float32(3.0) * (x2 + second[e - 2])
        x = np.float32(0.05) * (x + np.float32(4.0) * (second[e - 4] + second[e - 3]))
        once_before = once
        once = PASS * (once + x - smooth)
        twice = PASS * (twice + once - once_before)
        smooth = x
        low, high = min(low, x), max(high, x)
        slow[KEPT - SLOW_HZ + k] = twice
    lead.smooth, lead.once, lead.twice = smooth, once, twice
    lead.span_mv = high - low
    for i in range(BEFORE):
        tail[i] = second[STEP * SLOW_HZ - BEFORE + i]
    lead.seconds = 0 if missing > STEP * SLOW_HZ // 4 else min(lead.seconds + 1, SECONDS)


@njit(**KERNEL)
def _leakage(x, mean, size, steps):  # type: ignore[no-untyped-def]
    """Leakage and mean period, s, of the VF filter: Kuo & Dillman 1978.

    What a notch at the mean frequency lets through: a sine leaks nothing, beats almost all.
    """
    half = min(max(int(math.pi * size / (steps + 1e-9) + 0.5), 1), SLOW_HZ)
    through, whole = 0.0, 1e-9
    for i in range(half, x.size):
        a, b = x[i] - mean, x[i - half] - mean
        through += abs(a + b)
        whole += abs(a) + abs(b)
    return through / whole, 2.0 * half / SLOW_HZ


@njit(**KERNEL)
def _shares(x, mean, top, steepest):  # type: ignore[no-untyped-def]
    """Shares of samples: far from the baseline within their second, at rest, near the mean.

    And the mean size of the second that is least.
    """
    far, rest, near, least = 0, 0, 0, 1e9
    for s in range(SECONDS):
        begin, end = s * SLOW_HZ, (s + 1) * SLOW_HZ
        highest, size = 0.0, 0.0
        for i in range(begin, end):
            a = abs(x[i] - mean)
            highest = max(highest, a)
            size += a
            near += a < 0.15 * top
        for i in range(begin, end):
            far += abs(x[i] - mean) > 0.2 * highest
        least = min(least, size / SLOW_HZ)
    for i in range(1, x.size):
        rest += abs(x[i] - x[i - 1]) < 0.1 * steepest
    return far / WINDOW, rest / WINDOW, near / WINDOW, least


@njit(**KERNEL)
def measure(lead):  # type: ignore[no-untyped-def]
    """Measures of the window of a lead, into `lead.measures`; false when there is no use for them.

    There is none when the window is not whole, silent, or when its slope is so peaked that beats
    stand in it.
    """
    x, out = lead.slow[KEPT - WINDOW :], lead.measures
    mean = sum_wide(x, WINDOW) / WINDOW
    # of the window and of its differences: sums of size, square, fourth power; bends; the largest
    size, square, fourth, steps, step2, step4, bend, top, steepest = moments(x, mean, WINDOW)
    lead.size_mv = np.float32(size / WINDOW)
    if lead.seconds < SECONDS or lead.size_mv < SILENT_MV:
        return False
    slope_peaked = step4 * WINDOW / (step2 * step2 + 1e-12)
    if slope_peaked > PEAKED:
        return False
    leak, period_s = _leakage(x, mean, size, steps)
    far, rest, near, least = _shares(x, mean, top, steepest)
    lead.leak, lead.period_s = np.float32(leak), np.float32(period_s)
    out[_LEAK] = leak
    out[_OFF] = far
    out[_STILL] = math.sqrt(rest)
    out[_PEAKED] = math.log(fourth * WINDOW / (square * square + 1e-12) + 1.0)
    out[_SLOPE_PEAKED] = math.log(slope_peaked + 1.0)
    out[_BEND] = math.log(bend / (steps + 1e-9) + 0.1)
    out[_NEAR] = near
    out[_EVEN] = math.log(least / (size / WINDOW + 1e-9) + 0.1)
    out[_CREST] = math.log(steepest / (steps / WINDOW + 1e-9) + 1.0)
    out[_PERIOD] = min(period_s, 0.6)
    out[_SLOW] = max(period_s - 0.32, 0.0)
    out[_SIZE] = math.log(size / WINDOW + 0.03)
    return True


@njit(**KERNEL)
def judge_lead(lead, weights):  # type: ignore[no-untyped-def]
    """Score of a lead's window: log odds of fibrillation, within ± SURE.

    weights : float32 [N_MEASURES + 1], the last one the constant.
    """
    lead.score = NO_SCORE
    if measure(lead):
        total = weights[N_MEASURES]
        for i in range(N_MEASURES):
            total += weights[i] * lead.measures[i]
        lead.score = min(max(total, -SURE), SURE)


@njit(**KERNEL)
def judge(vf, leads, n, organised):  # type: ignore[no-untyped-def]
    """Judge the leads together at the end of a second, at analysis sample `n`.

    organised : whether ventricular beats in a row, even and not too fast, tell tachycardia: then
    fibrillation does not begin

    True when an episode has opened or ended: `vf.spell`. Evidence: the score of the leads together,
    and leakage, mean frequency (Hz) and mean size (mV) of the lead that is surest.
    """
    total, heard, surest, best = np.float32(0.0), 0, 0, -np.float32(99.0)
    there = False
    for i in range(leads.size):
        fib = leads[i].fib
        there = there or fib.seconds == SECONDS
        if fib.seconds == SECONDS and fib.size_mv > COUNTS_MV:
            total += fib.score
            heard += 1
            if fib.score > best:
                surest, best = i, fib.score
    vf.score = best if heard == 1 else NO_SCORE
    if heard > 1:
        others = (total - best) / np.float32(heard - 1)
        vf.score = BEST_SHARE * best + (np.float32(1.0) - BEST_SHARE) * others
    if not there:
        return False  # a lost signal begins nothing, and ends nothing that is lethal
    spell = vf.spell
    if spell.open == 0:
        if vf.score <= BEGINS or organised:
            return False
        fib = leads[surest].fib
        spell.kind = _KIND
        start(spell, max(n - BEHIND_S * SLOW_HZ * STEP, spell.end), _confidence(vf.score))
        spell.evidence[0], spell.evidence[1] = vf.score, fib.leak
        spell.evidence[2] = np.float32(1.0) / max(fib.period_s, np.float32(0.02))
        spell.evidence[3] = fib.size_mv
        vf.low_s = 0
        return True
    if vf.score > spell.evidence[0]:
        spell.evidence[0], spell.confidence = vf.score, _confidence(vf.score)
    vf.low_s = vf.low_s + 1 if vf.score < ENDS else 0
    if vf.low_s < ENDS_S:
        return False
    stop(spell, n - (ENDS_S + 1.0) * SLOW_HZ * STEP)
    return True


@njit(**KERNEL)
def _confidence(score):  # type: ignore[no-untyped-def]
    return np.float32(1.0 / (1.0 + math.exp(-score)))
