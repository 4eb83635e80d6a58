"""One kernel call a push: the stages in line, for every patient that has samples."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import beats as classes
from detectors import fibrillation, quality, rhythm, tally
from detectors import qrs as q
from detectors.decide import decide, when
from detectors.facts import N_FACTS
from detectors.front import advance_lead, prepare, reach, steepest
from detectors.fusion import add_lead, fuse, weigh
from detectors.state import BLOCK, RR_KEPT, SECOND
from dsp import mains, memory, ring
from dsp.memory import KERNEL, WITH_ARRAYS
from dsp.resample import ANALYSIS_HZ, inputs_for
from ecg.codes import BeatFlag, QualityCode

HORIZON = 150  # analysis samples (0.6 s) after which no beat is found save by search-back
RATE_KNOWN_S = 6.0  # a rate of older beats is no rate
_PACED = int(BeatFlag.PACED)
_OFF = int(QualityCode.LEAD_OFF)


@njit(**KERNEL)
def _middle_of_three(qrs):  # type: ignore[no-untyped-def]
    """Median of the last three intervals, s; the median of all while there are fewer."""
    if qrs.n_rr < 3:
        return qrs.rr_median
    a = qrs.rr[(qrs.n_rr - 1) % RR_KEPT]
    b = qrs.rr[(qrs.n_rr - 2) % RR_KEPT]
    c = qrs.rr[(qrs.n_rr - 3) % RR_KEPT]
    return max(min(a, b), min(max(a, b), c))


@njit(**KERNEL)
def judge_lead(lead, n, work):  # type: ignore[no-untyped-def]
    """Step 3. Quality of a lead in the second before analysis sample `n`, and its hum.

    Leaves the second in `work.second`.
    """
    ring.read(lead.signal, n - SECOND - 2, work.second, SECOND + 2)
    ring.read(lead.absent, n - SECOND - 2, work.second_absent, SECOND + 2)
    size_mv = quality.size_mv(lead)
    most_mv = np.float32(min(size_mv, quality.MOST_MV))
    quality.measure(lead.second, work.second, work.second_absent, most_mv)
    quality.judge(lead.second, size_mv)
    mains.follow(lead.mains, work.second[2:], lead.second.missing == 0, work.sum)


@njit(**KERNEL)
def judge_fibrillation(lead, work, weights):  # type: ignore[no-untyped-def]
    """Score of VF of a lead, of whose second the quality has just been judged."""
    missing = SECOND if lead.second.code == _OFF else 0
    fibrillation.take_second(lead.fib, work.second[2:], missing)
    fibrillation.judge_lead(lead.fib, weights)


@njit(**KERNEL)
def _second(head, leads, work, weights, row, rows):  # type: ignore[no-untyped-def]
    """Vitals (`row`) and quality (`rows`, one a lead) of the second that has ended."""
    qrs = head.qrs
    for i in range(leads.size):
        judge_lead(leads[i], head.n, work)
        if head.only_qrs == 0:
            judge_fibrillation(leads[i], work, weights)
        rows[i].sample, rows[i].t_ns = when(head, head.n - SECOND)
        rows[i].sqi = leads[i].second.sqi
        rows[i].lead = i
        rows[i].code = leads[i].second.code
    weigh(head.qrs, leads)
    for i in range(leads.size):
        heart_mv = steepest(quality.size_mv(leads[i]), head.fs_hz)
        leads[i].steep_mv = heart_mv + mains.steepest(leads[i].mains)
    row.sample, row.t_ns = when(head, head.n)
    known = qrs.n_rr > 0 and head.n - qrs.last.at < RATE_KNOWN_S * ANALYSIS_HZ
    row.hr_bpm = 60.0 / qrs.rr_median if known else math.nan
    row.hr_fast_bpm = 60.0 / _middle_of_three(qrs) if known else math.nan
    row.pvc_per_min = row.af_burden = math.nan
    if head.only_qrs == 0:
        row.pvc_per_min = head.rhythm.tally.n_ectopic
        row.af_burden = tally.af_burden(head.rhythm.tally)


@njit(**KERNEL)
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


@njit(**KERNEL)
def _known(head, leads, models, tables, counts):  # type: ignore[no-untyped-def]
    """Rhythms that follow from the classes that were told since the last call."""
    told, episodes = tables[4], tables[3]
    for k in range(counts[4], head.beats.n_told):
        counts[3] = rhythm.known(head, leads, told[k], models.af, episodes, counts[3])
    counts[4] = head.beats.n_told


@njit(**KERNEL)
def _beats_alone(head, leads, end, models, tables, counts):  # type: ignore[no-untyped-def]
    """Beats that the analysis samples up to `end` make known, and nothing else."""
    n, beats = head.n, tables[0]
    while n < end:
        n, found = decide(head, leads, n, end, beats[counts[0]], models.judges)
        counts[0] += found


@njit(**KERNEL)
def _beats(head, leads, end, models, tables, counts):  # type: ignore[no-untyped-def]
    """Beats, classes and rhythms that the analysis samples up to `end` make known."""
    n, kept, beats = head.n, head.beats, tables[0]
    out = models.ventricular, models.supraventricular, tables[4], tables[5]
    while n < end:
        row = beats[counts[0]]
        n, found = decide(head, leads, n, end, row, models.judges)
        if found:
            if n > kept.due:
                classes.tell(kept, leads, classes.LAST_CALL_S, False, out)
                _known(head, leads, models, tables, counts)
            at = head.qrs.last.fiducial
            if rhythm.found(head, leads, at, n - 1):
                row.flags |= _PACED
            classes.found(kept, leads, at, n - 1, row, out)
            _known(head, leads, models, tables, counts)
            counts[0] += 1
    if end > kept.due:
        classes.tell(kept, leads, classes.LAST_CALL_S, False, out)
        _known(head, leads, models, tables, counts)


@njit(**KERNEL)
def _input(head, n):  # type: ignore[no-untyped-def]
    """Sample at the device's own rate of an analysis sample; those before the first are it."""
    return max(0, round(n * head.fs_hz / ANALYSIS_HZ))


