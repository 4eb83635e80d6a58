"""Intervals between beats: the basic rhythm, and how a beat stands to it."""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors.facts import F
from dsp.features import median16
from dsp.memory import KERNEL, room

RR_KEPT = 16
LONGEST_RR_S = np.float32(2.5)  # more is a pause or a gap, not an interval of a rhythm
EARLY = np.float32(0.87)  # of the basic rhythm's interval: a beat that comes sooner is early
NEAR = np.float32(0.13)  # of it: an interval that differs less moves it
FOLLOW = np.float32(0.2)  # a beat
SHORTER, LONGER = 60, 16  # other intervals in a row that it gives in to: tachycardia may last
AT_ONCE = 180  # shorter ones that it gives in to when they are regular and began at once
REGULAR = np.float32(0.1)  # of an interval: it differs no more from the one before
AT_FIRST = 4


@njit(**KERNEL)
def usable(rr_s):  # type: ignore[no-untyped-def]
    """Whether this is an interval of a rhythm."""
    return rr_s > 0.0 and rr_s < LONGEST_RR_S


@njit(**KERNEL)
def keep(b, rr_s):  # type: ignore[no-untyped-def]
    """Note the interval before the beat found now."""
    if usable(rr_s):
        b.rr[b.n_rr % RR_KEPT] = rr_s
        b.n_rr += 1


@njit(**KERNEL)
def follow(b, rr_s, is_sinus):  # type: ignore[no-untyped-def]
    """Let the basic rhythm follow an interval that is about as long, or give in to many others."""
    if not usable(rr_s):
        return
    if b.ref_s == 0.0:
        b.ref_s = rr_s
    if is_sinus or abs(rr_s - b.ref_s) < NEAR * b.ref_s:
        b.ref_s += FOLLOW * (rr_s - b.ref_s)
        b.misses = 0
        return
    b.misses += 1
    patience = LONGER
    if rr_s < b.ref_s:
        steady = abs(rr_s - b.pre_s) < REGULAR * rr_s
        patience = AT_ONCE if steady and b.onset < EARLY else SHORTER
    if b.misses > (patience if b.n_rr > RR_KEPT else AT_FIRST):
        b.ref_s = median16(b.rr, min(b.n_rr, RR_KEPT))
        b.misses = 0


@njit(**KERNEL)
def irregularity(rr, n, level):  # type: ignore[no-untyped-def]
    """Median of the changes from interval to interval, over `level`."""
    kept = min(n, RR_KEPT)
    if kept < 3:
        return np.float32(0.0)
    change = room(RR_KEPT)  # 16: as `median16` takes them
    for k in range(kept - 1):
        change[k] = abs(rr[(n - 1 - k) % RR_KEPT] - rr[(n - 2 - k) % RR_KEPT])
    return median16(change, kept - 1) / level


@njit(**KERNEL)
def place(b, post_s):  # type: ignore[no-untyped-def]
    """Facts of the held beat's intervals; `post_s` is the one behind it, or at least that long."""
    f, one = b.facts, np.float32(1.0)
    kept = min(b.n_rr, RR_KEPT)
    med = median16(b.rr, kept) if kept > 0 else one
    nn = median16(b.nn, min(b.n_nn, RR_KEPT)) if b.n_nn > 3 else med
    ref = b.ref_s if b.ref_s > 0.0 else one
    pre = b.pre_s if usable(b.pre_s) else LONGEST_RR_S
    prev = b.prev_s if usable(b.prev_s) else med
    if kept == 0:
        pre = one
    f[F.PRE_MED] = pre / med
    f[F.PRE_PREV] = pre / prev
    f[F.PREV_MED] = prev / med
    f[F.POST_REF] = post_s / ref
    f[F.POST_PRE] = post_s / pre
    f[F.PAIR] = (pre + post_s) / (med + med)
    f[F.IRREGULAR] = irregularity(b.rr, b.n_rr, med)
    f[F.IRREGULAR_NN] = irregularity(b.nn, b.n_nn, nn)
    return med
