"""One kernel call a push: the stages in line, for every patient that has samples."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import qrs as q
from detectors import quality
from detectors.decide import decide, when
from detectors.front import advance_lead, prepare, reach, steepest
from detectors.fusion import add_lead, fuse, weigh
from detectors.state import BLOCK, RR_KEPT, SECOND
from dsp import ring
from dsp.resample import ANALYSIS_HZ, inputs_for

HORIZON = 150  # analysis samples (0.6 s) after which no beat is found save by search-back
RATE_KNOWN_S = 6.0  # a rate of older beats is no rate


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
def judge_lead(lead, n, work):  # type: ignore[no-untyped-def]
    """Step 3. Quality of a lead in the second before analysis sample `n`."""
    ring.read(lead.signal, n - SECOND - 2, work.second, SECOND + 2)
    ring.read(lead.absent, n - SECOND - 2, work.second_absent, SECOND + 2)
    size_mv = quality.size_mv(lead)
    most_mv = np.float32(min(size_mv, quality.MOST_MV))
    quality.measure(lead.second, work.second, work.second_absent, most_mv, work.sum)
    quality.judge(lead.second, size_mv)


@njit(cache=True, nogil=True)
def _second(head, leads, work, row, rows):  # type: ignore[no-untyped-def]
    """Vitals (`row`) and quality (`rows`, one a lead) of the second that has ended."""
    qrs = head.qrs
    for i in range(leads.size):
        judge_lead(leads[i], head.n, work)
        rows[i].sample, rows[i].t_ns = when(head, head.n - SECOND)
        rows[i].sqi = leads[i].second.sqi
        rows[i].lead = i
        rows[i].code = leads[i].second.code
    weigh(head.qrs, leads)
    for i in range(leads.size):
        leads[i].steep_mv = steepest(quality.size_mv(leads[i]), head.fs_hz)
    row.sample, row.t_ns = when(head, head.n)
    known = qrs.n_rr > 0 and head.n - qrs.last.at < RATE_KNOWN_S * ANALYSIS_HZ
    row.hr_bpm = 60.0 / qrs.rr_median if known else math.nan
    row.hr_fast_bpm = 60.0 / _middle_of_three(qrs) if known else math.nan
    row.pvc_per_min = 0.0
    row.af_burden = math.nan


@njit(cache=True, nogil=True)
def _block(head, leads, x_mv, inputs, end, work):  # type: ignore[no-untyped-def]
    """Steps 1 and 2 of all leads, and the fused feature, of the analysis samples up to `end`.

    inputs : first and last (not included) of those of `x_mv` that they need.
    """
    n, count = head.n, end - head.n
    prepare(n, count, work)
    total, weights = work.total[:count], work.weights[:count]
    total[:] = 0.0
    weights[:] = 0.0
    for i in range(leads.size):
        advance_lead(leads[i], x_mv[i, inputs[0] : inputs[1]], n, count, head.n_in, work)
        add_lead(leads[i], work.feature[:count], work.absent, total, weights)
    fuse(total, weights)
    ring.write(head.qrs.fused, n, total, count)


@njit(cache=True, nogil=True)
def advance(head, leads, x_mv, n_new, work, tables):  # type: ignore[no-untyped-def]
    """Take the first `n_new` of the inputs `x_mv`; write what becomes known into the tables.

    x_mv : float32 [n_leads, >= n_new]; tables : beats, vitals, quality
    Gives the counts of rows written.
    """
    beats, vitals, rows = tables
    n_beats, n_vitals, n_rows = 0, 0, 0
    begin = 0
    while True:
        # a block ends with every fifth of a second at the latest: rings hold it and its past,
        # and no second ends within it
        end = (head.n // BLOCK + 1) * BLOCK
        made = reach(head.n, end, head.n_in + n_new - begin, work)
        taken = n_new - begin
        if made == end:
            taken = max(0, inputs_for(end - 1, work.step, work.half) - head.n_in)
        _block(head, leads, x_mv, (begin, begin + taken), made, work)
        n_beats = decide(head, leads, made, beats, n_beats)
        begin += taken
        head.n_in += taken
        head.n = made
        if made < end:  # no inputs left
            break
        if made % SECOND == 0:
            _second(head, leads, work, vitals[n_vitals], rows[n_rows:])
            n_vitals += 1
            n_rows += leads.size
    head.through = max(0, round((head.n - HORIZON) * head.fs_hz / ANALYSIS_HZ))
    return n_beats, n_vitals, n_rows


@njit(cache=True, nogil=True)
def begin(head, leads):  # type: ignore[no-untyped-def]
    """A state that has seen nothing."""
    q.begin(head.qrs)
    for i in range(leads.size):
        leads[i].second.sqi = leads[i].weight = np.float32(0.5)
        leads[i].scale = np.float32(1.0)
        leads[i].steep_mv = steepest(np.float32(1.0), head.fs_hz)


@njit(cache=True, nogil=True)
def advance_all(heads, leads, x_mv, sizes, work, rows):  # type: ignore[no-untyped-def]
    """`advance` for a bank: every patient that has samples, one after the other.

    x_mv : float32 [n_patients, n_leads, n_samples], of which `sizes` [n_patients] are filled
    rows : the tables of findings, [n_patients, ...] each, and int64 [n_patients, 3], their counts
    """
    beats, vitals, quality_rows, counts = rows
    for p in range(heads.size):
        counts[p] = 0
        if sizes[p] > 0:
            tables = beats[p], vitals[p], quality_rows[p]
            counts[p, 0], counts[p, 1], counts[p, 2] = advance(
                heads[p], leads[p], x_mv[p], sizes[p], work, tables
            )
