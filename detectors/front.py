"""Steps 1 and 2 of one lead, block by block: inputs in, analysis samples and their feature out."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from detectors import pwave
from detectors.quality import ROOM
from detectors.state import BLOCK, RING
from dsp import mains, ring
from dsp.filters import PAST, mean_size, slopes
from dsp.lanes import WIDE
from dsp.memory import KERNEL
from dsp.resample import (
    ANALYSIS_HZ,
    MAX_HALF,
    MAX_HZ,
    MAX_TAPS,
    PHASES,
    TAIL,
    half_width,
    inputs_for,
    interpolate,
    place,
    taps,
)
from dsp.stretches import shifted16

MOST_INPUTS = int(BLOCK * MAX_HZ / ANALYSIS_HZ) + MAX_HALF + 1  # of a block
MOST_MV = np.float32(1e6)  # a kilovolt is no sample: as good as missing

WORK = np.dtype(
    [
        ("fs_hz", "f8"),
        ("whole", "i8"),  # 1: places of outputs are the same in each second
        ("half", "i8"),  # inputs that one needs on each side
        ("pulse", "i8"),  # inputs that a pacing pulse lasts at most
        ("long_gap", "i8"),  # inputs missing in a row after which the baseline may have moved
        ("table", "f4", ((PHASES + 1) * MAX_TAPS,)),  # of taps, row after row
        ("n_taps", "i8"),
        ("first", "i8", (BLOCK,)),
        ("row", "i8", (BLOCK,)),
        ("inputs", "f4", (TAIL + MOST_INPUTS,)),
        ("missing", "u1", (TAIL + MOST_INPUTS,)),
        ("signal", "f4", (PAST + BLOCK,)),
        ("slope", "f4", (PAST + BLOCK,)),
        ("fours", "f4", (PAST + BLOCK,)),
        ("feature", "f4", (BLOCK,)),
        ("absent", "u1", (BLOCK,)),
        ("total", "f4", (BLOCK,)),
        ("weights", "f4", (BLOCK,)),
        ("second", "f4", (ROOM,)),
        ("second_absent", "u1", (ROOM,)),
        ("sum", "f4", (RING,)),
    ],
    align=True,
)
"""What kernels write on while they work, and the tables of a rate: of no patient, not kept."""

LONG_GAP_S = 0.1
PULSE_S = (
    0.004  # a pacing pulse lasts up to 2 ms (IEC 60601-2-27:2011, 201.12.1.101.13) and its edges
)
PULSE_INPUTS = 2  # at low rates it lies in two inputs
STEEP_PER_S = 250.0  # QRS heights a second: no QRS complex is so steep
MOST_STEEP = 0.7  # QRS heights from one input to the next, when those are far apart


def workspace(fs_hz: float) -> NDArray[Any]:
    """One record of `WORK` for analyses at a rate, [1]; one for each thread."""
    return _prepared(fs_hz).copy()


@lru_cache(maxsize=32)  # of short records the tables would take longer than the analysis
def _prepared(fs_hz: float) -> NDArray[Any]:
    work: NDArray[Any] = np.zeros(1, WORK)
    table = taps(fs_hz)
    work["fs_hz"], work["half"] = fs_hz, half_width(fs_hz)
    work["pulse"] = max(PULSE_INPUTS, math.ceil(fs_hz * PULSE_S))
    work["long_gap"] = int(fs_hz * LONG_GAP_S)
    work["table"][0, : table.size] = table.ravel()
    work["n_taps"] = table.shape[1]
    work["whole"] = fs_hz == int(fs_hz)
    place(0, fs_hz, table.shape[1], work["first"][0], work["row"][0])
    return work


@njit(**KERNEL)
def reach(n, end, n_in, work):  # type: ignore[no-untyped-def]
    """The analysis sample before which all can be made of the first `n_in` inputs, up to `end`."""
    if inputs_for(end - 1, work.fs_hz, work.half) <= n_in:
        return end
    while inputs_for(n, work.fs_hz, work.half) <= n_in:
        n += 1
    return n


@njit(**KERNEL)
def steepest(size_mv, fs_hz):  # type: ignore[no-untyped-def]
    """The largest step from one input to the next that a QRS complex of a size may make, mV."""
    return np.float32(size_mv * min(STEEP_PER_S / fs_hz, MOST_STEEP))


@njit(**KERNEL)
def _take_one(lead, x_mv, number, work):  # type: ignore[no-untyped-def]
    """Input `number`: what is missing is held, and what comes back goes on where it was.

    A step that is too steep for a heart is held back for as long as a pacing pulse may last. When
    it has gone by then, it was one: `pwave` is told.
    """
    if not abs(x_mv) <= MOST_MV:  # NaN is caught, too
        lead.gap += 1
        return lead.held_mv
    if lead.started == 0 or lead.gap > work.long_gap:
        lead.offset_mv = x_mv - lead.held_mv
        lead.away = 0
    lead.started = 1
    lead.gap = 0
    value = x_mv - lead.offset_mv
    if abs(value - lead.held_mv) > lead.steep_mv:
        if lead.away < work.pulse:
            lead.away += 1  # a pulse: it will be back; else the next ones are taken as they are
            return lead.held_mv
    elif lead.away > 0:
        pwave.mark(lead.prelude, round((number - lead.away) * ANALYSIS_HZ / work.fs_hz))
    lead.away = 0
    lead.held_mv = value
    return lead.held_mv


@njit(**KERNEL)
def _shift(new, x_mv, offset, before, steep):  # type: ignore[no-untyped-def]
    """Inputs less the offset; 1 when one is missing, 2 when one is too steep, 3 when both are.

    before : the value before the first one. Steps are those of the values that `_take_one` sees,
    to the bit.
    """
    odd, i, count = 0, 0, x_mv.size
    while i < count:
        if i > 0 and count - i >= WIDE:
            odd |= shifted16(new, i, x_mv, i, offset, MOST_MV, steep)
            i += WIDE
        else:
            new[i] = x_mv[i] - offset
            odd |= 0 if abs(x_mv[i]) <= MOST_MV else 1
            odd |= 2 if abs(new[i] - before) > steep else 0
            i += 1
        before = new[i - 1]
    return odd


@njit(**KERNEL)
def take(lead, x_mv, n_in, work):  # type: ignore[no-untyped-def]
    """The inputs of a block, after the first `n_in`, into `work`; true when one is missing."""
    inputs, missing, tail, count = work.inputs, work.missing, lead.resample.tail, x_mv.size
    for k in range(TAIL):
        inputs[k] = tail[k]
    new = inputs[TAIL:]
    odd = _shift(new, x_mv, lead.offset_mv, inputs[TAIL - 1], lead.steep_mv)
    gaps = odd & 1 > 0 or lead.gap > 0 or lead.started == 0
    if gaps or odd > 0 or lead.away > 0:
        missing[:TAIL] = lead.gap > 0 or lead.started == 0
        for i in range(count):
            new[i] = _take_one(lead, x_mv[i], n_in + i, work)
            missing[TAIL + i] = lead.gap > 0
    elif count > 0:
        lead.held_mv = new[count - 1]
    for k in range(TAIL):
        tail[k] = inputs[count + k]
    return gaps


@njit(**KERNEL)
def advance_lead(lead, x_mv, n, count, n_in, work):  # type: ignore[no-untyped-def]
    """Take the next inputs of a lead, make the analysis samples `n` to `n + count` (not included).

    x_mv : float32, the inputs after the first `n_in` of the stream. Leaves feature and absence of
    the new samples in `work`, too.
    """
    gaps = take(lead, x_mv, n_in, work)
    at = n % BLOCK if work.whole else 0  # of the second, or of this block
    absent, first, row = work.absent[:count], work.first[at : at + count], work.row[at : at + count]
    signal, slope, feature = work.signal, work.slope, work.feature
    # where the input lies that comes `half` after the position of output n
    newest = inputs_for(n, work.fs_hz, work.half) - 1 - n_in + TAIL - work.first[at]
    begin = newest + 1 - work.n_taps
    new = signal[PAST : PAST + count]
    interpolate(work.inputs, begin, work.table, work.n_taps, first, row, new)
    if gaps:
        for k in range(count):
            absent[k] = work.missing[newest + first[k]]
    else:
        absent[:] = 0
    mains.remove(lead.mains, new, absent, n, count)
    ring.read(lead.signal, n - PAST, signal, PAST)
    ring.read(lead.slope, n - PAST, slope, PAST)
    slopes(signal, slope, count)
    mean_size(slope, work.fours, feature, count)
    ring.write(lead.signal, n, signal[PAST:], count)
    ring.write(lead.slope, n, slope[PAST:], count)
    ring.write(lead.feature, n, feature, count)
    ring.write(lead.absent, n, absent, count)


@njit(**KERNEL)
def prepare(n, count, work):  # type: ignore[no-untyped-def]
    """Places of the analysis samples of a block, the same for all leads.

    At a whole rate `workspace` has set those of a second.
    """
    if not work.whole:
        place(n, work.fs_hz, work.n_taps, work.first[:count], work.row)
