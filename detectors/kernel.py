"""One kernel call a push: the stages in line, for every patient that has samples."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import qrs as q
from detectors import quality
from detectors.decide import decide, when
from detectors.fusion import weigh
from detectors.state import RING, RR_KEPT
from dsp.filters import qrs_features
from dsp.resample import ANALYSIS_HZ, interpolate, take

SECOND = int(ANALYSIS_HZ)
BLOCK = SECOND // 5
HORIZON = 150  # analysis samples (0.6 s) after which no beat is found save by search-back
LONG_GAP_S = 0.1  # missing longer than this, the baseline may have moved
RATE_KNOWN_S = 6.0  # a rate of older beats is no rate


@njit(cache=True, nogil=True)
def _take(lead, index, x_mv, long_gap):  # type: ignore[no-untyped-def]
    """One input: what is missing is held, and what comes back goes on where it was."""
    if not math.isfinite(x_mv):
        lead.gap += 1
        value = lead.held_mv
    else:
        if lead.started == 0 or lead.gap > long_gap:
            lead.offset_mv = x_mv - lead.held_mv
        lead.started = 1
        lead.gap = 0
        value = x_mv - lead.offset_mv
        lead.held_mv = value
    take(lead.resample, index, value)


@njit(cache=True, nogil=True)
def _resample(lead, x_mv, start, head, end, step, table):  # type: ignore[no-untyped-def]
    """Step 1. Analysis samples up to `end` (not included) of one lead, as far as inputs reach.

    `start` is the place in `x_mv` of the input number `head.n_in`. Gives the number of inputs
    taken; as many are taken as the last sample made needs, all of them when they do not reach.
    """
    state, signal, absent = lead.resample, lead.signal, lead.absent
    half, long_gap = table.shape[1] // 2, int(head.fs_hz * LONG_GAP_S)
    s, size, ahead = start, x_mv.size, head.n_in - start
    n = head.n
    while n < end:
        need = math.floor(n * step) + half + 1 - ahead
        for i in range(s, min(need, size)):
            _take(lead, ahead + i, x_mv[i], long_gap)
        s = max(s, min(need, size))
        if need > size:
            break
        signal[n & (RING - 1)] = interpolate(state, n, step, table)
        absent[n & (RING - 1)] = lead.gap > 0 or lead.started == 0
        n += 1
    return s - start, n


@njit(cache=True, nogil=True)
def _middle_of_three(qrs):  # type: ignore[no-untyped-def]
    """Median of the last three intervals, s; the median of all while there are fewer."""
    if qrs.n_rr < 3:
        return qrs.rr_median
    a = qrs.rr[(qrs.n_rr - 1) % RR_KEPT]
    b = qrs.rr[(qrs.n_rr - 2) % RR_KEPT]
    c = qrs.rr[(qrs.n_rr - 3) % RR_KEPT]
    return max(min(a, b), min(max(a, b), c))


@njit(cache=True, nogil=True)
def _second(head, leads, vitals, n_vitals, rows, n_rows):  # type: ignore[no-untyped-def]
    """Rows of the second that has ended."""
    for i in range(leads.size):
        quality.judge(leads[i].second)
        row = rows[n_rows]
        row.sample, row.t_ns = when(head, head.n - SECOND)
        row.sqi = leads[i].second.sqi
        row.lead = i
        row.code = leads[i].second.code
        quality.begin(leads[i].second)
        n_rows += 1
    weigh(head.qrs, leads)
    row = vitals[n_vitals]
    row.sample, row.t_ns = when(head, head.n)
    qrs = head.qrs
    known = qrs.n_rr > 0 and head.n - qrs.last.at < RATE_KNOWN_S * ANALYSIS_HZ
    row.hr_bpm = 60.0 / qrs.rr_median if known else math.nan
    row.hr_fast_bpm = 60.0 / _middle_of_three(qrs) if known else math.nan
    row.pvc_per_min = 0.0
    row.af_burden = math.nan
    return n_rows


@njit(cache=True, nogil=True)
def advance(head, leads, x_mv, step, table, beats, vitals, rows):  # type: ignore[no-untyped-def]
    """Take a chunk of inputs; write what becomes known; give the counts of rows written."""
    n_beats, n_vitals, n_rows = 0, 0, 0
    start = 0
    while True:
        # a block ends with every fifth of a second at the latest: rings hold it and its past,
        # and no second ends within it
        end = (head.n // BLOCK + 1) * BLOCK
        taken, made = 0, head.n
        for i in range(leads.size):
            taken, made = _resample(leads[i], x_mv[i], start, head, end, step, table)
            lead = leads[i]
            qrs_features(lead.front, lead.signal, lead.slope, lead.feature, head.n, made)
            quality.gather(lead.second, lead.signal, lead.absent, head.n, made)
        for n in range(head.n, made):
            n_beats = decide(head, leads, n, beats, n_beats)
        start += taken
        head.n_in += taken
        head.n = made
        if made < end:  # no inputs left
            break
        if made % SECOND == 0:
            n_rows = _second(head, leads, vitals, n_vitals, rows, n_rows)
            n_vitals += 1
    head.through = max(0, round((head.n - HORIZON) * head.fs_hz / ANALYSIS_HZ))
    return n_beats, n_vitals, n_rows


@njit(cache=True, nogil=True)
def begin(head, leads):  # type: ignore[no-untyped-def]
    """A state that has seen nothing."""
    q.begin(head.qrs)
    for i in range(leads.size):
        quality.begin(leads[i].second)
        leads[i].second.sqi = leads[i].weight = np.float32(0.5)


@njit(cache=True, nogil=True)
def advance_all(heads, leads, x_mv, sizes, step, table, rows, counts):  # type: ignore[no-untyped-def]
    """`advance` for a bank: every patient that has samples, one after the other.

    x_mv : float32 [n_patients, n_leads, n_samples], of which `sizes` [n_patients] are filled
    rows : the tables of findings, [n_patients, ...] each; counts : int64 [n_patients, 3]
    """
    beats, vitals, quality_rows = rows
    for p in range(heads.size):
        counts[p] = 0
        if sizes[p] > 0:
            counts[p, 0], counts[p, 1], counts[p, 2] = advance(
                heads[p],
                leads[p],
                x_mv[p, :, : sizes[p]],
                step,
                table,
                beats[p],
                vitals[p],
                quality_rows[p],
            )
