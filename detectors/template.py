"""Templates of a lead's beats, and how like them a peak is.

A template is the running mean of the slope about a lead's beats, 160 ms long. There are two, for
a heart may beat in two shapes. A peak is compared at shifts of up to 20 ms, by correlation and by
the gain that fits best: what a matched filter gives.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors.state import POINTS, SHIFTS, STEP, TEMPLATES
from dsp import ring
from dsp.lanes import WIDE, correlate16, largest16
from dsp.memory import KERNEL, room
from dsp.ring import WINDOW

BEFORE = 31  # samples before the peak of the feature at which a template begins
APART = 20  # 80 ms: further apart the leads of one beat do not peak
LIKES = 2 * SHIFTS  # products over powers, then products, at each shift
SHIFT = 5  # samples; peaks of the feature are flat, their place is uncertain
LIKE = np.float32(0.7)  # correlation from which on a beat is of a template's shape
RATE = np.float32(0.125)  # a beat
USE_RATE = np.float32(1.0 / 32.0)  # a beat
TINY = np.float32(1e-12)
NO_MATCH = np.float32(-1.0)


@njit(**KERNEL)
def own_peak(lead, at, now):  # type: ignore[no-untyped-def]
    """Where the feature of one lead is highest, near a peak of the feature of all leads."""
    feature, mask = lead.feature, lead.feature.size - 1
    where, first = at, max(at - APART, 0)
    count, place = min(at + APART, now) + 1 - first, first & mask
    if place <= feature.size - WINDOW:
        top = feature[at & mask]
        for begin in range(0, count, WIDE):
            k = begin + largest16(feature, place + begin, min(WIDE, count - begin))
            if feature[place + k] > top:
                where, top = first + k, feature[place + k]
        return where
    for i in range(first, first + count):
        if feature[i & mask] > feature[where & mask]:
            where = i
    return where


@njit(**KERNEL)
def compare(lead, at, now):  # type: ignore[no-untyped-def]
    """Compare a lead about a sample with its templates; the best match goes into `lead.match`.

    All shifts are tried side by side, each in a lane of its own.
    """
    match = lead.match
    if match.at == at:
        return
    own = own_peak(lead, at, now)
    match.at, match.own = at, own
    match.likeness, match.gain = NO_MATCH, np.float32(0.0)
    match.shift, match.which = 0, 0
    # lanes that reach beyond `now` do not count
    lanes = min(2 * SHIFT, now - own + BEFORE + SHIFT - STEP * (POINTS - 1)) + 1
    if lanes <= 0:
        return
    place = (own - BEFORE - SHIFT) & (lead.slope.size - 1)
    if place + WINDOW <= lead.slope.size:
        _match(match, lead.templates, lead.slope, place, lanes)
    else:
        window = room(WINDOW)
        ring.read(lead.slope, place, window, WINDOW)
        _match(match, lead.templates, window, 0, lanes)


@njit(**KERNEL)
def _match(match, templates, slope, first, lanes):  # type: ignore[no-untyped-def]
    """The template, and the first of the shifts in `lanes`, that the slopes are most like."""
    like = room(LIKES)
    for k in range(TEMPLATES):
        template = templates[k]
        if template.power <= TINY:
            continue
        correlate16(like, template.wave, POINTS, slope, first, STEP)
        best = largest16(like, 0, lanes)
        size = abs(like[best]) / template.power
        likeness = np.float32(math.copysign(math.sqrt(size), like[best]))
        if likeness > match.likeness:
            match.likeness, match.which, match.shift = likeness, k, best - SHIFT
            match.gain = like[SHIFTS + best] / template.power


@njit(**KERNEL)
def learn(lead, at, now):  # type: ignore[no-untyped-def]
    """Take a beat into the template that it is like, else in place of the one used less."""
    compare(lead, at, now)
    match, templates = lead.match, lead.templates
    rate = RATE
    if match.likeness < LIKE:
        match.which = 0 if templates[0].used < templates[1].used else 1
        match.shift, rate = 0, np.float32(1.0)
        templates[match.which].used = np.float32(0.0)
        templates[match.which].way = np.float32(0.0)
    slope, mask, first = lead.slope, lead.slope.size - 1, match.own - BEFORE + match.shift
    template = templates[match.which]
    power = np.float32(0.0)
    for j in range(POINTS):
        wave = template.wave[j]
        wave += rate * (slope[(first + STEP * j) & mask] - wave)
        template.wave[j] = wave
        power += wave * wave
    template.power = power
    for k in range(TEMPLATES):
        same = np.float32(1.0) if k == match.which else np.float32(0.0)
        templates[k].used += USE_RATE * (same - templates[k].used)
