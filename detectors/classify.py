"""Step 7 of docs/beats.md: the class that the facts of a beat speak for."""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import trees
from detectors.facts import F
from dsp.memory import KERNEL

_N, _S, _V, _Q = ord("N"), ord("S"), ord("V"), ord("Q")
PACED = ord("/")

PLAIN = np.float32(0.05)  # distance from the usual beat up to which a beat looks like it
ON_TIME = np.float32(0.95)  # of the basic rhythm's interval
# Of the two scores. Training moves both so that 0 is the operating point.
CERTAIN = np.float32(3.0)  # a score counts for no more where it speaks for the next beat, too
WITH_BEFORE = np.float32(0.1)  # share of the score of the beat before that is added: runs go on
DOUBTFUL = np.float32(-0.6)  # above it a beat may be ventricular
EXCLUDED = np.float32(-0.3)  # only a beat below it may be S by its score
# Conducted aberrantly: a very early beat that begins and ends (T wave) as the usual one does.
VERY_EARLY, OWN_BEGINNING = np.float32(0.6), np.float32(0.3)  # of the basic rhythm; correlation
OWN_T, SMALL_T = np.float32(0.5), np.float32(0.25)  # correlation; in sizes of the QRS complex


@njit(**KERNEL)
def is_aberrant(f):  # type: ignore[no-untyped-def]
    """Whether a beat that looks ventricular is an atrial one, conducted aberrantly.

    A ventricular beat has a T wave of its own, large and mostly opposed to its complex. Of an
    atrial one that comes before a bundle branch has recovered, the beginning is the usual one
    (Sandler & Marriott 1965; Gulamhusein et al. 1985), and mostly so is the T wave.
    """
    beginning = f[F.PRE_REF] < VERY_EARLY and f[F.FIRST_CORR] > OWN_BEGINNING
    t_seen = f[F.T_GAIN] > 0.0
    return beginning and t_seen and f[F.T_CORR] > OWN_T and f[F.T_GAIN] < SMALL_T


@njit(**KERNEL)
def classify(f, before, ventricular, supraventricular):  # type: ignore[no-untyped-def]
    """Step 7. Code of the class that facts speak for, and the ventricular score.

    Most beats look like the usual one and do not come early: they need no forest. What may be
    ventricular or not is Q: we cannot tell.

    before : ventricular score of the beat before, as this function gave it
    """
    if f[F.PACED] > 0.0:
        return PACED, -CERTAIN
    plain = f[F.DIST] < PLAIN and f[F.PRE_REF] > ON_TIME and f[F.BLIND] == 0.0
    if plain:
        return _N, -CERTAIN
    own = trees.score(ventricular, f)
    odds = own + WITH_BEFORE * before
    own = min(max(own, -CERTAIN), CERTAIN)
    if odds > 0.0:
        return (_S if is_aberrant(f) else _V), own
    if odds < EXCLUDED and trees.score(supraventricular, f) > 0.0:
        return _S, own
    return (_Q if odds > DOUBTFUL else _N), own
