"""From any rate between 100 and 1,000 Hz to the analysis rate of 250 Hz, as a stream.

Output k is taken at input position k * fs / 250, counted afresh from k, so that nothing drifts,
with a windowed sinc (Smith & Gossett 1984, "A flexible sampling-rate conversion method"): its
cut-off lies at 100 Hz or at 0.4 of the input rate, whichever is lower, its phases are tabled.
The filter is symmetric: no phase distortion; output k needs `half` inputs after its position.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

ANALYSIS_HZ = 250.0
MIN_HZ, MAX_HZ = 100.0, 1000.0
PHASES = 64  # error of time: at most 1/128 of an input sample
LOBES = 2.0  # zero crossings of the sinc on each side
MAX_HALF = 10  # half the taps at MAX_HZ

RESAMPLE = np.dtype([("tail", "f4", (2 * MAX_HALF,))], align=True)
"""The last inputs of a lead, oldest first."""


def taps(fs_hz: float) -> NDArray[np.float32]:
    """Coefficients of every phase, float32 [PHASES + 1, 2 * half]; each row sums to 1."""
    cutoff_hz = min(0.4 * ANALYSIS_HZ, 0.4 * fs_hz)
    spacing = fs_hz / (2.0 * cutoff_hz)  # inputs between zero crossings
    half = math.ceil(LOBES * spacing)
    offset = np.arange(1 - half, half + 1)[None, :] - np.arange(PHASES + 1)[:, None] / PHASES
    window = np.cos(np.pi / 2 * np.clip(offset / half, -1.0, 1.0)) ** 2
    table = np.sinc(offset / spacing) * window
    return np.asarray(table / table.sum(axis=1, keepdims=True), np.float32)


@njit(cache=True, nogil=True)
def interpolate(line, first, k, step, table):  # type: ignore[no-untyped-def]
    """Output `k`, from a stretch of inputs whose first one has the index `first`."""
    position = k * step
    whole = math.floor(position)
    row = table[int((position - whole) * PHASES + 0.5)]
    begin = whole - row.size // 2 + 1 - first
    total = np.float32(0.0)
    for j in range(row.size):
        total += row[j] * line[begin + j]
    return total
