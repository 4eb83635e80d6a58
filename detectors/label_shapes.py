"""How alike the beats of a record are, and which of them is the usual one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LIKE = 0.85  # correlation of beats of one shape
TINY = 1e-9


def correlations(cuts: Floats) -> tuple[Floats, Floats]:
    """Of all beats with each other, [n_beats, n_beats], and their powers, [n_beats].

    cuts : float [n_beats, n], each without its mean
    """
    power = (cuts**2).sum(axis=1) + TINY
    return cuts @ cuts.T / np.sqrt(power[:, None] * power), power


def most_usual(alike: Floats) -> int:
    """The beat that most others are like; of several the one that is more like all."""
    return int(np.argmax((alike > LIKE).sum(axis=1) + alike.mean(axis=1)))
