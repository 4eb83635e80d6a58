"""Kinds of beats that a patient has shown, learned as they come, without labels.

A beat belongs to the nearest kind, or makes a new one in place of the one that was seen least. One
of them is the patient's usual beat: the one seen most often without coming early, the narrower the
more likely, for in bigeminy every other beat is ventricular.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import shape as s
from dsp.memory import KERNEL

NONE = -1
FORGET = np.float32(1.0 - 1.0 / 300.0)  # a beat that is not early
SAME_KIND = np.float32(0.12)  # distance up to which beats are of one kind
ONE_KIND = np.float32(0.06)  # distance up to which two kinds are one


@njit(**KERNEL)
def distance(power_a, power_b, both):  # type: ignore[no-untyped-def]
    """Power of the difference over the power of both: 0 for equal, 1 for unlike, 2 for opposite."""
    whole = power_a + power_b + s.TINY
    return (whole - np.float32(2.0) * both) / whole


@njit(**KERNEL)
def between(leads, a, b):  # type: ignore[no-untyped-def]
    """Distance of two kinds, in the leads in which the beat being looked at is seen."""
    total, weights = np.float32(0.0), s.TINY
    for i in range(leads.size):
        x, y = leads[i].shape.templates[a], leads[i].shape.templates[b]
        weight = leads[i].shape.now.weight
        if weight > 0.0:
            total += weight * distance(x.power, y.power, s.dot(x.qrs, 0, y.qrs, 0, s.QRS_SIZE))
            weights += weight
    return total / weights


@njit(**KERNEL)
def nearest(b, leads):  # type: ignore[no-untyped-def]
    """The kind that the beat being looked at is most like: number, distance, shift of the fit."""
    kind, least, shift = NONE, np.float32(2.0), 0
    for i in range(leads.size):
        s.set_powers(leads[i].shape)
    for k in range(s.KINDS):
        if b.kinds[k].count > 0:
            apart, moved = s.align(leads, k)
            if apart < least:
                kind, least, shift = k, apart, moved
    return kind, least, shift


@njit(**KERNEL)
def make(b):  # type: ignore[no-untyped-def]
    """A new kind, in a free place or in that of the one seen least."""
    place, least = NONE, np.float32(np.inf)
    for k in range(s.KINDS):
        weight = b.kinds[k].weight if b.kinds[k].count > 0 else np.float32(-1.0)
        if k != b.usual and k != b.kind and weight < least:
            place, least = k, weight
    new = b.kinds[place]
    new.count, new.weight, new.calm = 0, np.float32(0.0), np.float32(0.0)
    new.early = np.float32(1.0)
    return place


@njit(**KERNEL)
def learn(b, leads, kind, early):  # type: ignore[no-untyped-def]
    """Take the beat being looked at into a kind."""
    this = b.kinds[kind]
    rate = max(np.float32(1.0) / np.float32(this.count + 1), s.LEARN_LEAST)
    # the P wave of an early beat is not the patient's own
    p_rate = np.float32(0.0) if early and this.count > 0 else rate
    spread, weights = np.float32(0.0), s.TINY
    for i in range(leads.size):
        shape = leads[i].shape
        if shape.now.weight > 0.0:
            s.learn(shape, kind, rate, p_rate)
            spread += shape.now.weight * shape.now.spread
            weights += shape.now.weight
    this.spread += rate * (spread / weights - this.spread)
    # a run of early beats, or ventricular flutter, does not make the patient's own beat forgotten
    if not early:
        for k in range(s.KINDS):
            b.kinds[k].weight *= FORGET
            b.kinds[k].calm *= FORGET
        this.calm += np.float32(1.0)
    this.count += 1
    this.weight += np.float32(1.0)


@njit(**KERNEL)
def sort_in(b, leads, early):  # type: ignore[no-untyped-def]
    """Find the kind of the beat being looked at, or make one; gives kind and distance."""
    kind, apart, shift = nearest(b, leads)
    for i in range(leads.size):
        if leads[i].shape.now.weight > 0.0:
            s.cut(leads[i].shape, shift)
    if apart > SAME_KIND:
        kind = make(b)
    learn(b, leads, kind, early)
    return merge(b, leads, kind), apart


@njit(**KERNEL)
def merge(b, leads, kind):  # type: ignore[no-untyped-def]
    """Take a kind into the usual one when they have become alike; gives the one that remains."""
    if b.usual == NONE or kind == b.usual or between(leads, kind, b.usual) > ONE_KIND:
        return kind
    usual, gone = b.kinds[b.usual], b.kinds[kind]
    usual.early += gone.weight / (usual.weight + gone.weight) * (gone.early - usual.early)
    usual.count += gone.count
    usual.weight += gone.weight
    usual.calm += gone.calm
    gone.count, gone.weight, gone.calm = 0, np.float32(0.0), np.float32(0.0)
    if b.kind == kind:
        b.kind = b.usual
    if b.last_kind == kind:
        b.last_kind = b.usual
    return b.usual


@njit(**KERNEL)
def choose_usual(b):  # type: ignore[no-untyped-def]
    """Say which kind is the patient's usual beat."""
    best = np.float32(-1.0)
    for k in range(s.KINDS):
        kind = b.kinds[k]
        if kind.count > 0:
            calm = kind.calm / (kind.weight + s.TINY)
            score = kind.calm * calm * calm / (kind.spread + np.float32(5.0))
            if score > best:
                best, b.usual = score, k
