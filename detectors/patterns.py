"""Rhythms that are patterns of classes: couplet, run, VT, IVR, SVT, bigeminy, trigeminy.

Definitions: ventricular tachycardia is five or more ventricular beats in a row above 100 a minute
(PhysioNet/CinC Challenge 2015), at 100 or below it is an idioventricular rhythm; two are a couplet,
three and four a run. Supraventricular tachycardia is five or more supraventricular beats in a row
above 100 a minute. Bigeminy: three pairs of a ventricular and another beat; trigeminy: three times
one ventricular beat and two others.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors.episodes import SPELL, start, stop, write
from dsp.memory import KERNEL
from dsp.resample import ANALYSIS_HZ
from ecg.codes import EpisodeKind

KEPT = 64  # beats; a power of two
OTHER, VENTRICULAR, SUPRAVENTRICULAR = 0, 1, 2
VT_BEATS = 5
RUN_BEATS = 3
SVT_BEATS = 5
FAST_BPM = 100.0
ALTERNATE_BEATS = 6
THIRDS_BEATS = 9
SURE_BEATS = 12.0  # of a pattern, from which on its confidence is near 1
N_KINDS = len(EpisodeKind)

_VT, _IVR = int(EpisodeKind.VT), int(EpisodeKind.IDIOVENTRICULAR)
_RUN, _COUPLET, _SVT = int(EpisodeKind.RUN), int(EpisodeKind.COUPLET), int(EpisodeKind.SVT)
_BIGEMINY, _TRIGEMINY = int(EpisodeKind.BIGEMINY), int(EpisodeKind.TRIGEMINY)

PATTERNS = np.dtype(
    [
        ("at", "f8", (KEPT,)),  # fiducials, analysis samples
        ("what", "u1", (KEPT,)),
        ("confidence", "f4", (KEPT,)),
        ("n", "i8"),
        ("ventricular", "i4"),  # in a row up to now
        ("supraventricular", "i4"),
        ("alternate", "i4"),  # beats in a row that differ from the one before
        ("thirds", "i4"),  # beats in a row of one ventricular and two others
        ("spells", SPELL, (N_KINDS,)),  # by kind of episode
    ],
    align=True,
)


@njit(**KERNEL)
def before(p, k):  # type: ignore[no-untyped-def]
    """Fiducial of the beat `k` before the newest."""
    return p.at[(p.n - 1 - k) % KEPT]


@njit(**KERNEL)
def _what(p, k):  # type: ignore[no-untyped-def]
    return p.what[(p.n - 1 - k) % KEPT]


@njit(**KERNEL)
def _rate_bpm(p, newest, n_beats):  # type: ignore[no-untyped-def]
    """Mean rate of `n_beats` beats, the last of which is `newest` before now."""
    kept = min(n_beats, KEPT - newest)
    span = before(p, newest) - before(p, newest + kept - 1)
    return 60.0 * ANALYSIS_HZ * (kept - 1) / span if span > 0.0 else 0.0


@njit(**KERNEL)
def _surety(p, newest, n_beats):  # type: ignore[no-untyped-def]
    """Mean confidence of the beats."""
    total, kept = 0.0, min(n_beats, KEPT - newest)
    for k in range(newest, newest + kept):
        total += p.confidence[(p.n - 1 - k) % KEPT]
    return total / kept


@njit(**KERNEL)
def _fill(p, kind, newest, n_beats):  # type: ignore[no-untyped-def]
    """Make the spell of a kind one of `n_beats` beats; evidence: beats, rate a minute."""
    spell = p.spells[kind]
    spell.kind = kind
    start(spell, before(p, newest + min(n_beats, KEPT - newest) - 1), _surety(p, newest, n_beats))
    spell.evidence[0] = n_beats
    spell.evidence[1] = _rate_bpm(p, newest, n_beats)
    return spell


@njit(**KERNEL)
def _over(head, p, kind, newest, rows, n_rows):  # type: ignore[no-untyped-def]
    """End the spell of a kind at the beat `newest` before now, if it is open."""
    spell = p.spells[kind]
    if spell.open == 0:
        return n_rows
    stop(spell, before(p, newest))
    return write(head, spell, rows, n_rows)


@njit(**KERNEL)
def _ventricular(head, p, what, rows, n_rows):  # type: ignore[no-untyped-def]
    """Couplets, runs, VT, IVR."""
    if what == VENTRICULAR:
        p.ventricular += 1
        n = p.ventricular
        if n == VT_BEATS:
            kind = _VT if _rate_bpm(p, 0, n) > FAST_BPM else _IVR
            n_rows = write(head, _fill(p, kind, 0, n), rows, n_rows)
        elif n > VT_BEATS:
            spell = p.spells[_VT] if p.spells[_VT].open else p.spells[_IVR]
            spell.evidence[0] = n
        return n_rows
    n, p.ventricular = p.ventricular, 0
    if n >= VT_BEATS:
        n_rows = _over(head, p, _VT, 1, rows, n_rows)
        return _over(head, p, _IVR, 1, rows, n_rows)
    if n >= 2:
        kind = _RUN if n >= RUN_BEATS else _COUPLET
        _fill(p, kind, 1, n)
        return _over(head, p, kind, 1, rows, n_rows)
    return n_rows


@njit(**KERNEL)
def _supraventricular(head, p, what, rows, n_rows):  # type: ignore[no-untyped-def]
    """SVT."""
    if what == SUPRAVENTRICULAR:
        p.supraventricular += 1
        n, spell = p.supraventricular, p.spells[_SVT]
        if spell.open:
            spell.evidence[0] = n
        elif n >= SVT_BEATS and _rate_bpm(p, 0, n) > FAST_BPM:
            n_rows = write(head, _fill(p, _SVT, 0, n), rows, n_rows)
        return n_rows
    p.supraventricular = 0
    return _over(head, p, _SVT, 1, rows, n_rows)


@njit(**KERNEL)
def _repeated(head, p, kind, length, least, rows, n_rows):  # type: ignore[no-untyped-def]
    """A pattern that has held for `length` beats; it counts from `least` on."""
    spell = p.spells[kind]
    if length >= least and spell.open == 0:
        _fill(p, kind, 0, length)
        return write(head, spell, rows, n_rows)
    if length >= least:
        spell.evidence[0] = length
        spell.confidence = min(length / SURE_BEATS, 1.0) * _surety(p, 0, length)
        return n_rows
    return _over(head, p, kind, 1, rows, n_rows)


@njit(**KERNEL)
def take(head, p, at, what, confidence, rows, n_rows):  # type: ignore[no-untyped-def]
    """Take a beat whose class is known; write episodes that open or end; gives their new count.

    what : OTHER, VENTRICULAR or SUPRAVENTRICULAR
    """
    place = p.n % KEPT
    p.at[place], p.what[place], p.confidence[place] = at, what, confidence
    p.n += 1
    n_rows = _ventricular(head, p, what, rows, n_rows)
    n_rows = _supraventricular(head, p, what, rows, n_rows)
    ventricular = what == VENTRICULAR
    if p.n >= 2 and ventricular != (_what(p, 1) == VENTRICULAR):
        p.alternate += 1
    else:
        p.alternate = 1
    one_in_three = False
    if p.n >= 3:
        one, two = _what(p, 1) == VENTRICULAR, _what(p, 2) == VENTRICULAR
        one_in_three = int(ventricular) + int(one) + int(two) == 1
    p.thirds = p.thirds + 1 if one_in_three else 2
    n_rows = _repeated(head, p, _BIGEMINY, p.alternate, ALTERNATE_BEATS, rows, n_rows)
    return _repeated(head, p, _TRIGEMINY, p.thirds, THIRDS_BEATS, rows, n_rows)
