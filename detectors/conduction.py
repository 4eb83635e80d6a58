"""Second-degree AV block: P waves that no QRS complex follows.

Where the interval between two beats is long, what stands before the second one, its P wave, is
sought once more about the middle of the interval: there lies the P wave that was not conducted,
somewhat ahead of the middle where PR grew (Wenckebach). It must be the same wave in all leads
together, in shape and size. A sinus pause has none, a blocked atrial premature beat has it early.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors.pwave import FROM, HELD, OLDEST, SAME, SIZE, cut
from dsp.memory import KERNEL, room
from dsp.resample import ANALYSIS_HZ

SHORTEST_S, LONGEST_S = 1.1, 3.2  # intervals in which it is sought; the ring holds no longer ones
AHEAD_S, BEHIND_S = 0.2, 0.06  # of the middle
T_ENDS = 80  # analysis samples behind the R peak: no T wave after it
STEP = 2  # analysis samples
LIKE = np.float32(0.85)  # correlation
LEAST_GAIN, MOST_GAIN = np.float32(0.5), np.float32(2.0)  # of its size
THERE = np.float32(0.02)  # RMS of a P wave's stretch, in heights of the QRS complex
EVENTS = 2  # so many within WITHIN_S: an episode
WITHIN_S = 10.0

CONDUCTION = np.dtype(
    [
        ("last_at", "f8"),  # fiducial of the beat found last, analysis samples
        ("at", "f8", (HELD,)),  # of the beats found last, in turns
        ("like", "f4", (HELD,)),  # how like its P wave is one within the interval before; 0: none
        ("turn", "i4"),
        ("event_at", "f8"),  # last beat before which a P wave was not conducted
        ("event_from", "f8"),  # the beat before the first of those in a row
        ("n_events", "i4"),  # in a row, none later than WITHIN_S after the last
    ],
    align=True,
)
"""Of the patient."""


@njit(**KERNEL)
def begin(c):  # type: ignore[no-untyped-def]
    """A patient of whom no beat has been found."""
    c.last_at = math.nan
    c.at[:] = math.nan
    c.event_at = math.nan


@njit(**KERNEL)
def _compare(lead, at, stretch):  # type: ignore[no-untyped-def]
    """Sums of a product and of squares: the stretch of the last beat, and one like it at `at`.

    at : where the R peak would be if it had been conducted; stretch : room, float32 [SIZE]
    """
    own = lead.prelude.stretch[lead.prelude.turn]
    cut(lead.signal, at, stretch)
    both, power = np.float32(0.0), np.float32(0.0)
    for i in range(SIZE):
        both += own[i] * stretch[i]
        power += stretch[i] * stretch[i]
    return both, power


@njit(**KERNEL)
def _likeness(leads, before, r):  # type: ignore[no-untyped-def]
    """Highest correlation, of a fitting size, with what stands before the beat at `r`."""
    own, best = np.float32(0.0), np.float32(0.0)
    for i in range(leads.size):
        it = leads[i].prelude
        if it.there[it.turn] == 0 or it.qrs_mv <= 0.0:
            return best
        for k in range(SIZE):
            v = it.stretch[it.turn, k] / it.qrs_mv
            own += v * v
    if own < THERE * THERE * np.float32(SIZE * leads.size):
        return best
    middle, stretch = (before + r) // 2, room(SIZE)
    first = max(before + T_ENDS + FROM, middle - int(AHEAD_S * ANALYSIS_HZ))
    for at in range(first, middle + int(BEHIND_S * ANALYSIS_HZ), STEP):
        both, power = np.float32(0.0), np.float32(1e-9)
        for i in range(leads.size):
            unit = np.float32(1.0) / (leads[i].prelude.qrs_mv * leads[i].prelude.qrs_mv)
            b, p = _compare(leads[i], at, stretch)
            both += unit * b
            power += unit * p
        like, gain = both / np.float32(math.sqrt(own * power)), both / own
        if LEAST_GAIN < gain < MOST_GAIN:
            best = max(best, like)
    return best


@njit(**KERNEL)
def found(c, leads, at, n):  # type: ignore[no-untyped-def]
    """A beat was found at analysis sample `at`; `pwave` has captured what stands before it."""
    before_s = (at - c.last_at) / ANALYSIS_HZ
    c.turn = (c.turn + 1) % HELD
    c.at[c.turn], c.like[c.turn] = at, np.float32(0.0)
    if SHORTEST_S <= before_s <= LONGEST_S and n - at <= OLDEST:
        c.like[c.turn] = _likeness(leads, round(c.last_at), round(at))
    c.last_at = at


@njit(**KERNEL)
def take(c, at, before):  # type: ignore[no-untyped-def]
    """Take a beat at `at` that is, as the one at `before`, neither ventricular nor paced.

    Gives the likeness of a P wave that was not conducted between them, 0 when there is none.
    """
    for k in range(HELD):
        if abs(c.at[k] - at) <= SAME and c.like[k] > LIKE:
            recent = at - c.event_at < WITHIN_S * ANALYSIS_HZ
            c.n_events = c.n_events + 1 if recent else 1
            c.event_from = c.event_from if recent else before
            c.event_at = at
            return c.like[k]
    return np.float32(0.0)


@njit(**KERNEL)
def is_over(c, at):  # type: ignore[no-untyped-def]
    """Whether all P waves have been conducted for long enough."""
    return not at - c.event_at < WITHIN_S * ANALYSIS_HZ
