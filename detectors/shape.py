"""The shape of a beat: its samples kept, measured, and compared with what the patient has shown.

A beat is kept as points of 8 ms about its R peak, lead by lead. Its QRS complex is compared with
the templates of up to `KINDS` kinds of beats that the patient has shown (after Hamilton & Curley's
beat analysis in EP Limited's "Open Source ECG Analysis", 2002: several templates, learned without
labels). Templates belong to a patient, so gain and place of the electrodes do not matter.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from dsp.lanes import LANES, dots8, sums8
from dsp.memory import KERNEL, room

POINT = 2  # analysis samples a point: 8 ms
MARGIN = 2  # points (16 ms) that a beat may be moved by to fit a template
R_AT = 42  # point of the R peak
SPAN = 70  # points of a beat in all: 336 ms before the R peak to 224 ms behind
QRS_FROM, QRS_SIZE = 28, 36  # 112 ms before the R peak to 176 ms behind
FIRST_SIZE = 12  # of them, those up to 24 ms before the R peak
P_FROM, P_SIZE = 3, 28  # 312 ms to 88 ms before
T_SIZE, T_FROM, T_POINT = 16, 40, 4  # 160 to 416 ms behind the R peak, in points of 16 ms
KINDS = 8
SUMS = 2 * LANES  # of values and of squares, at each shift
OLDEST = 600  # analysis samples: rings hold a beat and what is before it no longer
ABSENCE_KNOWN = 250  # analysis samples that the ring of absent ones goes back
LEARN_LEAST = np.float32(1.0 / 16.0)
TINY = np.float32(1e-9)
RAMP = np.arange(QRS_SIZE, dtype=np.float32) - np.float32(0.5 * (QRS_SIZE - 1))
RAMP_POWER = np.float32(np.sum(RAMP * RAMP))

KIND = np.dtype(
    [
        ("count", "i4"),  # beats in all; 0: free
        ("weight", "f4"),  # beats, old ones forgotten
        ("calm", "f4"),  # of them, those that did not come early
        ("early", "f4"),  # mean interval before, in medians
        ("spread", "f4"),  # mean width of the complex, ms
    ],
    align=True,
)
"""A kind of beat that the patient has shown."""

TEMPLATE = np.dtype(
    [
        ("qrs", "f4", (QRS_SIZE,)),  # its mean and its slope as a whole removed
        ("power", "f4"),  # sum of squares of it
        ("p", "f4", (P_SIZE,)),
        ("t", "f4", (T_SIZE,)),
        ("t_count", "i4"),
        ("slope", "f4"),
        ("area", "f4"),
        ("spread", "f4"),
    ],
    align=True,
)
"""How one lead shows a kind of beat, mV."""

SEEN = np.dtype(
    [
        ("qrs", "f4", (QRS_SIZE,)),
        ("power", "f4"),
        ("p", "f4", (P_SIZE,)),
        ("slope", "f4"),  # steepest, mV a 16 ms
        ("area", "f4"),  # mean size over largest size
        ("spread", "f4"),  # ms, root mean square distance of the slopes from their middle
        ("width", "f4"),  # ms, first to last steep place
        ("noise", "f4"),  # bends ahead of the complex, mV
        ("weight", "f4"),  # what the lead counts for
    ],
    align=True,
)
"""How one lead shows one beat."""

KEPT = np.dtype([("qrs", "f4", (QRS_SIZE,)), ("power", "f4"), ("weight", "f4")], align=True)
"""What later comparisons need of it."""

SHAPE = np.dtype(
    [
        ("raw", "f4", (SPAN,)),  # the beat that is being looked at
        ("powers", "f4", (LANES,)),  # of its QRS complex, mean and slope removed, at each shift
        ("now", SEEN),
        ("held", KEPT),  # the beat whose class is not yet known
        ("before", KEPT),  # the one before it
        ("templates", TEMPLATE, (KINDS,)),
    ],
    align=True,
)
"""Memory of one lead."""


@njit(**KERNEL)
def dot(a, i, b, j, n):  # type: ignore[no-untyped-def]
    """Sum of products of `n` values (a multiple of 4) from `a[i]` and `b[j]` on."""
    s0 = s1 = s2 = s3 = np.float32(0.0)
    for k in range(0, n, 4):
        s0 += a[i + k] * b[j + k]
        s1 += a[i + k + 1] * b[j + k + 1]
        s2 += a[i + k + 2] * b[j + k + 2]
        s3 += a[i + k + 3] * b[j + k + 3]
    return (s0 + s1) + (s2 + s3)


@njit(**KERNEL)
def total(a, i, n):  # type: ignore[no-untyped-def]
    """Sum of `n` values (a multiple of 4) from `a[i]` on."""
    s0 = s1 = s2 = s3 = np.float32(0.0)
    for k in range(0, n, 4):
        s0 += a[i + k]
        s1 += a[i + k + 1]
        s2 += a[i + k + 2]
        s3 += a[i + k + 3]
    return (s0 + s1) + (s2 + s3)


@njit(**KERNEL)
def snapshot(raw, signal, r, n):  # type: ignore[no-untyped-def]
    """Copy the beat whose R peak is at sample `r` out of a ring; `n` is the newest sample."""
    mask = signal.size - 1
    at = r - POINT * R_AT
    for p in range(SPAN):
        a, b = min(at, n), min(at + 1, n)
        raw[p] = np.float32(0.5) * (signal[a & mask] + signal[b & mask])
        at += POINT


@njit(**KERNEL)
def set_powers(shape):  # type: ignore[no-untyped-def]
    """Power of the beat being looked at, at each shift, side by side."""
    sums, tilts = room(SUMS), room(LANES)
    sums8(sums, QRS_SIZE, shape.raw, QRS_FROM - MARGIN)
    dots8(tilts, RAMP, QRS_SIZE, shape.raw, QRS_FROM - MARGIN)
    for k in range(LANES):
        level = sums[k] * sums[k] * np.float32(1.0 / QRS_SIZE)
        shape.powers[k] = sums[LANES + k] - level - tilts[k] * tilts[k] / RAMP_POWER


@njit(**KERNEL)
def align(leads, kind):  # type: ignore[no-untyped-def]
    """Distance to a kind, and the shift (points) at which the beat fits it best.

    The distance is the power of the difference over the power of both, 0 to 2, mean of the leads
    by their weights. It counts shape and size alike. `set_powers` must have been called.
    """
    apart, both, weights = room(LANES), room(LANES), TINY
    for k in range(LANES):
        apart[k] = np.float32(0.0)
    for i in range(leads.size):
        shape = leads[i].shape
        weight = shape.now.weight
        if weight <= 0.0:
            continue
        template, powers = shape.templates[kind], shape.powers
        dots8(both, template.qrs, QRS_SIZE, shape.raw, QRS_FROM - MARGIN)
        for k in range(LANES):
            whole = powers[k] + template.power + TINY
            apart[k] += weight * (whole - np.float32(2.0) * both[k]) / whole
        weights += weight
    best, at = np.float32(9.0), 0
    for k in range(2 * MARGIN + 1):
        if apart[k] / weights < best:
            best, at = apart[k] / weights, k - MARGIN
    return best, at


@njit(**KERNEL)
def cut(shape, shift):  # type: ignore[no-untyped-def]
    """Set the segments of the beat being looked at, each without its mean.

    The QRS complex is freed of its slope as a whole, too: an electrode that moves tilts the beat.
    """
    now, raw = shape.now, shape.raw
    begin = QRS_FROM + shift
    mean = total(raw, begin, QRS_SIZE) * np.float32(1.0 / QRS_SIZE)
    for k in range(QRS_SIZE):
        now.qrs[k] = raw[begin + k] - mean
    tilt = dot(now.qrs, 0, RAMP, 0, QRS_SIZE) / RAMP_POWER
    for k in range(QRS_SIZE):
        now.qrs[k] -= tilt * RAMP[k]
    now.power = dot(now.qrs, 0, now.qrs, 0, QRS_SIZE)
    begin = P_FROM + shift
    mean = total(raw, begin, P_SIZE) * np.float32(1.0 / P_SIZE)
    for k in range(P_SIZE):
        now.p[k] = raw[begin + k] - mean


@njit(**KERNEL)
def measure(shape):  # type: ignore[no-untyped-def]
    """Slope, width, area and noise of the beat being looked at."""
    raw, now = shape.raw, shape.now
    first, last = R_AT - 18, R_AT + 22
    steep = np.float32(0.0)
    s0 = s1 = s2 = np.float32(0.0)
    for p in range(first, last + 1):
        d = abs(raw[p + 1] - raw[p - 1])
        steep = max(steep, d)
        d *= d
        x = np.float32(p - R_AT)
        s0 += d
        s1 += d * x
        s2 += d * x * x
    middle = s1 / (s0 + TINY)
    now.spread = np.float32(8.0) * np.sqrt(max(s2 / (s0 + TINY) - middle * middle, TINY))
    now.slope = steep
    limit = np.float32(0.15) * steep
    begin, end = R_AT, R_AT
    quiet = 0
    for p in range(R_AT + int(middle), first - 1, -1):
        if abs(raw[p + 1] - raw[p - 1]) > limit:
            begin, quiet = p, 0
        else:
            quiet += 1
            if quiet > 3:
                break
    quiet = 0
    for p in range(R_AT + int(middle), last + 1):
        if abs(raw[p + 1] - raw[p - 1]) > limit:
            end, quiet = p, 0
        else:
            quiet += 1
            if quiet > 3:
                break
    now.width = np.float32(8 * (end - begin + 1))
    size, largest = np.float32(0.0), np.float32(0.0)
    for p in range(QRS_FROM, QRS_FROM + QRS_SIZE):
        away = abs(raw[p] - raw[R_AT - 11])
        size += away
        largest = max(largest, away)
    now.area = size / (np.float32(QRS_SIZE) * largest + TINY)
    rough = np.float32(0.0)
    for p in range(P_FROM, P_FROM + P_SIZE):
        rough += abs(raw[p + 1] - np.float32(2.0) * raw[p] + raw[p - 1])
    now.noise = rough * np.float32(1.0 / P_SIZE)


@njit(**KERNEL)
def learn(shape, kind, rate, p_rate):  # type: ignore[no-untyped-def]
    """Move a template towards the beat that has been cut out; a rate of 1 makes it that beat."""
    template, now = shape.templates[kind], shape.now
    if rate >= 1.0:
        template.t_count = 0
    for k in range(QRS_SIZE):
        template.qrs[k] += rate * (now.qrs[k] - template.qrs[k])
    template.power = dot(template.qrs, 0, template.qrs, 0, QRS_SIZE)
    for k in range(P_SIZE):
        template.p[k] += p_rate * (now.p[k] - template.p[k])
    template.slope += rate * (now.slope - template.slope)
    template.area += rate * (now.area - template.area)
    template.spread += rate * (now.spread - template.spread)


@njit(**KERNEL)
def t_wave(signal, r, out):  # type: ignore[no-untyped-def]
    """The T wave of the beat at sample `r`, its mean removed; the ring must hold it."""
    mask = signal.size - 1
    at = r + T_FROM
    mean = np.float32(0.0)
    for k in range(T_SIZE):
        x = np.float32(0.0)
        for j in range(T_POINT):
            x += signal[(at + j) & mask]
        out[k] = x * np.float32(1.0 / T_POINT)
        mean += out[k]
        at += T_POINT
    mean *= np.float32(1.0 / T_SIZE)
    for k in range(T_SIZE):
        out[k] -= mean


@njit(**KERNEL)
def likeness(both, a, b):  # type: ignore[no-untyped-def]
    """Correlation, from the sum of products and the sums of squares."""
    return both / np.float32(math.sqrt(max(a * b, TINY * TINY)) + TINY)


@njit(**KERNEL)
def learn_t(template, t):  # type: ignore[no-untyped-def]
    """Move a template's T wave towards one that was seen."""
    template.t_count += 1
    rate = max(np.float32(1.0) / np.float32(template.t_count), LEARN_LEAST)
    for k in range(T_SIZE):
        template.t[k] += rate * (t[k] - template.t[k])


@njit(**KERNEL)
def copy_seen(source, target):  # type: ignore[no-untyped-def]
    """Set what later comparisons need of one beat to that of another."""
    for k in range(QRS_SIZE):
        target.qrs[k] = source.qrs[k]
    target.power, target.weight = source.power, source.weight
