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

TAIL = 32  # inputs that are kept; a power of two, at least 2 * MAX_HALF

RESAMPLE = np.dtype([("tail", "f4", (2 * TAIL,))], align=True)
"""The last inputs of a lead, each written twice so that any window of them is contiguous."""


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
def take(state, index, x_mv):  # type: ignore[no-untyped-def]
    """Note input number `index`."""
    place = index & (TAIL - 1)
    state.tail[place] = x_mv
    state.tail[place + TAIL] = x_mv


@njit(cache=True, nogil=True)
def interpolate(state, k, step, table):  # type: ignore[no-untyped-def]
    """Output `k`; inputs must have come up to `half` after its position, and no further than 10.

    step : inputs per output; table : what `taps` gives.
    """
    position = k * step
    whole = math.floor(position)
    phase = int((position - whole) * PHASES + 0.5)
    n_taps = table.shape[1]
    begin = (whole - n_taps // 2 + 1) & (TAIL - 1)
    total = np.float32(0.0)
    for j in range(n_taps):
        total += table[phase, j] * state.tail[begin + j]
    return total
