"""Hum of the mains, found by itself at 50 and at 60 Hz, and taken away without delay.

The hum is followed as a phasor: its cosine and sine parts, and how far they turn in a second,
since the mains are seldom exact and a device's clock never is. Each second tells the phasor anew,
as the median over tenths of a second, five or six whole periods each: QRS complexes fill few of
them, so they do not look like hum (a notch filter rings at each). Until the phasor is seen to turn
evenly nothing is taken away; when the hum ends, the second that shows it ends that, too.

After the adaptive canceller of Widrow et al. 1975 ("Adaptive noise cancelling"), by blocks.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from dsp.features import median
from dsp.lanes import WIDE, sum_rows16
from dsp.memory import KERNEL
from dsp.resample import ANALYSIS_HZ

MAINS_HZ = (50.0, 60.0)
LINES = len(MAINS_HZ)
TENTH = int(ANALYSIS_HZ) // 10  # whole periods of either
SEEN = 8  # tenths of a second that are looked at: those in the middle
FIRST = 1
MOST_TURN = 1.5  # radians a second: 0.24 Hz off
PHASOR_RATE = np.float32(0.5)  # a second
TURN_RATE = np.float32(0.25)
TURN_RATE_AT_FIRST = np.float32(0.5)
ERROR_RATE = np.float32(0.3)
EVEN = np.float32(0.1)  # of the hum's power: a phasor that is foretold so well is hum
UNEVEN = np.float32(0.25)
WARM_UP = 3  # seconds

_angle = 2 * np.pi * np.outer(MAINS_HZ, np.arange(TENTH)) / ANALYSIS_HZ
COSINE = np.cos(_angle).astype(np.float32)
SINE = np.sin(_angle).astype(np.float32)

MAINS = np.dtype(
    [
        ("re", "f4"),  # of the phasor at the middle of the last second, mV
        ("im", "f4"),
        ("turn", "f4"),  # radians a second
        ("seen_re", "f4"),  # phasor of the last second as it was seen
        ("seen_im", "f4"),
        ("error", "f4"),  # power of what was not foretold, slowly moving, mV²
        ("seconds", "i4"),  # looked at
        ("on", "i4"),
    ],
    align=True,
)
"""What is known of one lead's hum at one frequency."""

ROOM = WIDE * TENTH + 2 * WIDE
"""float32 that `follow` needs to work on."""


@njit(**KERNEL)
def _wrapped(angle):  # type: ignore[no-untyped-def]
    return angle - 2.0 * math.pi * round(angle / (2.0 * math.pi))


@njit(**KERNEL)
def _turned(re, im, angle):  # type: ignore[no-untyped-def]
    c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return re * c - im * s, re * s + im * c


@njit(**KERNEL)
def remove(mains, signal, absent, n, count):  # type: ignore[no-untyped-def]
    """Take the hum away from `count` samples, number `n` and on; what is absent has none.

    mains : `MAINS` [LINES]; signal : float32, absent : uint8, [>= count].
    """
    for line in range(LINES):
        it = mains[line]
        if it.on == 0:
            continue
        done = 0
        while done < count:
            at = n + done
            place = at % TENTH
            some = min(TENTH - place, count - done)
            tenth = at // TENTH % 10
            re, im = _turned(it.re, it.im, it.turn * (0.5 + (tenth + 0.5) / 10.0))
            new, there = signal[done:], absent[done:]
            cosine, sine = COSINE[line, place:], SINE[line, place:]
            for k in range(some):
                hum = re * cosine[k] - im * sine[k]
                new[k] -= np.float32(0.0) if there[k] else hum
            done += some


@njit(**KERNEL)
def steepest(mains):  # type: ignore[no-untyped-def]
    """No less than the hum may differ from one input to the next, mV, whatever the rate."""
    most = np.float32(0.0)
    for line in range(LINES):
        most += np.float32(2.0 * math.sqrt(mains[line].re ** 2 + mains[line].im ** 2))
    return most


@njit(**KERNEL)
def follow(mains, second, whole, room):  # type: ignore[no-untyped-def]
    """Learn from the second that has ended, as `remove` has left it; unless parts are missing.

    mains : `MAINS` [LINES]; second : float32 [10 * TENTH]; room : float32 [ROOM].
    """
    if not whole:  # the mains go on meanwhile
        for line in range(LINES):
            it = mains[line]
            it.re, it.im = _turned(it.re, it.im, it.turn)
            it.seen_re, it.seen_im = it.re, it.im
        return
    for t in range(SEEN):
        for j in range(TENTH):
            room[WIDE * j + t] = second[TENTH * (FIRST + t) + j]
    sums = room[WIDE * TENTH :]
    share = np.float32(2.0 / TENTH)
    for line in range(LINES):
        sum_rows16(sums, COSINE[line], TENTH, room, 0, WIDE)
        re = share * median(sums, SEEN)
        sum_rows16(sums, SINE[line], TENTH, room, 0, WIDE)
        _see(mains[line], re, -share * median(sums, SEEN))


@njit(**KERNEL)
def _see(it, re, im):  # type: ignore[no-untyped-def]
    """Compare the phasor that is left in a second with the one foretold; foretell the next."""
    told_re, told_im = _turned(it.re, it.im, it.turn)
    if it.on:  # what was taken away was there, too
        re, im = re + told_re, im + told_im
    across = im * it.seen_re - re * it.seen_im
    along = re * it.seen_re + im * it.seen_im
    turned = _wrapped(math.atan2(across, along + np.float32(1e-20)) - it.turn)
    off = (re - told_re) ** 2 + (im - told_im) ** 2
    it.seconds += 1
    if it.seconds <= WARM_UP:  # one second for the phasor, one for its turn, one for its error
        it.turn += np.float32(turned) if it.seconds == 2 else np.float32(0.0)
        it.error = off
    else:
        it.turn += (TURN_RATE if it.on else TURN_RATE_AT_FIRST) * np.float32(turned)
        it.error += ERROR_RATE * (off - it.error)
    it.turn = np.float32(min(max(it.turn, -MOST_TURN), MOST_TURN))
    rate = PHASOR_RATE if it.on else np.float32(1.0)
    it.re, it.im = told_re + rate * (re - told_re), told_im + rate * (im - told_im)
    it.seen_re, it.seen_im = re, im
    least = (UNEVEN if it.on else EVEN) * (it.re**2 + it.im**2)
    it.on = 1 if it.seconds >= WARM_UP and it.error < least else 0
