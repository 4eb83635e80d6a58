"""Step 9: the R peak of a beat."""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import template
from dsp import ring
from dsp.filters import DELAY
from dsp.lanes import WIDE, largest16
from dsp.memory import KERNEL, room
from dsp.ring import WINDOW

LAG = int(DELAY)
NEAR = 4  # 16 ms: so far beats of one shape may differ
MOST_ASTRAY = np.float32(0.9)
CLEARLY = np.float32(1.5)  # larger
ASTRAY_RATE = np.float32(0.0625)  # a beat
REACH = 25  # 100 ms: the R peak lies no further from the middle of the feature


@njit(**KERNEL)
def r_peak(lead, at, size):  # type: ignore[no-untyped-def]
    """Step 9. Largest deflection near a peak of the feature, from the line across its window.

    Gives the analysis sample with its fraction. A parabola through the top and its neighbours
    places it between samples. Of two deflections of about the same size the one that points as
    in the beats before wins: else fiducials would jump between R and S.

    size : float32 [WINDOW], set to the deflections
    """
    signal, mask = lead.signal, lead.signal.size - 1
    first, last = max(at - LAG - REACH, 0), at - LAG + REACH
    left = signal[first & mask]
    rise = (signal[last & mask] - left) / np.float32(last - first)
    up = np.float32(1.0) + np.float32(0.2) * lead.polarity
    down = np.float32(0.2) * lead.polarity - np.float32(1.0)
    place = first & mask
    if place + WINDOW <= signal.size:
        _sizes(signal[place:], left, rise, (up, down), size)
    else:
        line = room(WINDOW)
        ring.read(signal, first, line, WINDOW)
        _sizes(line, left, rise, (up, down), size)
    where, best = 0, np.float32(-1.0)
    for begin in range(0, last + 1 - first, WIDE):
        lanes = min(WIDE, last + 1 - first - begin)
        top = begin + largest16(size, begin, lanes)
        if size[top] > best:
            where, best = top, size[top]
    where += first
    return _between(signal, where)


@njit(**KERNEL)
def _sizes(signal, left, rise, ways, size):  # type: ignore[no-untyped-def]
    """Deflections from a line: its value at the first sample and its rise; `ways` weigh them."""
    up, down = ways
    for k in range(WINDOW):
        away = signal[k] - left - rise * np.float32(k)
        above, below = up * away, down * away
        size[k] = above if above > below else below


@njit(**KERNEL)
def _between(signal, where):  # type: ignore[no-untyped-def]
    """A peak with its fraction of a sample, by a parabola through it and its neighbours."""
    mask = signal.size - 1
    before, top = signal[(where - 1) & mask], signal[where & mask]
    after = signal[(where + 1) & mask]
    bend = before - np.float32(2.0) * top + after
    shift = np.float32(0.0)
    if bend != 0.0:
        shift = np.float32(0.5) * (before - after) / bend
    return where + min(max(shift, np.float32(-0.5)), np.float32(0.5))


@njit(**KERNEL)
def place(lead, at, now):  # type: ignore[no-untyped-def]
    """R peak of a beat: where it lay in beats of the same shape, at the nearest peak there.

    So the fiducial stays at the same wave while R and S, or R and R', are about as large. When
    a clearly larger deflection has lain elsewhere in most of the last beats, it moves there.
    """
    match, size = lead.match, room(WINDOW)
    own = match.own if match.at == at else template.own_peak(lead, at, now)
    found = r_peak(lead, own, size)
    if match.at != at or match.likeness < template.LIKE:
        return found
    shape = lead.templates[match.which]
    if shape.way == 0.0:
        return found
    guess = match.own + match.shift + shape.offset
    signal, mask, middle = lead.signal, lead.signal.size - 1, round(guess)
    where = middle
    for i in range(middle - NEAR, min(middle + NEAR, now - 1) + 1):
        if shape.way * signal[i & mask] > shape.way * signal[where & mask]:
            where = i
    kept = _between(signal, where) if abs(where - middle) < NEAR else guess
    is_away = abs(found - kept) > NEAR and _is_clearly_larger(size, own, found, kept)
    shape.astray += ASTRAY_RATE * (np.float32(is_away) - shape.astray)
    if shape.astray > MOST_ASTRAY:
        shape.way = np.float32(0.0)
        return found
    return kept


@njit(**KERNEL)
def _is_clearly_larger(size, own, found, kept):  # type: ignore[no-untyped-def]
    """Of two places, by the deflections that `r_peak` has left in `size`."""
    first = max(own - LAG - REACH, 0)
    place = min(max(round(kept) - first, 0), WINDOW - 1)
    return size[round(found) - first] > CLEARLY * size[place]


@njit(**KERNEL)
def learn(lead, at, fiducial):  # type: ignore[no-untyped-def]
    """Note where the R peak of a beat lies in its template."""
    match = lead.match
    if match.at != at:
        return
    shape = lead.templates[match.which]
    offset = np.float32(fiducial - match.own - match.shift)
    if shape.way == 0.0:
        shape.way, shape.offset, shape.astray = _way(lead, fiducial), offset, np.float32(0.0)
    else:
        shape.offset += np.float32(0.125) * (offset - shape.offset)
    lead.polarity += np.float32(0.125) * (_way(lead, fiducial) - lead.polarity)


@njit(**KERNEL)
def _way(lead, fiducial):  # type: ignore[no-untyped-def]
    """Which way the deflection at an R peak points, against 40 ms before and after."""
    signal, mask, r = lead.signal, lead.signal.size - 1, round(fiducial)
    around = np.float32(0.5) * (signal[(r - 10) & mask] + signal[(r + 10) & mask])
    return np.sign(signal[r & mask] - around)