@njit(**KERNEL)
def advance(head, leads, x_mv, n_new, work, models, tables, counts):  # type: ignore[no-untyped-def]
    """Take the first `n_new` of the inputs `x_mv`; write what becomes known into the tables.

    x_mv : float32 [n_leads, >= n_new]; models : `detectors.weights.Models`
    tables : those of `Findings`, and facts of beats, float32 [n, N_FACTS], n 0 when not wanted
    counts : int64 [5], rows written into each table
    """
    vitals, rows, episodes = tables[1], tables[2], tables[3]
    counts[:] = 0
    head.beats.n_told = 0
    begin = 0
    while True:
        # a block ends with every fifth of a second at the latest: rings hold it and its past,
        # and no second ends within it
        end = (head.n // BLOCK + 1) * BLOCK
        made = reach(head.n, end, head.n_in + n_new - begin, work)
        taken = n_new - begin
        if made == end:
            taken = max(0, inputs_for(end - 1, work.fs_hz, work.half) - head.n_in)
        _block(head, leads, x_mv, (begin, begin + taken), made, work)
        if head.only_qrs:
            _beats_alone(head, leads, made, models, tables, counts)
        else:
            _beats(head, leads, made, models, tables, counts)
        begin += taken
        head.n_in += taken
        head.n = made
        if made < end:  # no inputs left
            break
        if made % SECOND == 0:
            _second(head, leads, work, models.vf, vitals[counts[1]], rows[counts[2] :])
            counts[1] += 1
            counts[2] += leads.size
            if head.only_qrs == 0:
                counts[3] = rhythm.end_second(head, leads, episodes, counts[3])
    head.through = _input(head, head.n - HORIZON)
    head.quiet = head.through
    if q.is_quiet(head.qrs, head.n):
        head.quiet = _input(head, head.n - q.QUIET_LAG)


@njit(**KERNEL)
def begin(heads, leads):  # type: ignore[no-untyped-def]
    """States that have seen nothing; leads : [n_patients, n_leads]."""
    for p in range(heads.size):
        head = heads[p]
        q.begin(head.qrs)
        classes.begin(head.beats)
        rhythm.begin(head, leads[p])
        for i in range(leads.shape[1]):
            lead = leads[p, i]
            lead.second.sqi = lead.weight = np.float32(0.5)
            lead.scale = np.float32(1.0)
            lead.steep_mv = steepest(np.float32(1.0), head.fs_hz)


@njit(**KERNEL)
def advance_one(heads, leads, x_mv, works, models, tables, counts):  # type: ignore[no-untyped-def]
    """`advance` for the only patient of arrays of one.

    Numba would look at a record anew each time that Python hands it over, and at an array once.
    """
    advance(heads[0], leads[0], x_mv, x_mv.shape[1], works[0], models, tables, counts)


@njit(**WITH_ARRAYS)
def advance_all(heads, leads, x_mv, sizes, works, models, rows):  # type: ignore[no-untyped-def]
    """`advance` for a bank: every patient that has samples, one after the other.

    x_mv : float32 [n_patients, n_leads, n_samples], of which `sizes` [n_patients] are filled
    works : [1], room for one patient at a time
    rows : the tables of findings, [n_patients, ...] each, and int64 [n_patients, 5], their counts
    """
    beats, vitals, quality_rows, episodes, told, counts = rows
    no_facts = np.empty((0, N_FACTS), np.float32)
    for p in range(heads.size):
        counts[p] = 0
        if sizes[p] > 0:
            tables = beats[p], vitals[p], quality_rows[p], episodes[p], told[p], no_facts
            own = memory.in_one_piece(leads[p])
            advance(heads[p], own, x_mv[p], sizes[p], works[0], models, tables, counts[p])
