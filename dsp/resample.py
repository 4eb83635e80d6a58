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

from dsp.lanes import LANES, dot8
from dsp.memory import KERNEL

ANALYSIS_HZ = 250.0
MIN_HZ, MAX_HZ = 100.0, 1000.0
PHASES = 64  # error of time: at most 1/128 of an input sample
LOBES = 2.0  # zero crossings of the sinc on each side
MAX_HALF = 10  # half the taps at MAX_HZ
MAX_TAPS = 24  # 2 * MAX_HALF, in whole groups of LANES

TAIL = 32  # inputs that are kept, more than MAX_TAPS

RESAMPLE = np.dtype([("tail", "f4", (TAIL,))], align=True)
"""The last inputs of a lead."""


def half_width(fs_hz: float) -> int:
    """Inputs that an output needs on each side of its position."""
    return math.ceil(LOBES * fs_hz / (2.0 * _cutoff_hz(fs_hz)))


def _cutoff_hz(fs_hz: float) -> float:
    return min(0.4 * ANALYSIS_HZ, 0.4 * fs_hz)


def taps(fs_hz: float) -> NDArray[np.float32]:
    """Coefficients of every phase, float32 [PHASES + 1, a multiple of LANES].

    Each row sums to 1; the last column is that of the input `half_width` after the position,
    and zeros fill the row at the oldest inputs.
    """
    half = half_width(fs_hz)
    spacing = fs_hz / (2.0 * _cutoff_hz(fs_hz))  # inputs between zero crossings
    offset = np.arange(1 - half, half + 1)[None, :] - np.arange(PHASES + 1)[:, None] / PHASES
    window = np.cos(np.pi / 2 * np.clip(offset / half, -1.0, 1.0)) ** 2
    table = np.sinc(offset / spacing) * window
    table /= table.sum(axis=1, keepdims=True)
    return np.pad(table, ((0, 0), (-2 * half % LANES, 0))).astype(np.float32)


@njit(**KERNEL)
def inputs_for(n, fs_hz, half):  # type: ignore[no-untyped-def]
    """How many inputs, from the first of the stream, output `n` needs."""
    # multiplied first: at a whole rate nothing is rounded
    return math.floor(n * fs_hz / ANALYSIS_HZ) + half + 1


@njit(**KERNEL)
def place(n, fs_hz, n_taps, first, row):  # type: ignore[no-untyped-def]
    """Where the outputs `n`, `n + 1`, … lie.

    first, row : int64 [n_outputs]; the input before each, counted from that of output `n`, and
    the begin of the row of its phase in a table of rows of `n_taps`.
    """
    start = math.floor(n * fs_hz / ANALYSIS_HZ)
    for k in range(first.size):
        position = (n + k) * fs_hz / ANALYSIS_HZ
        whole = math.floor(position)
        first[k] = whole - start
        row[k] = int((position - whole) * PHASES + 0.5) * n_taps


@njit(**KERNEL)
def interpolate(inputs, begin, table, n_taps, first, row, out):  # type: ignore[no-untyped-def]
    """Step 1. Outputs; the window of output k begins with the input `begin + first[k]`.

    inputs : float32; table : what `taps` gives, row after row; first, row : what `place` gives;
    out : float32 [n_outputs]
    """
    for k in range(out.size):
        total = np.float32(0.0)
        for group in range(0, n_taps, LANES):
            i, j = begin + first[k] + group, row[k] + group
            total += dot8(inputs, i, table, j)
        out[k] = total
